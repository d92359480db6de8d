package parley

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"parley/internal/idle"
	"parley/internal/sock"
	"parley/internal/sys"
)

// A Handler holds one conversation. It may return when it likes; the Server closes c then. Its error is logged, unless
// it is nil, io.EOF or ErrServerEnding. ctx ends when the conversation must: at the end of Server.Grace, not at its
// beginning.
type Handler func(ctx context.Context, c *Conn) error

// DefaultGrace is what a zero Server.Grace means.
const DefaultGrace = 5 * time.Second

// A Server holds a conversation with each caller, in a goroutine of its own. Its zero value with a Handler is ready to
// use, and serves any number of listeners.
type Server struct {
	Handler    Handler
	MaxConns   int           // conversations at once; more callers wait to be accepted, where a guard.Guard refuses them. 0 or less means no limit
	MaxPerHost int           // conversations at once with one IPv4 address or IPv6 /64; more are closed at once. 0 or less means no limit
	Idle       time.Duration // a conversation in which nothing is said or heard for so long is closed. 0 or less means never
	Grace      time.Duration // how long conversations may go on when the server ends. 0 means DefaultGrace, negative no limit
	Log        *slog.Logger  // for refused callers, failed handlers, shortages; nil means no log
}

// Serve takes the callers of ln until ctx ends, and closes ln. Then it ends gracefully: whoever waits in Receive or Frames
// for a new frame gets ErrServerEnding, others may finish, and what is left after Grace is closed. Serve returns when the
// last handler has. The error is nil if ctx ended or ln was closed, and nobody had to be cut off.
func (s *Server) Serve(ctx context.Context, ln *Listener) error {
	work, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(nil)
	r := &run{Server: s, ctx: work, conns: map[*Conn]struct{}{}, perHost: map[string]int{}}
	if s.MaxConns > 0 {
		r.slots = make(chan struct{}, s.MaxConns)
	}
	if s.Idle > 0 {
		sweepCtx, stop := context.WithCancel(ctx)
		defer stop()
		go r.sweepLoop(sweepCtx)
	}
	err := r.acceptAll(ctx, ln)
	ln.Close()
	return cmp.Or(err, r.end(cut))
}

// A run is one call of Serve.
type run struct {
	*Server
	ctx      context.Context
	slots    chan struct{} // nil: no limit
	handlers sync.WaitGroup

	mu      sync.Mutex
	conns   map[*Conn]struct{}
	perHost map[string]int
}

func (r *run) acceptAll(ctx context.Context, ln *Listener) error {
	observe := func(e Event) {
		r.warn("cannot accept callers, will try again", "on", e.Addr.String(), "err", e.Err, "in", e.Retry)
		ln.cfg.observe(e)
	}
	if !r.takeSlot(ctx) {
		return nil
	}
	conns := func(yield func(*Conn, error) bool) { ln.eachConn(ctx, observe, yield) }
	for c, err := range conns {
		if err != nil {
			return err
		}
		if !r.admit(c) {
			continue
		}
		r.handlers.Add(1)
		go r.hold(c)
		if !r.takeSlot(ctx) {
			return nil
		}
	}
	return nil
}

