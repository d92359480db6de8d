package parley_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"parley"
	"parley/frame"
)

// Each test here keeps a mistake from coming back that has been made once.

// within fails t unless f returns; unblock makes it return all the same, so that nothing is left behind.
func within(t testing.TB, what string, unblock func() error, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(patience):
		t.Errorf("%s: waits for ever", what)
		_ = unblock()
	}
}

// cutOff returns a caller whose other end has said half a page, and then reset the conversation. The page ends with the
// close, so that only the reset tells that it is not whole. Wrapped is another way for the Conn to read and write.
func cutOff(t *testing.T, wrapped bool) (caller *parley.Conn) {
	t.Helper()
	ln, address := raw(t)
	nc, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	cfg := &parley.Config{HearFrame: frame.UntilClose()}
	if wrapped {
		caller = parley.NewConn(struct{ *net.TCPConn }{nc.(*net.TCPConn)}, cfg)
	} else {
		caller = parley.NewConn(nc, cfg)
	}
	t.Cleanup(func() { caller.Close() })
	write(t, other, "the first half of")
	if err := other.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	other.Close()
	return caller
}

// The kernel tells a reset once. Whoever has heard of it, it must not be a clean end to the next who asks.
func TestResetNeverBecomesAnEnd(t *testing.T) {
	for what, meet := range map[string]func(c *parley.Conn) error{
		"WaitTaken": func(c *parley.Conn) error { return c.WaitTaken(soon(t)) },
		"Send":      func(c *parley.Conn) error { return c.Send(soon(t), []byte("more, please")) },
	} {
		for _, wrapped := range []bool{false, true} {
			what := fmt.Sprintf("%s, wrapped: %t", what, wrapped)
			caller := cutOff(t, wrapped)
			var err error
			until(t, what+": the reset is met", func() bool { err = meet(caller); return err != nil })
			if !errors.Is(err, syscall.ECONNRESET) {
				t.Logf("%s: %v is all that this system says of a reset", what, err)
				continue
			}
			for range 2 {
				_, err := caller.Receive(soon(t))
				wants(t, what+": Receive after it", err, syscall.ECONNRESET)
			}
			_, err = io.ReadAll(caller) // what came before the reset may be read
			wants(t, what+": Read after it", err, syscall.ECONNRESET)
			if caller.State().HeardEnd {
				t.Errorf("%s: the reset is taken for the end", what)
			}
			wants(t, what+": WaitTaken after it", caller.WaitTaken(soon(t)), syscall.ECONNRESET)
		}
	}
}

// An observer may close the conversation it is told of, also from within the read that found the end.
func TestObserverCloses(t *testing.T) {
	for network, address := range streams(t) {
		var closes atomic.Int64
		cfg := &parley.Config{Observe: func(e parley.Event) {
			if e.Kind == parley.HeardEnd {
				e.Conn.Close()
				closes.Add(1)
			}
		}}
		for what, hear := range map[string]func(c *parley.Conn){
			"Receive": func(c *parley.Conn) { _, _ = c.Receive(context.Background()) },
			"Read":    func(c *parley.Conn) { _, _ = c.Read(make([]byte, 1)) },
			"WriteTo": func(c *parley.Conn) { _, _ = c.WriteTo(io.Discard) },
		} {
			caller, accepted := pair(t, cfg, address)
			accepted.CloseWrite()
			closes.Store(0)
			within(t, what+" on "+network, caller.NetConn().Close, func() { hear(caller) })
			if t.Failed() {
				return // the cleanup would wait for ever, too
			}
			if n := closes.Load(); n != 1 {
				t.Errorf("%s on %s: the observer has closed %d times, want once", what, network, n)
			}
		}
	}
}

// A slowCloser closes when it is let.
type slowCloser struct {
	net.Conn
	begun, let chan struct{}
}

func (c slowCloser) Close() error {
	close(c.begun)
	<-c.let
	return c.Conn.Close()
}

// A wrapListener gives each caller it takes, by its number, to wrap.
type wrapListener struct {
	net.Listener
	wrap  func(n int, nc net.Conn) net.Conn
	taken int
}

func (l *wrapListener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.taken++
	return l.wrap(l.taken, nc), nil
}

func (l *wrapListener) SetDeadline(t time.Time) error {
	return l.Listener.(*net.TCPListener).SetDeadline(t)
}

