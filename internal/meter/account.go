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
		said, heard := t.conn.Bytes()
		a.open++
		a.bytesHeard += heard
		a.bytesSaid += said
	}
	a.total = max(a.total, a.open) // one may have come between the two
	return a
}

// Open returns how many conversations are open now.
func (m *Meter) Open() (n int) {
	for _, s := range m.sorted() {
		for range s.held() {
			n++
		}
	}
	return n
}

// Begun returns how many conversations have begun. It costs next to nothing, however many are open.
func (m *Meter) Begun() (n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.services {
		n += s.total.Load()
	}
	return n
}

// held returns the conversations that a Handler holds now.
func (s *service) held() iter.Seq[*talk] {
	return func(yield func(*talk) bool) {
		for _, t := range s.live.all() {
			if t.held.Load() && !yield(t) {
				return
			}
		}
	}
}