func (r *run) takeSlot(ctx context.Context) bool {
	if r.slots == nil {
		return true
	}
	select {
	case r.slots <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// admit counts c in, or closes it.
func (r *run) admit(c *Conn) bool {
	host := r.hostOf(c)
	r.mu.Lock()
	full := host != "" && r.perHost[host] >= r.MaxPerHost
	if !full {
		if host != "" {
			r.perHost[host]++
		}
		r.conns[c] = struct{}{}
		c.held = r.ctx
		if r.Idle > 0 {
			c.silence = new(idle.Silence)
			c.silence.Begin(now())
		}
	}
	r.mu.Unlock()
	if full {
		c.Close()
		r.warn("refused a caller: too many from its address", "caller", c.peer(), "limit", r.MaxPerHost)
	}
	return !full
}

// hostOf is the host that c counts for, empty for none.
func (r *run) hostOf(c *Conn) string {
	if r.MaxPerHost <= 0 {
		return ""
	}
	return sock.Origin(c.RemoteAddr())
}

func (r *run) leave(c *Conn) {
	host := r.hostOf(c)
	r.mu.Lock()
	delete(r.conns, c)
	if host != "" {
		if r.perHost[host]--; r.perHost[host] == 0 {
			delete(r.perHost, host)
		}
	}
	r.mu.Unlock()
	if r.slots != nil {
		<-r.slots
	}
}

// hold runs the handler. It keeps its stack small; see Conn.await.
func (r *run) hold(c *Conn) {
	defer r.letGo(c)
	if err := r.Handler(r.ctx, c); err != nil {
		r.complain(c, err)
	}
}

// letGo ends a conversation, also when its handler panics: that ends one conversation, not the server.
func (r *run) letGo(c *Conn) {
	if p := recover(); p != nil {
		r.warn("handler panicked", "caller", c.peer(), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		c.closeFor(fmt.Errorf("handler panicked: %v", p))
	}
	c.Close()
	r.leave(c)
	r.handlers.Done()
}

func (r *run) complain(c *Conn, err error) {
	if err != io.EOF && !errors.Is(err, ErrServerEnding) {
		r.warn("conversation failed", "caller", c.peer(), "err", err)
	}
}

func (r *run) warn(msg string, args ...any) {
	if r.Log != nil {
		r.Log.Warn(msg, args...)
	}
}

// end waits for the handlers, and cuts off those that outlast the grace.
func (r *run) end(cut context.CancelCauseFunc) error {
	for _, c := range r.current() {
		c.endBetweenFrames()
	}
	done := make(chan struct{})
	go func() { r.handlers.Wait(); close(done) }()
	grace := cmp.Or(r.Grace, DefaultGrace)
	var over <-chan time.Time
	if grace > 0 {
		t := time.NewTimer(grace)
		defer t.Stop()
		over = t.C
	}
	select {
	case <-done:
		return nil
	case <-over:
	}
	cut(ErrServerEnding)
	left := r.current()
	for _, c := range left {
		go c.closeFor(ErrServerEnding) // see sweep
	}
	<-done
	return &Error{"serve", "callers", fmt.Errorf("%d cut off after the grace of %v: %w", len(left), grace, ErrServerEnding)}
}

func (r *run) current() []*Conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	conns := make([]*Conn, 0, len(r.conns))
	for c := range r.conns {
		conns = append(conns, c)
	}
	return conns
}

// Outlast has Receive, Frames and WriteTo go on when the Server that holds the conversation begins to end, for what is not
// over between two frames, as a relay is not. The Server closes the conversation after its Grace.
func (c *Conn) Outlast() {
	c.outlasts.Store(true)
	c.ending.Store(false) // a nudge that is under way is taken back by whoever feels it
}

// endBetweenFrames makes whoever waits for a new frame return, now or when the present one is whole.
func (c *Conn) endBetweenFrames() {
	if c.outlasts.Load() {
		return
	}
	c.ending.Store(true)
	_ = c.override(reading, true)
}

// sweepLoop closes idle conversations. One goroutine looks at all of them now and then, so that idle limits cost a
// conversation nothing while it talks; it is closed after Idle, or up to an eighth later.
func (r *run) sweepLoop(ctx context.Context) {
	tick := time.NewTicker(max(r.Idle/8, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			r.sweep(now())
		case <-ctx.Done():
			return
		}
	}
}

func (r *run) sweep(now int64) {
	for _, c := range r.current() {
		if c.silence.Over(now, int64(r.Idle), c.said.Load()+c.heard.Load(), c.untaken) {
			go c.closeFor(ErrIdle) // a close may take time: linger, TLS
		}
	}
}

// untaken is a measure of what the other kernel has not yet taken; it shrinks while a slow transfer goes on.
func (c *Conn) untaken() int {
	rc, err := c.socket()
	if err != nil {
		return 0
	}
	q, _ := sys.SocketQueues(rc)
	return max(q.Unacked, q.Charged, 0)
}
