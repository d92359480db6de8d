package guard

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley"
	"parley/frame"
	"parley/parleytest"
)

// guarded serves address with a Guard whose one place is taken, until the test has ended.
func guarded(t *testing.T, g *Guard, cfg *parley.Config, address string) *parley.Listener {
	t.Helper()
	parleytest.Leaks(t)
	ln, err := cfg.Listen(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	g.MaxConns, g.conns = 1, 1
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- (&parley.Server{Handler: g.Handler(echo)}).Serve(ctx, ln) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Errorf("Serve returned %v", err)
		}
	})
	return ln
}

func TestRefusalText(t *testing.T) {
	g := &Guard{MaxConns: 1, Refusal: []byte("busy, call again later")}
	onStage(t, g, echo, func(st *stage) {
		st.served(st.call("10.0.0.1"))
		began := time.Now()
		c := st.call("10.0.0.2")
		c.Write([]byte("nobody reads this"))
		if text, err := c.Receive(st.Context()); err != nil || string(text) != "busy, call again later" {
			st.Errorf("heard %q and the error %v, want the refusal", text, err)
		}
		if _, err := c.Receive(st.Context()); err != io.EOF {
			st.Errorf("heard %v after the refusal, want the end", err)
		}
		synctest.Wait()
		if n := g.refusals.Load(); n != 1 || time.Since(began) != 0 {
			st.Errorf("%d refusals wait for their callers after %v, want 1", n, time.Since(began))
		}
		time.Sleep(refusalPatience)
		synctest.Wait()
		if n := g.refusals.Load(); n != 0 || len(st.ended) != 1 || st.ended[0] != nil {
			st.Errorf("after a second %d refusals wait, and handlers ended with %v", n, st.ended)
		}
	})
}

// A caller that never stops talking does not hold up its refusal for ever, and a text that its format cannot carry is not
// said.
func TestRefusalIsBounded(t *testing.T) {
	g := &Guard{MaxConns: 1, Refusal: []byte("busy")}
	onStage(t, g, func(ctx context.Context, c *parley.Conn) error { _, err := c.Receive(ctx); return err }, func(st *stage) {
		st.call("10.0.0.1")
		synctest.Wait()
		began := time.Now()
		c := st.call("10.0.0.2")
		piece := make([]byte, 10_000)
		var err error
		for n := 0; err == nil; n += len(piece) {
			if _, err = c.Write(piece); n > 2*maxUnread {
				st.Fatal("the server listens for ever")
			}
		}
		if took := time.Since(began); took != 0 {
			st.Errorf("took %v", took)
		}
	})
	onStage(t, &Guard{MaxConns: 1, Refusal: []byte("two\nlines")}, echo, func(st *stage) {
		st.served(st.call("10.0.0.1"))
		st.turnedAway(st.call("10.0.0.2"), ErrTooMany, "too many conversations: the limit is 1 at once")
	})
}

func TestRefusalsAtOnce(t *testing.T) {
	g := &Guard{MaxConns: 1, Refusal: []byte("busy")}
	onStage(t, g, echo, func(st *stage) {
		st.served(st.call("10.0.0.1"))
		var callers []*parley.Conn
		for range 3 * maxRefusals {
			callers = append(callers, st.call("10.0.0.2"))
		}
		synctest.Wait()
		if n := len(st.refused); n != 3*maxRefusals {
			st.Errorf("refused %d, want %d", n, 3*maxRefusals)
		}
		if n := len(st.ended); n != 2*maxRefusals {
			st.Errorf("%d refused callers have gone at once, want %d", n, 2*maxRefusals)
		}
		told := 0
		for _, c := range callers {
			if text, err := c.Receive(st.Context()); err == nil && string(text) == "busy" {
				told++
			} else if err != io.EOF {
				st.Fatalf("heard %q and the error %v", text, err)
			}
		}
		if told != maxRefusals {
			st.Errorf("%d were told, want %d", told, maxRefusals)
		}
		time.Sleep(refusalPatience)
		synctest.Wait()
		if g.refusals.Load() != 0 || !slices.Equal(st.ended, make([]error, 3*maxRefusals)) {
			st.Errorf("%d refusals are left; handlers ended with %v", g.refusals.Load(), st.ended)
		}
	})
}

