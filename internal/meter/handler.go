package meter

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley"
)

// Handler returns a Handler that counts for service the conversations that h holds, their bytes each way, and the error that h
// returns. It costs a conversation some 2 µs at its end, most of it for asking the kernel (BenchmarkHandler), and nothing in
// between.
//
// A conversation waits below the function for most of its life; see Conn.await for why it has so few variables.
func (m *Meter) Handler(service string, h parley.Handler) parley.Handler {
	s := m.service(service)
	return func(ctx context.Context, c *parley.Conn) error {
		t := s.enter(c)
		defer t.leave()
		t.err = h(ctx, c)
		return t.err
	}
}

// A talk is a conversation that is open.
type talk struct {
	service *service
	conn    *parley.Conn
	since   time.Time
	held    atomic.Bool  // by a Handler; others are known from their frames only
	asked   atomic.Int64 // when the frame was heard that awaits its reply, in ns since service.started, and 1; 0 means none does
	err     error        // what the Handler returned
}

// A register has the talks that are open. A plain map under a lock takes 200 bytes less for each than sync.Map.
type register struct {
	mu sync.RWMutex
	of map[*parley.Conn]*talk
}

func (r *register) find(c *parley.Conn) *talk {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.of[c]
}

func (r *register) remove(c *parley.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.of, c)
}

// all returns those that are open now.
func (r *register) all() []*talk {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Collect(maps.Values(r.of))
}

// known returns the talk of c, new if need be.
func (s *service) known(c *parley.Conn) *talk {
	if t := s.live.find(c); t != nil {
		return t
	}
	s.live.mu.Lock()
	defer s.live.mu.Unlock()
	t := s.live.of[c]
	if t == nil {
		t = &talk{service: s, conn: c, since: time.Now(), err: errPanicked}
		s.live.of[c] = t
	}
	return t
}

func (s *service) enter(c *parley.Conn) *talk {
	s.total.Add(1)
	t := s.known(c)
	t.held.Store(true)
	return t
}

// leave moves what was said and heard from the open conversations to those that are over, in one step for who counts
// meanwhile: a counter that goes back looks like a restart to Prometheus.
func (t *talk) leave() {
	s := t.service
	said, heard := t.conn.Bytes()
	kind := s.meter.errorKind(t.err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live.remove(t.conn)
	s.bytesHeard += heard
	s.bytesSaid += said
	if kind != "" {
		s.errors.add(kind)
	}
}
