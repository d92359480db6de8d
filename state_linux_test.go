package parley_test

import (
	"context"
	"io"
	"net"
	"syscall"
	"testing"

	"parley"
	"parley/frame"
)

// Linux can tell what has become of what was said.

func TestStateTaken(t *testing.T) {
	caller, accepted := tcpPair(t, new(parley.Config))
	send(t, caller, "hello")
	until(t, "all was taken", func() bool { return caller.State().Taken == 6 })
	until(t, "it has come", func() bool { return accepted.State().Unread == 6 })
	if got := caller.State().String(); got != "said 6 bytes, all taken by the other kernel; heard 0 bytes" {
		t.Errorf("%q", got)
	}
	if got := accepted.State().Heard; got != 0 {
		t.Errorf("%d bytes were heard, and nobody has read", got)
	}
	hears(t, accepted, "hello")
	if got := accepted.State().Unread; got != 0 {
		t.Errorf("%d bytes are unread, and all was read", got)
	}
	if err := caller.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	until(t, "the end was taken", func() bool { return caller.State().Taken == 6 })
}

func TestStateNotReading(t *testing.T) {
	for network, address := range streams(t) {
		caller, accepted := pair(t, new(parley.Config), address)
		if caller.State().NotReading {
			t.Errorf("%s: nothing was said, and the other end is said not to read it", network)
		}
		written := make(chan error, 1)
		go func() { written <- writeForever(caller) }()
		until(t, network+": the other end is seen not to read", func() bool { return caller.State().NotReading })
		if s := caller.State(); network == "tcp" && (s.Taken <= 0 || s.Taken >= s.Said) {
			t.Errorf("%d of %d bytes are taken", s.Taken, s.Said)
		}
		go io.Copy(io.Discard, accepted)
		until(t, network+": it is seen to read", func() bool { return !caller.State().NotReading })
		caller.Close()
		<-written
	}
}

func TestWaitTaken(t *testing.T) {
	for network, address := range streams(t) {
		caller, accepted := pair(t, &parley.Config{Frame: frame.UntilClose()}, address)
		if err := caller.WaitTaken(soon(t)); err != nil {
			t.Errorf("%s: nothing was said, and waited for: %v", network, err)
		}
		written := make(chan error, 1)
		go func() { written <- caller.Send(soon(t), make([]byte, 8<<20)) }()
		if n, err := io.Copy(io.Discard, accepted); n != 8<<20 || err != nil {
			t.Fatalf("%s: heard %d bytes, %v", network, n, err)
		}
		if err := <-written; err != nil {
			t.Fatal(err)
		}
		accepted.Close()
		if err := caller.WaitTaken(soon(t)); err != nil {
			t.Errorf("%s: all was read before the close: %v", network, err)
		}
	}
}

func TestWaitTakenGivesUp(t *testing.T) {
	for network, address := range streams(t) {
		caller, _ := pair(t, new(parley.Config), address)
		written := make(chan error, 1)
		go func() { written <- writeForever(caller) }()
		until(t, "the other end is seen not to read", func() bool { return caller.State().NotReading })
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		wants(t, network+": WaitTaken of what nobody reads", caller.WaitTaken(ctx), context.Canceled)
		caller.Close()
		<-written
		wants(t, network+": WaitTaken after Close", caller.WaitTaken(soon(t)), net.ErrClosed)
	}
}

// This is the truth behind the program's exit code for a conversation that broke: what was said and not read is lost.
func TestWaitTakenOfTheLost(t *testing.T) {
	for name, lose := range map[string]func(accepted *parley.Conn){
		"close with bytes unread": func(c *parley.Conn) { c.Close() },
		"reset": func(c *parley.Conn) {
			if tc, ok := c.NetConn().(*net.TCPConn); ok {
				tc.SetLinger(0)
			}
			c.Close()
		},
	} {
		for network, address := range streams(t) {
			for _, half := range []bool{false, true} {
				caller, accepted := pair(t, new(parley.Config), address)
				send(t, caller, "who reads this?")
				if half {
					caller.CloseWrite()
				}
				until(t, "it has come", func() bool { return accepted.State().Unread == 16 })
				lose(accepted)
				for range 2 { // the kernel tells it once; that it is lost stays so
					err := caller.WaitTaken(soon(t))
					wants(t, name+" on "+network, err, syscall.ECONNRESET)
					says(t, name+" on "+network, err, "send "+caller.RemoteAddr().String()+": ", "connection reset by peer")
				}
			}
		}
	}
}

// A Unix socket's queue is empty, too, when the other end has thrown away what was in it.
func TestWaitTakenWhileTheOtherEndCloses(t *testing.T) {
	ln := listen(t, new(parley.Config), socketPath(t))
	for range 500 {
		caller := dial(t, new(parley.Config), ln.Address())
		accepted, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		send(t, caller, "who reads this?")
		go accepted.Close()
		err = caller.WaitTaken(soon(t))
		caller.Close()
		if err == nil {
			t.Fatal("nobody has read it, and it is said to be taken")
		}
	}
}

// Nor is it forgotten when another call has heard of the reset first.
func TestWaitTakenAfterTheResetWasHeard(t *testing.T) {
	for network, address := range streams(t) {
		for what, meet := range map[string]func(c *parley.Conn) error{
			"Receive": func(c *parley.Conn) error { _, err := c.Receive(soon(t)); return err },
			"Read":    func(c *parley.Conn) error { _, err := c.Read(make([]byte, 1)); return err },
			"WriteTo": func(c *parley.Conn) error { _, err := c.WriteTo(io.Discard); return err },
			"Send":    func(c *parley.Conn) error { return c.Send(soon(t), []byte("x")) },
		} {
			caller, accepted := pair(t, new(parley.Config), address)
			send(t, caller, "who reads this?")
			until(t, "it has come", func() bool { return accepted.State().Unread == 16 })
			accepted.Close()
			if err := meet(caller); err == nil {
				t.Errorf("%s on %s: no error", what, network)
			}
			if err := caller.WaitTaken(soon(t)); err == nil {
				t.Errorf("%s on %s: after the reset was heard, all is said to be taken", what, network)
			}
		}
	}
}
