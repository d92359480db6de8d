package parley_test

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"testing"

	"parley"
)

// begin serves h at ln until the test ends; end tells the server to, and returns what Serve did.
func begin(t *testing.T, s *parley.Server, ln *parley.Listener) (end func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, ln) }()
	ended := false
	end = func() error {
		cancel()
		ended = true
		return <-done
	}
	t.Cleanup(func() {
		if !ended {
			_ = end()
		}
	})
	return end
}

// TestSendersAreCallers: each sender of datagrams has a conversation of its own, and replies reach the right one.
func TestSendersAreCallers(t *testing.T) {
	noLeaks(t)
	for _, address := range []string{"udp:127.0.0.1:0", "udp:0"} {
		ln := listen(t, new(parley.Config), address)
		s := &parley.Server{Handler: func(ctx context.Context, c *parley.Conn) error {
			for f, err := range c.Frames(ctx) {
				if err == nil {
					err = f.Reply(ctx, append([]byte(c.RemoteAddr().String()+" "), f.Data...))
				}
				if err != nil {
					return err
				}
			}
			return nil
		}}
		end := begin(t, s, ln)
		var callers []*parley.Conn
		for range 3 {
			callers = append(callers, dial(t, new(parley.Config), ln.Address()))
		}
		for _, text := range []string{"one", "", "three"} {
			for _, c := range callers {
				send(t, c, text)
			}
			for _, c := range slices.Backward(callers) {
				hears(t, c, c.LocalAddr().String()+" "+text)
			}
		}
		if err := end(); err != nil {
			t.Errorf("Serve: %v", err)
		}
	}
}

// TestSilentSenderEnds: a sender who says nothing for the time of the address has ended.
func TestSilentSenderEnds(t *testing.T) {
	noLeaks(t)
	ln := listen(t, new(parley.Config), "udp:127.0.0.1:0?idle=1ms")
	ended := make(chan error, 1)
	begin(t, &parley.Server{Handler: func(ctx context.Context, c *parley.Conn) error {
		if _, err := c.Receive(ctx); err != nil {
			ended <- err
			return err
		}
		_, err := c.Receive(ctx)
		ended <- err
		return err
	}}, ln)
	send(t, dial(t, new(parley.Config), ln.Address()), "hello")
	if err := <-ended; err != io.EOF {
		t.Errorf("the conversation ended with %v, want io.EOF", err)
	}
}

// TestDropped: what must be thrown away is told.
func TestDropped(t *testing.T) {
	noLeaks(t)
	dropped := make(chan parley.Event, 16)
	cfg := &parley.Config{Observe: func(e parley.Event) {
		if e.Kind == parley.Dropped {
			dropped <- e
		}
	}}
	ln := listen(t, cfg, "udp:127.0.0.1:0?senders=1")
	first := dial(t, new(parley.Config), ln.Address())
	send(t, first, "first")
	nc, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	second := dial(t, new(parley.Config), ln.Address())
	send(t, second, "second")
	if e := <-dropped; e.Err == nil || e.Addr.String() != second.LocalAddr().String() {
		t.Errorf("dropped: %v of %v, want the second sender's", e.Err, e.Addr)
	}
}

// TestServerEndsEcho: a handler that waits to echo is told that the server ends; everything it has heard has been said.
func TestServerEndsEcho(t *testing.T) {
	noLeaks(t)
	ln := listen(t, new(parley.Config), "127.0.0.1:0")
	told := make(chan error, 1)
	end := begin(t, &parley.Server{Handler: func(_ context.Context, c *parley.Conn) error {
		_, err := c.WriteTo(backTo{c})
		told <- err
		return err
	}}, ln)
	c := dial(t, new(parley.Config), ln.Address())
	send(t, c, "hello")
	hears(t, c, "hello")
	if err := end(); err != nil {
		t.Errorf("Serve: %v", err)
	}
	if err := <-told; !errors.Is(err, parley.ErrServerEnding) {
		t.Errorf("WriteTo returned %v, want ErrServerEnding", err)
	}
}

// TestServerEndsAfterALastLook: what had come when the Server began to end is still answered.
func TestServerEndsAfterALastLook(t *testing.T) {
	noLeaks(t)
	for _, address := range []string{"tcp:127.0.0.1:0", "udp:127.0.0.1:0", filepath.Join(t.TempDir(), "socket")} {
		ln := listen(t, new(parley.Config), address)
		callers, goOn := make(chan *parley.Conn, 2), make(chan struct{})
		end := begin(t, &parley.Server{Handler: func(ctx context.Context, c *parley.Conn) error {
			for f, err := range c.Frames(ctx) {
				if err != nil {
					return err
				}
				if string(f.Data) == "hold" {
					callers <- c
					<-goOn
				}
				if err := f.Reply(ctx, f.Data); err != nil {
					return err
				}
			}
			return nil
		}}, ln)
		c := dial(t, new(parley.Config), ln.Address())
		send(t, c, "hold")
		accepted := <-callers
		send(t, c, "came in time")
		if c.KeepsEdges() { // the listener hears one after the other, so the second has come when a third is there
			other := dial(t, new(parley.Config), ln.Address())
			send(t, other, "hold")
			<-callers
		} else {
			until(t, "it has come", func() bool { return accepted.State().Unread > 0 })
		}
		served := make(chan error, 1)
		go func() { served <- end() }()
		until(t, "nobody is accepted", func() bool { _, err := ln.Accept(); return err != nil })
		close(goOn)
		hears(t, c, "hold")
		hears(t, c, "came in time")
		c.Close()
		if err := <-served; err != nil {
			t.Errorf("%s: Serve: %v", address, err)
		}
	}
}

// backTo has nothing to finish.
type backTo struct{ io.Writer }

func (backTo) ServerEnding() bool { return true }

// TestReloadWithoutFiles: where there is nothing to read again, that is no failure.
func TestReloadWithoutFiles(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "udp:127.0.0.1:0", "tls:127.0.0.1:0"} {
		if err := listen(t, new(parley.Config), address).Reload(); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}