// wrapping listens on TCP by a scheme that wraps those who call.
func wrapping(t *testing.T, cfg parley.Config, wrap func(n int, nc net.Conn) net.Conn) (ln *parley.Listener, address string) {
	cfg.Schemes = []parley.Scheme{{
		Name: "wrapping",
		Listen: func(context.Context, parley.Addr, *parley.Config) (net.Listener, error) {
			nl, err := net.Listen("tcp", "127.0.0.1:0")
			return &wrapListener{Listener: nl, wrap: wrap}, err
		},
	}}
	ln = listen(t, &cfg, "wrapping:here")
	return ln, ln.Addr().String()
}

// serving runs s on ln until t ends.
func serving(t *testing.T, s *parley.Server, ln *parley.Listener) {
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, ln) }()
	t.Cleanup(func() {
		stop()
		select {
		case <-served:
		case <-time.After(patience):
			t.Error("Serve does not end")
		}
	})
}

// A close may take long, as it does with linger or TLS. Meanwhile others are accepted, and closed.
func TestSlowCloseHoldsUpNobody(t *testing.T) {
	begun, let := make(chan struct{}), make(chan struct{})
	ln, address := wrapping(t, parley.Config{}, func(n int, nc net.Conn) net.Conn {
		if n == 1 {
			return slowCloser{nc, begun, let}
		}
		return nc
	})
	serving(t, &parley.Server{Idle: 20 * time.Millisecond, Handler: echo}, ln)
	t.Cleanup(func() { close(let) }) // before the Server is told to end
	dial(t, new(parley.Config), address)
	select {
	case <-begun:
	case <-time.After(patience):
		t.Fatal("an idle conversation is not closed")
	}
	var reply []byte
	until(t, "another caller is served while a close takes its time", func() bool {
		c := dial(t, new(parley.Config), address)
		defer c.Close()
		ctx, cancel := context.WithTimeout(t.Context(), patience/2)
		defer cancel()
		reply, _ = c.Ask(ctx, []byte("hello"))
		return string(reply) == "hello" // or it was idle for too long, on a machine that has much to do
	})
	_, err := dial(t, new(parley.Config), address).Receive(soon(t))
	wants(t, "an idle caller while another's close takes its time", err, io.EOF)
}

