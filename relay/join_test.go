package relay_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"parley"
	"parley/internal/sock"
	"parley/internal/sys"
	"parley/relay"
)

// Either end may end first; the other goes on for as long as it likes.
func TestHalfCloseEachWay(t *testing.T) {
	for _, left := range streams() {
		for _, right := range streams() {
			for _, clientFirst := range []bool{true, false} {
				j := join(t, left, right, nil)
				first, second := j.server, j.client
				if clientFirst {
					first, second = j.client, j.server
				}
				write(t, first, "all I have to say")
				closeWrite(t, first)
				hears(t, second, "all I have to say")
				hearsEnd(t, second)
				for range 3 {
					write(t, second, "and yet")
					hears(t, first, "and yet")
				}
				closeWrite(t, second)
				hearsEnd(t, first)
				if _, err := j.wait(t); err != nil {
					t.Errorf("%s to %s: %v", left.name, right.name, err)
				}
			}
		}
	}
}

// A reset of one end is a reset of the other, with what was said before it, and Join says whose it was.
func TestResetIsPassedOn(t *testing.T) {
	for _, left := range streams() {
		for _, right := range streams() {
			if !left.resets || !right.resets {
				continue
			}
			for _, clientBreaks := range []bool{true, false} {
				j := join(t, left, right, &relay.Options{Roles: [2]string{"", "backend"}})
				for _, c := range []*parley.Conn{j.client, j.server} {
					write(t, c, "x") // so that TLS has shaken hands
				}
				hears(t, j.client, "x")
				hears(t, j.server, "x")
				breaks, hearer, end, role := j.server, j.client, j.b, "backend"
				if clientBreaks {
					breaks, hearer, end, role = j.client, j.server, j.a, "client"
				}
				write(t, breaks, "last words")
				until(t, "they have passed", func() bool { _, heard := end.Bytes(); return heard == int64(len("xlast words")) })
				sock.BreakOff(breaks.NetConn())
				hears(t, hearer, "last words")
				hearsReset(t, hearer)
				_, err := j.wait(t)
				names(t, err, "receive", end)
				says(t, err, role)
				if !sys.Reset.Is(err) {
					t.Errorf("%s to %s: %v is no reset", left.name, right.name, err)
				}
			}
		}
	}
}

// A TLS stream that stops without close_notify has not ended.
func TestCutTLSIsPassedOn(t *testing.T) {
	all := streams()
	j := join(t, all[2], all[0], nil)
	write(t, j.client, "x")
	hears(t, j.server, "x")
	j.client.NetConn().(interface{ NetConn() net.Conn }).NetConn().Close()
	hearsReset(t, j.server)
	_, err := j.wait(t)
	names(t, err, "receive", j.a)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v is not io.ErrUnexpectedEOF", err)
	}
}

// What an end that takes no more still says arrives before the other is broken off, also if that says much before it
// listens. The error says how much nobody took.
func TestLastWords(t *testing.T) {
	all := streams()
	j := join(t, all[0], all[1], nil)
	if err := j.server.NetConn().(*net.UnixConn).CloseRead(); err != nil {
		t.Fatal(err)
	}
	const much = 32 << 20 // more than the kernels take
	write(t, j.client, strings.Repeat("x", much))
	answer := strings.Repeat("last words", 1<<20)
	go func() {
		_, _ = io.WriteString(j.server, answer)
		j.server.Close()
	}()
	hears(t, j.client, answer)
	hearsReset(t, j.client)
	stats, err := j.wait(t)
	names(t, err, "send", j.b)
	says(t, err, "nobody took 33554432 bytes")
	if stats.AtoB != (relay.Direction{}) {
		t.Errorf("stats are %+v", stats)
	}
}