// What the caller has said, and nobody reads, must not turn the end into a reset that overtakes the text.
func TestRefusalArrives(t *testing.T) {
	for _, test := range []struct{ address, format, want string }{
		{"tcp:127.0.0.1:0", "line", "busy\n"},
		{"tcp:127.0.0.1:0", "u16", "\x00\x04busy"},
		{"tcp:127.0.0.1:0", "until close", "busy"},
		{"tls:127.0.0.1:0", "line", "busy\n"},
		{"unix:SOCKET", "line", "busy\n"},
	} {
		t.Run(test.address+" "+test.format, func(t *testing.T) {
			dir, err := os.MkdirTemp("", "s") // t.TempDir may be too long for a socket
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			address := strings.Replace(test.address, "SOCKET", dir+"/s", 1)
			cfg := &parley.Config{Frame: frame.MustParse(test.format)}
			var why atomic.Pointer[error]
			g := &Guard{Refusal: []byte("busy"), Refused: func(_ *parley.Conn, err error) { why.Store(&err) }}
			ln := guarded(t, g, cfg, address)
			for range 10 {
				c, err := cfg.Dial(t.Context(), ln.Address())
				if err != nil {
					t.Fatal(err)
				}
				if _, err := c.Write(make([]byte, 100_000)); err != nil {
					t.Errorf("cannot speak: %v", err)
				}
				if text, err := io.ReadAll(c); err != nil || string(text) != test.want {
					t.Errorf("heard %q and the error %v, want %q and the end", text, err, test.want)
				}
				c.Close()
			}
			if err := why.Load(); err == nil || !errors.Is(*err, ErrTooMany) {
				t.Errorf("Refused was told %v", err)
			}
		})
	}
}

// Without a text there is no handshake for a refused caller.
func TestPlainRefusalBeforeTLS(t *testing.T) {
	ln := guarded(t, new(Guard), new(parley.Config), "tls:127.0.0.1:0")
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if text, err := io.ReadAll(c); len(text) > 0 || err != nil {
		t.Errorf("heard %q and the error %v, want the end", text, err)
	}
}

// A caller of TLS that never begins the handshake cannot be told, and does not keep the server waiting for long.
func TestRefusalWithoutHandshake(t *testing.T) {
	ln := guarded(t, &Guard{Refusal: []byte("busy")}, new(parley.Config), "tls:127.0.0.1:0")
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if text, err := io.ReadAll(c); len(text) > 0 || err != nil {
		t.Errorf("heard %q and the error %v, want the end", text, err)
	}
}

// A sender is one of datagrams, which come from said until that is closed.
type sender struct {
	said   chan []byte
	closed chan struct{}
	once   sync.Once
	wrote  atomic.Bool
}

func newSender() *sender {
	return &sender{said: make(chan []byte), closed: make(chan struct{})}
}

func (s *sender) Read(p []byte) (int, error) {
	select {
	case data, ok := <-s.said:
		if !ok {
			return 0, io.EOF
		}
		return copy(p, data), nil
	case <-s.closed:
		return 0, net.ErrClosed
	}
}

func (s *sender) Write(p []byte) (int, error)      { s.wrote.Store(true); return len(p), nil }
func (s *sender) Close() error                     { s.once.Do(func() { close(s.closed) }); return nil }
func (s *sender) LocalAddr() net.Addr              { return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 7} }
func (s *sender) RemoteAddr() net.Addr             { return &net.UDPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 40000} }
func (s *sender) SetDeadline(time.Time) error      { return nil }
func (s *sender) SetReadDeadline(time.Time) error  { return nil }
func (s *sender) SetWriteDeadline(time.Time) error { return nil }