// A hearer on a Unix socket that does not read must not hold up its sayer for longer than the context.
func TestPacketSendEndsWithItsContext(t *testing.T) {
	pc := listenPacket(t, new(parley.Config), "unix:"+socketPath(t)+"?type=datagram")
	c := dial(t, new(parley.Config), pc.Address())
	send(t, c, "talk to me")
	f, err := pc.Receive(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	within(t, "Reply to one who does not read", pc.Close, func() {
		for err == nil {
			err = f.Reply(ctx, []byte("."))
		}
	})
	wants(t, "Reply to one who does not read", err, context.DeadlineExceeded)
	for c.State().Heard < 1 {
		hears(t, c, ".")
	}
	if err := f.Reply(soon(t), []byte("again")); err != nil {
		t.Errorf("Reply when there is room again: %v", err)
	}
}

// What the observer is told of the end of a conversation that a Server holds.
func TestClosedSaysWhy(t *testing.T) {
	for _, test := range []struct {
		name    string
		handler parley.Handler
		is      error
		says    string
	}{
		{"panic", func(context.Context, *parley.Conn) error { panic("told to") }, nil, "handler panicked: told to"},
		{"nil", func(context.Context, *parley.Conn) error { return nil }, nil, ""},
		{"its own error", func(context.Context, *parley.Conn) error { return parley.ErrIdle }, nil, ""},
		{"idle", func(ctx context.Context, c *parley.Conn) error { _, err := c.Receive(ctx); return err }, parley.ErrIdle, "too long"},
	} {
		closed := make(chan error, 10)
		ln := listen(t, &parley.Config{Observe: func(e parley.Event) {
			if e.Kind == parley.Closed {
				closed <- e.Err
			}
		}}, "127.0.0.1:0")
		serving(t, &parley.Server{Idle: 50 * time.Millisecond, Handler: test.handler}, ln)
		dial(t, new(parley.Config), ln.Address())
		select {
		case err := <-closed:
			if test.is != nil || test.says == "" {
				wants(t, test.name, err, test.is)
			}
			if test.says != "" {
				says(t, test.name, err, test.says)
			}
		case <-time.After(patience):
			t.Errorf("%s: no Closed", test.name)
		}
	}
}

// TLS can tell an end from a cut: without close_notify the frame is not whole, and its beginning is returned.
func TestTLSCutInMidFrame(t *testing.T) {
	for _, format := range []frame.Format{frame.UntilClose(), frame.Line(), frame.MustParse("u32")} {
		ln := listen(t, &parley.Config{HearFrame: frame.Line()}, "tls:127.0.0.1:0")
		caller := make(chan *parley.Conn)
		go func() {
			c, err := (&parley.Config{Frame: frame.Line(), HearFrame: format}).Dial(soon(t), ln.Address())
			if err != nil {
				t.Error(err)
			}
			caller <- c
		}()
		nc, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		accepted := nc.(*parley.Conn)
		go func() { _, _ = accepted.Write(nil) }() // begins the handshake
		c := <-caller
		if c == nil {
			return
		}
		defer c.Close()
		send(t, c, "?")
		hears(t, accepted, "?") // or else the close would be a reset
		said := "\x00\x00\x00\x09half of"
		write(t, accepted, said)
		accepted.NetConn().(*tls.Conn).NetConn().Close()
		text, err := c.Receive(soon(t))
		wants(t, "a TLS conversation that was cut, "+format.String(), err, io.ErrUnexpectedEOF)
		if string(text) != said {
			t.Errorf("%s: heard %q, want the beginning %q", format, text, said)
		}
		if c.State().HeardEnd {
			t.Errorf("%s: the cut is taken for the end", format)
		}
	}
}

// A datagram that is no frame is the fault of that datagram only.
func TestMalformedDatagramIsNotTheLast(t *testing.T) {
	for _, test := range []struct {
		format, bad, good string
		err               error
	}{
		{"u32", "\x00\x01", "\x00\x00\x00\x02hi", io.ErrUnexpectedEOF},
		{"u32", "\x00\x00\x00\x09hi", "\x00\x00\x00\x02hi", io.ErrUnexpectedEOF},
		{"netstring", "2:h", "2:hi,", io.ErrUnexpectedEOF},
		{"netstring", "x", "2:hi,", frame.ErrMalformed},
	} {
		cfg := &parley.Config{Frame: frame.MustParse(test.format)}
		c, pc := datagrams(t, cfg)
		toPacketConn := func(text string) { write(t, c, text) }
		toConn := func(text string) { sendRaw(t, pc, c, text) }
		fromPacketConn := func() ([]byte, error) { f, err := pc.Receive(soon(t)); return f.Data, err }
		fromConn := func() ([]byte, error) { return c.Receive(soon(t)) }
		for who, ways := range map[string]struct {
			say  func(string)
			hear func() ([]byte, error)
		}{"PacketConn": {toPacketConn, fromPacketConn}, "Conn": {toConn, fromConn}} {
			what := fmt.Sprintf("%s of %s by %s", test.bad, test.format, who)
			ways.say(test.bad)
			ways.say(test.good)
			text, err := ways.hear()
			wants(t, what, err, test.err)
			if len(text) > 0 {
				t.Errorf("%s: heard %q", what, text)
			}
			if text, err := ways.hear(); string(text) != "hi" || err != nil {
				t.Errorf("after %s: heard %q, %v", what, text, err)
			}
		}
	}
}

// The system takes a half-close of a Unix datagram socket, and tells nobody.
func TestNoHalfCloseOfUnixDatagrams(t *testing.T) {
	pc := listenPacket(t, new(parley.Config), "unix:"+socketPath(t)+"?type=datagram")
	c := dial(t, new(parley.Config), pc.Address())
	for range 2 {
		wants(t, "CloseWrite", c.CloseWrite(), errors.ErrUnsupported)
	}
	if c.State().SaidEnd {
		t.Error("the end is said to be said")
	}
	send(t, c, "still talking")
	if f, err := pc.Receive(soon(t)); string(f.Data) != "still talking" {
		t.Errorf("heard %q, %v", f.Data, err)
	}
}

// greeting says hello and waits for the end.
func greeting(ctx context.Context, c *parley.Conn) error {
	if err := c.Send(ctx, []byte("hello")); err != nil {
		return err
	}
	_, err := c.Receive(ctx)
	return err
}

// Callers on a Unix socket are nobody's neighbours: they are all on this machine.
func TestMaxPerHostIsNotForUnix(t *testing.T) {
	for _, name := range []string{"", "?from=" + socketPath(t)} {
		ln := listen(t, new(parley.Config), socketPath(t))
		serving(t, &parley.Server{MaxPerHost: 1, Handler: greeting}, ln)
		hears(t, dial(t, new(parley.Config), ln.Address()+name), "hello")
		for range 3 {
			hears(t, dial(t, new(parley.Config), ln.Address()), "hello")
		}
	}
}

// from is a conversation with a caller from elsewhere.
type from struct {
	net.Conn
	addr net.Addr
}

func (c from) RemoteAddr() net.Addr { return c.addr }

// Whoever has an IPv6 address has a /64 of them, so those count as one caller.
func TestMaxPerHostCountsNetworks(t *testing.T) {
	hosts := []string{"2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "192.0.2.1", "192.0.2.2", "::ffff:192.0.2.1"}
	admitted := []bool{true, false, true, true, true, false}
	ln, address := wrapping(t, parley.Config{}, func(n int, nc net.Conn) net.Conn {
		return from{nc, &net.TCPAddr{IP: net.ParseIP(hosts[n-1]), Port: 1000 + n}}
	})
	serving(t, &parley.Server{MaxPerHost: 1, Handler: greeting}, ln)
	for i, want := range admitted {
		text, err := dial(t, new(parley.Config), address).Receive(soon(t))
		if got := string(text) == "hello" && err == nil; got != want {
			t.Errorf("a caller from %s: admitted %t, want %t (%v)", hosts[i], got, want, err)
		}
	}
}

func TestMaxPerHostOfIPv6Loopback(t *testing.T) {
	ln, err := parley.Listen(soon(t), "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 here: ", err)
	}
	t.Cleanup(func() { ln.Close() })
	serving(t, &parley.Server{MaxPerHost: 1, Handler: greeting}, ln)
	hears(t, dial(t, new(parley.Config), ln.Address()), "hello")
	if text, err := dial(t, new(parley.Config), ln.Address()).Receive(soon(t)); err == nil {
		t.Errorf("the second caller from ::1 heard %q", text)
	}
}

// A watchedConn tells when its read deadline is set to the past, and what it is.
type watchedConn struct {
	net.Conn
	onPast func()
	mu     sync.Mutex
	by     time.Time
}

func (w *watchedConn) SetReadDeadline(t time.Time) error {
	w.mu.Lock()
	w.by = t
	w.mu.Unlock()
	err := w.Conn.SetReadDeadline(t)
	if !t.IsZero() && t.Before(time.Now()) {
		w.onPast()
	}
	return err
}

func (w *watchedConn) readBy() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.by
}