// A server that closes after its answer, with bytes unread, resets: the client still gets the answer, and then the reset.
func TestAnswerBeforeReset(t *testing.T) {
	all := streams()
	for _, left := range []place{all[0], all[2]} {
		j := join(t, left, all[0], nil)
		write(t, j.client, "a question that nobody reads")
		until(t, "it has come", func() bool { return j.server.State().Unread > 0 })
		write(t, j.server, "the answer")
		j.server.Close()
		hears(t, j.client, "the answer")
		hearsReset(t, j.client)
		_, err := j.wait(t)
		if !sys.Reset.Is(err) {
			t.Error(err)
		}
	}
}

// An end that closes without having read what was said after its own end breaks the other off, too.
func TestCloseWithBytesUnread(t *testing.T) {
	all := streams()
	j := join(t, all[0], all[0], nil)
	closeWrite(t, j.server)
	hearsEnd(t, j.client)
	write(t, j.client, "nobody reads this")
	until(t, "it has come", func() bool { return j.server.State().Unread > 0 })
	j.server.Close()
	_, _ = j.client.Write([]byte("nor this")) // which finds out
	_, err := j.wait(t)
	names(t, err, "send", j.b)
	if err := j.client.WaitTaken(soon(t)); !sys.Broken.Is(err) { // EPIPE, after an end
		t.Errorf("the client was told %v", err)
	}
}

// Join is not over, and not well, before what was said has been taken; a Unix socket can tell that nobody reads it.
func TestCloseBeforeReadingTheEnd(t *testing.T) {
	all := streams()
	j := join(t, all[0], all[1], nil)
	closeWrite(t, j.server)
	hearsEnd(t, j.client)
	write(t, j.client, "nobody reads this")
	closeWrite(t, j.client)
	until(t, "the end was passed on", func() bool { return j.b.State().SaidEnd })
	j.server.Close()
	_, err := j.wait(t)
	names(t, err, "send", j.b)
}

// An end that is gone when it is told of the other's end has lost nothing.
func TestGoneBeforeTheLastEnd(t *testing.T) {
	for _, right := range streams() {
		j := join(t, streams()[0], right, nil)
		write(t, j.client, "question")
		hears(t, j.server, "question")
		write(t, j.server, "answer")
		j.server.Close()
		hears(t, j.client, "answer")
		hearsEnd(t, j.client)
		closeWrite(t, j.client)
		if _, err := j.wait(t); err != nil {
			t.Errorf("%s: %v", right.name, err)
		}
	}
}

// The end of ctx ends a Join whose ends only write, and neither takes it for an end.
func TestContextEndsBlockedWrites(t *testing.T) {
	why := errors.New("time is up")
	for _, left := range streams() {
		for _, right := range streams() {
			j := join(t, left, right, nil)
			var writers atomic.Int32
			ended := make(chan error, 2)
			for _, c := range []*parley.Conn{j.client, j.server} {
				go func() { ended <- writeForever(c) }()
				writers.Add(1)
			}
			until(t, "all wait", func() bool {
				return !j.a.State().Saying.IsZero() && !j.b.State().Saying.IsZero()
			})
			j.stop(why)
			if _, err := j.wait(t); err != why {
				t.Errorf("%s to %s: %v, want the cause", left.name, right.name, err)
			}
			for range 2 {
				if err := <-ended; errors.Is(err, net.ErrClosed) || err == nil {
					t.Errorf("%s to %s: an end wrote and got %v", left.name, right.name, err)
				}
			}
		}
	}
}

func writeForever(w io.Writer) error {
	piece := make([]byte, 32<<10)
	for {
		if _, err := w.Write(piece); err != nil {
			return err
		}
	}
}

