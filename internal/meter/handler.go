package meter

import (
	"context"
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

// known returns the talk of c, new if need be.
func (s *service) known(c *parley.Conn) *talk {
	if t, ok := s.live.Load(c); ok {
		return t.(*talk)
	}
	t, _ := s.live.LoadOrStore(c, &talk{service: s, conn: c, since: time.Now(), err: errPanicked})
	return t.(*talk)
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
	last, s := t.conn.State(), t.service
	kind := s.meter.errorKind(t.err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live.Delete(t.conn)
	s.bytesHeard += last.Heard
	s.bytesSaid += last.Said
	if kind != "" {
		s.errors.add(kind)
	}
}