// A refused sender of datagrams hears nothing, counts for nothing, and is let go at once, though it has more to say.
func TestRefusedSender(t *testing.T) {
	for _, told := range []bool{true, false} {
		g := &Guard{MaxConns: 1, Refusal: []byte("busy")}
		refusals := 0
		if told {
			g.Refused = func(*parley.Conn, error) { refusals++ }
		}
		g.SetRules(read(t, "deny 10.0.0.1"))
		s := newSender()
		err := g.Handler(echo)(t.Context(), parley.NewConn(s, nil))
		if told && (err != nil || refusals != 1) || !told && !errors.Is(err, ErrDenied) {
			t.Errorf("Refused was told %d times, and the handler ended with %v", refusals, err)
		}
		select {
		case <-s.closed:
		default:
			t.Error("the conversation is open")
		}
		if g.conns != 0 || s.wrote.Load() {
			t.Errorf("%d places are taken; answered: %v", g.conns, s.wrote.Load())
		}
	}
}

// Datagrams are whole frames: their senders are not too slow, even if they have said nothing but an empty one.
func TestFirstFrameOfSender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &Guard{FirstFrameWithin: time.Second}
		s := newSender()
		done := make(chan error, 1)
		h := g.Handler(func(ctx context.Context, c *parley.Conn) error {
			_, err := c.Receive(ctx)
			if err == nil {
				_, err = c.Receive(ctx)
			}
			return err
		})
		go func() { done <- h(t.Context(), parley.NewConn(s, nil)) }()
		s.said <- nil
		time.Sleep(time.Hour)
		s.said <- nil
		if err := <-done; err != nil {
			t.Errorf("a sender was cut off: %v", err)
		}
	})
}

// Senders who are refused, with each of their datagrams, take no place from those who are let in.
func TestRefusedSendersTakeNoPlace(t *testing.T) {
	var refusals atomic.Int32
	let := make(chan struct{}, 1)
	ln, g := denyingUDP(t, &refusals, let)
	for range 5 {
		c := dialSender(t, ln)
		for range 3 {
			if err := c.Send(t.Context(), []byte("hello")); err != nil {
				t.Fatal(err)
			}
			select {
			case <-let:
			case <-time.After(10 * time.Second):
				t.Fatal("a refused sender has not been let go")
			}
		}
	}
	if n := refusals.Load(); n != 15 {
		t.Errorf("refused %d times, want each of 15 datagrams", n)
	}
	g.SetRules(nil)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if reply, err := dialSender(t, ln).Ask(ctx, []byte("hello")); err != nil || string(reply) != "hello" {
		t.Errorf("heard %q and the error %v, want an echo", reply, err)
	}
}

// denyingUDP serves two senders of datagrams at once, and lets nobody in until the rules change. It tells let when a
// conversation has been closed.
func denyingUDP(t *testing.T, refusals *atomic.Int32, let chan<- struct{}) (*parley.Listener, *Guard) {
	t.Helper()
	parleytest.Leaks(t)
	cfg := &parley.Config{Observe: func(e parley.Event) {
		if e.Kind == parley.Closed {
			select {
			case let <- struct{}{}:
			default: // at the end of the test
			}
		}
	}}
	ln, err := cfg.Listen(t.Context(), "udp:127.0.0.1:0?senders=2")
	if err != nil {
		t.Fatal(err)
	}
	g := &Guard{Refused: func(*parley.Conn, error) { refusals.Add(1) }}
	g.SetRules(read(t, "deny all"))
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- (&parley.Server{Handler: g.Handler(echo)}).Serve(ctx, ln) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Errorf("Serve returned %v", err)
		}
	})
	return ln, g
}

func dialSender(t *testing.T, ln *parley.Listener) *parley.Conn {
	t.Helper()
	c, err := new(parley.Config).Dial(t.Context(), ln.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