func TestContextEndedBefore(t *testing.T) {
	tcp := streams()[0]
	client, a := tcp.pair(t, nil)
	b, server := tcp.pair(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := relay.Join(ctx, a, b, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	hearsReset(t, client)
	hearsReset(t, server)
}

func TestJoinToItself(t *testing.T) {
	_, a := streams()[0].pair(t, nil)
	if _, err := relay.Join(t.Context(), a, a, nil); !errors.Is(err, relay.ErrSelf) {
		t.Error(err)
	}
	_, b := streams()[0].pair(t, nil)
	if _, err := relay.Join(t.Context(), b, nil, nil); err == nil {
		t.Error("nobody was joined")
	}
	for _, c := range []*parley.Conn{a, b} {
		if err := c.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("it was left open: %v", err)
		}
	}
}

// withoutHalfClose is a stream that cannot say its end and go on hearing, as a terminal.
type withoutHalfClose struct{ net.Conn }

func (withoutHalfClose) CloseWrite() error { return errors.ErrUnsupported }

// Where there is no half-close a person is told so, once, and the conversation goes on until that end ends itself.
func TestNoHalfClose(t *testing.T) {
	var notes []string
	client, a := streams()[0].pair(t, nil)
	b, server := streams()[3].pair(t, nil)
	b = parley.NewConn(withoutHalfClose{b.NetConn()}, nil)
	j := joinConns(t, client, a, b, server, &relay.Options{Note: func(text string) { notes = append(notes, text) }})
	write(t, client, "question")
	closeWrite(t, client)
	hears(t, server, "question")
	until(t, "the end was heard", func() bool { return a.State().HeardEnd })
	write(t, server, "answer")
	hears(t, client, "answer")
	server.Close()
	hearsEnd(t, client)
	stats, err := j.wait(t)
	if err != nil || stats.AtoB.Ended || !stats.BtoA.Ended {
		t.Errorf("%+v, %v; nobody was told that the client had ended", stats, err)
	}
	if len(notes) != 1 || !strings.Contains(notes[0], "server") || !strings.Contains(notes[0], "half-close") {
		t.Errorf("notes are %q", notes)
	}
}

// commandEnd is an end that can fail after it has ended.
type commandEnd struct {
	net.Conn
	wait func(context.Context) error
}

func (c commandEnd) CloseWrite() error              { return c.Conn.(interface{ CloseWrite() error }).CloseWrite() }
func (c commandEnd) Wait(ctx context.Context) error { return c.wait(ctx) }

func joinCommand(t *testing.T, wait func(context.Context) error) *joined {
	client, a := streams()[0].pair(t, nil)
	b, server := streams()[3].pair(t, nil)
	j := joinConns(t, client, a, parley.NewConn(commandEnd{b.NetConn(), wait}, nil), server, nil)
	j.b = b
	closeWrite(t, client)
	closeWrite(t, server)
	hearsEnd(t, client) // before the command has gone
	return j
}

func TestFailedCommand(t *testing.T) {
	status := errors.New("exit status 3")
	leave := make(chan struct{})
	j := joinCommand(t, func(context.Context) error { <-leave; return status })
	close(leave)
	_, err := j.wait(t)
	names(t, err, "receive", j.b)
	if !errors.Is(err, status) {
		t.Error(err)
	}
}

func TestContextEndsWaitForCommand(t *testing.T) {
	waits := make(chan struct{})
	j := joinCommand(t, func(ctx context.Context) error { close(waits); <-ctx.Done(); return ctx.Err() })
	why := errors.New("time is up")
	<-waits
	j.stop(why)
	if _, err := j.wait(t); err != why {
		t.Error(err)
	}
}

// A panic of who is told what happens comes to the goroutine that joined, where a Server catches it.
func TestPanic(t *testing.T) {
	for i, which := range []string{"a", "b"} {
		cfgs := [2]*parley.Config{{}, {}}
		client, a := streams()[0].pair(t, cfgs[0])
		b, server := streams()[0].pair(t, cfgs[1])
		bad := parley.NewConn([]*parley.Conn{a, b}[i].NetConn(), &parley.Config{Observe: func(e parley.Event) {
			if e.Kind == parley.HeardEnd {
				panic("of an observer")
			}
		}})
		if i == 0 {
			a = bad
		} else {
			b = bad
		}
		closeWrite(t, []*parley.Conn{client, server}[i])
		got := func() (p any) {
			defer func() { p = recover() }()
			_, _ = relay.Join(soon(t), a, b, nil)
			return nil
		}()
		if text, _ := got.(string); !strings.Contains(text, "of an observer") {
			t.Errorf("%s: recovered %v", which, got)
		}
	}
}
