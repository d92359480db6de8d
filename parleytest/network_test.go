package parleytest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"parley"
	"parley/parleytest"
)

// meet returns both ends of a conversation in memory.
func meet(t *testing.T, n *parleytest.Network) (caller, accepted *parley.Conn) {
	t.Helper()
	cfg := &parley.Config{Schemes: []parley.Scheme{n.Scheme()}, MaxFrame: -1}
	ln, err := cfg.Listen(t.Context(), "mem:")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if caller, err = cfg.Dial(t.Context(), ln.Address()); err != nil {
		t.Fatal(err)
	}
	nc, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { caller.Close(); nc.Close() })
	return caller, nc.(*parley.Conn)
}

// Two programs that both say more than the network holds, and hear only afterwards, wait for each other for ever.
func TestBothWriteDeadlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		caller, accepted := meet(t, &parleytest.Network{Buffer: 1000})
		ctx, cancel := context.WithTimeout(t.Context(), 1000*time.Hour)
		defer cancel()
		said := make(chan error, 2)
		for _, c := range []*parley.Conn{caller, accepted} {
			go func() { said <- c.Send(ctx, make([]byte, 1001, 2000)) }()
		}
		synctest.Wait()
		for _, c := range []*parley.Conn{caller, accepted} {
			if c.State().Saying.IsZero() {
				t.Errorf("a Send of more than the buffer does not wait: %v", c.State())
			}
		}
		for range 2 {
			if err := <-said; !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Send returned %v, want to wait until its context ends", err)
			}
		}
	})
}

func TestBufferHoldsWhatItSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		caller, _ := meet(t, &parleytest.Network{Buffer: 1000})
		caller.SetWriteDeadline(time.Now().Add(time.Hour))
		n, err := caller.Write(make([]byte, 1500))
		var timeout net.Error
		if n != 1000 || !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("wrote %d of 1500 bytes that nobody reads, and got %v; want 1000 and a timeout", n, err)
		}
	})
}

func TestCloseWithBytesUnreadResets(t *testing.T) {
	caller, accepted := meet(t, new(parleytest.Network))
	if _, err := caller.Write([]byte("nobody reads this")); err != nil {
		t.Fatal(err)
	}
	accepted.Close()
	if _, err := caller.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read from one who left bytes unread: got %v, want ECONNRESET", err)
	}
	if _, err := caller.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("write to one who has closed: got %v, want EPIPE", err)
	}
}

func TestNetworksAreApart(t *testing.T) {
	here, there := memory(), memory()
	ln, err := here.Listen(t.Context(), "mem:place")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := there.Dial(t.Context(), "mem:place"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial on another network: got %v, want ECONNREFUSED", err)
	}
	if _, err := here.Listen(t.Context(), "mem:place"); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("listen twice: got %v, want EADDRINUSE", err)
	}
	ln.Close()
	again, err := here.Listen(t.Context(), "mem:place")
	if err != nil {
		t.Fatalf("listen on a name that is free again: %v", err)
	}
	again.Close()
}

func TestFromNamesTheCaller(t *testing.T) {
	cfg := memory()
	ln, err := cfg.Listen(t.Context(), "mem:what?")
	if err == nil {
		ln.Close()
		t.Fatal("a param without a name was taken")
	}
	if ln, err = cfg.Listen(t.Context(), "mem:what%3F"); err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := cfg.Dial(t.Context(), ln.Address()+"?from=Ada")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	nc, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if got := nc.(*parley.Conn).RemoteHost(); got != "Ada" {
		t.Errorf("the caller is %q, want Ada", got)
	}
	if got := c.RemoteAddr().String(); got != "what?" {
		t.Errorf("called %q, want what?", got)
	}
}

// Callers that nobody has accepted when the listener closes hear the end.
func TestListenerCloseEndsTheRow(t *testing.T) {
	cfg := memory()
	ln, err := cfg.Listen(t.Context(), "mem:")
	if err != nil {
		t.Fatal(err)
	}
	c, err := cfg.Dial(t.Context(), ln.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ln.Close()
	if _, err := c.Receive(t.Context()); err != io.EOF {
		t.Errorf("receive from a listener that has closed: got %v, want io.EOF", err)
	}
}