// The context's end and the user's deadline share the one mechanism of net.Conn, and neither is lost by the other.
func TestDeadlineSetWhileAContextEnds(t *testing.T) {
	ln, address := raw(t)
	go func() {
		nc, err := ln.Accept()
		if err == nil {
			_, _ = io.Copy(io.Discard, nc)
			nc.Close()
		}
	}()
	nc, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	w := &watchedConn{Conn: nc}
	c := parley.NewConn(w, nil)
	defer c.Close()
	for i := range 200 {
		at := time.Now().Add(time.Hour + time.Duration(i)*time.Second)
		set := make(chan error, 1)
		w.onPast = sync.OnceFunc(func() { go func() { set <- c.SetReadDeadline(at) }() })
		ctx, cancel := context.WithCancel(context.Background())
		received := make(chan error, 1)
		go func() { _, err := c.Receive(ctx); received <- err }()
		until(t, "Receive waits", func() bool { return !c.State().Hearing.IsZero() })
		cancel()
		select {
		case err := <-received:
			wants(t, "Receive", err, context.Canceled)
		case <-time.After(patience):
			c.Close()
			t.Fatal("a deadline that was set has done away with the end of the context")
		}
		if err := <-set; err != nil {
			t.Fatal(err)
		}
		if got := w.readBy(); !got.Equal(at) {
			t.Fatalf("round %d: the deadline is %v, and %v was set", i, got, at)
		}
	}
}

// What the Server closed the conversation for is what every later call says, not only the one that waited.
func TestErrIdleStays(t *testing.T) {
	for network, address := range streams(t) {
		type answer struct {
			what string
			err  error
		}
		answers := make(chan answer, 10)
		handler := func(ctx context.Context, c *parley.Conn) error {
			defer close(answers)
			for range 2 {
				_, err := c.Read(make([]byte, 1))
				answers <- answer{"Read", err}
			}
			_, err := c.Write([]byte("x"))
			answers <- answer{"Write", err}
			_, err = c.Receive(ctx)
			answers <- answer{"Receive", err}
			answers <- answer{"Send", c.Send(ctx, []byte("x"))}
			return nil
		}
		ln := listen(t, new(parley.Config), address)
		serving(t, &parley.Server{Idle: time.Millisecond, Handler: handler}, ln)
		dial(t, new(parley.Config), ln.Address())
		for a := range answers {
			wants(t, a.what+" on "+network, a.err, parley.ErrIdle)
		}
	}
}
