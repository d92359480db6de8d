package meter

import (
	"iter"
	"maps"
)

// An account is what a service has counted by one moment.
type account struct {
	service                     string
	addresses                   []string
	open, total                 int64
	bytesHeard, bytesSaid       int64
	framesHeard, framesSaid     int64
	acceptFailures, lostPackets int64
	refused, errors             tally
	replies                     durations
}

func (m *Meter) accounts() (all []account) {
	for _, s := range m.sorted() {
		all = append(all, s.account())
	}
	return all
}

func (s *service) account() account {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := account{
		service: s.name, addresses: s.addresses, total: s.total.Load(), replies: s.replies.read(),
		framesHeard: s.framesHeard.Load(), framesSaid: s.framesSaid.Load(),
		acceptFailures: s.acceptFailures.Load(), lostPackets: s.lostPackets.Load(),
		bytesHeard: s.bytesHeard, bytesSaid: s.bytesSaid,
		refused: maps.Clone(s.refused), errors: maps.Clone(s.errors),
	}
	for t := range s.held() {
		now := t.conn.State()
		a.open++
		a.bytesHeard += now.Heard
		a.bytesSaid += now.Said
	}
	a.total = max(a.total, a.open) // one may have come between the two
	return a
}

// held returns the conversations that a Handler holds now.
func (s *service) held() iter.Seq[*talk] {
	return func(yield func(*talk) bool) {
		for _, value := range s.live.Range {
			if t := value.(*talk); t.held.Load() && !yield(t) {
				return
			}
		}
	}
}
