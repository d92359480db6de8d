// Package meter counts what a serving parley does: conversations, frames and bytes, errors by kind and how long replies take,
// for several services in one process. It tells them to Prometheus ([Meter.ServeHTTP]), to who has stopped the program
// ([Meter.Summary]) and to who wonders what it is doing ([Meter.Status]).
//
// It writes the Prometheus text format itself, in about a hundred lines. The light library for it,
// github.com/VictoriaMetrics/metrics, writes histograms with "vmrange" buckets, which Prometheus cannot read, has no text
// for HELP lines, and says whether there are any in a global variable; the official client brings protobuf and
// a dozen modules more.
package meter

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley"
)

// A Meter counts for any number of services. Its methods may be called from any goroutine.
type Meter struct {
	started time.Time
	kinds   []kind // besides those that are known

	mu       sync.Mutex
	services map[string]*service
}

// New returns a Meter that has counted nothing.
func New() *Meter {
	return &Meter{started: time.Now(), services: map[string]*service{}}
}

// Listening notes that service takes callers at address, for Status and Summary.
func (m *Meter) Listening(service, address string) {
	s := m.service(service)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addresses = append(s.addresses, address)
}

// Refused counts a caller who was refused. reason is one of a few words; beyond 32 of them all count as "other", so that
// no caller can fill the memory with reasons.
func (m *Meter) Refused(service, reason string) {
	s := m.service(service)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused.add(reason)
}

// service returns the counts of the service called name.
func (m *Meter) service(name string) *service {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.services[name]
	if s == nil {
		s = &service{name: name, live: register{of: map[*parley.Conn]*talk{}}, meter: m, started: m.started, refused: tally{}, errors: tally{}}
		m.services[name] = s
	}
	return s
}

// sorted returns all services by name.
func (m *Meter) sorted() []*service {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []*service
	for _, name := range slices.Sorted(maps.Keys(m.services)) {
		all = append(all, m.services[name])
	}
	return all
}

// A service is what is counted for one of them.
type service struct {
	name    string
	meter   *Meter
	started time.Time // when the clock of talk.asked began

	live                        register
	total                       atomic.Int64
	framesHeard, framesSaid     atomic.Int64
	acceptFailures, lostPackets atomic.Int64
	replies                     histogram

	mu                    sync.Mutex // guards what follows, and the way out of live
	addresses             []string
	bytesHeard, bytesSaid int64 // of conversations that are over
	refused, errors       tally
}

// A tally counts by name.
type tally map[string]int64

// maxNames is how many names a tally takes.
const maxNames = 32

func (t tally) add(name string) {
	if _, ok := t[name]; !ok && len(t) >= maxNames {
		name = "other"
	}
	t[name]++
}

func (t tally) sum() (n int64) {
	for _, count := range t {
		n += count
	}
	return n
}
