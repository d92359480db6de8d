//go:build unix

package main

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
)

// broken is a target that says what became of its caller.
func broken(t *testing.T) (address string, came <-chan struct{}, saw <-chan error) {
	t.Helper()
	there, ends := make(chan struct{}, 1), make(chan error, 1)
	address = serve(t, func(c *net.TCPConn) {
		_, _ = io.ReadFull(c, make([]byte, 6))
		there <- struct{}{}
		_, err := c.Read(make([]byte, 1))
		ends <- err
	})
	return address, there, ends
}

// TestRelayInterrupted: Ctrl-C in the middle, and another for those who may finish; neither end takes it for the end.
func TestRelayInterrupted(t *testing.T) {
	t.Parallel()
	address, came, saw := broken(t)
	v, front := relaying(t, "127.0.0.1:0", address, "--grace", "30s")
	c := talk(t, front)
	c.say("hello\n")
	<-came
	v.interrupt()
	v.err.await(t, `1 conversation may finish, up to 30s; another Ctrl-C`)
	v.interrupt()
	v.leaves(130, ``)
	c.isReset("")
	if err := <-saw; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the target sees %v", err)
	}
}

// TestRelayGraceOver: after the grace both ends are broken off.
func TestRelayGraceOver(t *testing.T) {
	t.Parallel()
	address, came, saw := broken(t)
	v, front := relaying(t, "127.0.0.1:0", address, "--grace", "200ms")
	c := talk(t, front)
	c.say("hello\n")
	<-came
	v.signal(syscall.SIGTERM)
	c.isReset("")
	if err := <-saw; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the target sees %v", err)
	}
	v.leaves(1, `cut off after the grace of 200ms`)
}

// TestRelayGraceful: who is there may finish within the grace, nobody else comes, and the code is 0.
func TestRelayGraceful(t *testing.T) {
	t.Parallel()
	v, front := relaying(t, "127.0.0.1:0", sortServer(t), "--grace", "30s")
	c := talk(t, front)
	c.say("b\n")
	if !poll(func() bool { v.signal(syscall.SIGUSR1); return len(v.err.lines()) > 3 }) {
		t.Fatal("SIGUSR1 tells nothing")
	}
	v.signal(syscall.SIGTERM)
	v.err.await(t, `1 conversation may finish`)
	c.say("a\n")
	c.end()
	if got := c.rest(); got != "a\nb\n" {
		t.Errorf("heard %q", got)
	}
	v.leaves(0, ``)
	if nc, err := net.Dial("tcp", front); err == nil {
		nc.Close()
		t.Error("it still listens")
	}
}

// TestRelayJoinInterrupted: two ends that are joined once are broken off too.
func TestRelayJoinInterrupted(t *testing.T) {
	t.Parallel()
	for _, how := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(how.String(), func(t *testing.T) {
			t.Parallel()
			address, came, saw := broken(t)
			cmd := parley("relay", "-", address)
			in := input(t, cmd)
			p := start(t, cmd)
			write(t, in, "hello\n")
			<-came
			p.signal(how)
			p.leaves(130, ``)
			if err := <-saw; !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("the target sees %v", err)
			}
		})
	}
}

// TestRelayOnce: one caller is served, the next is not, and the exit code is that of the one.
func TestRelayOnce(t *testing.T) {
	t.Parallel()
	v, front := relaying(t, "127.0.0.1:0", sortServer(t), "--once")
	if got := exchange(t, front, "b\na\n"); got != "a\nb\n" {
		t.Errorf("heard %q", got)
	}
	v.leaves(0, ``)
	v, front = relaying(t, "127.0.0.1:0", "127.0.0.1:"+freePort(t), "--once")
	isTurnedAway(t, front)
	v.leaves(4, `connection refused`)
}

// TestRelayCall: with --call two servers are joined, once.
func TestRelayCall(t *testing.T) {
	t.Parallel()
	heard := make(chan string, 1)
	one := serve(t, func(c *net.TCPConn) {
		_, _ = io.WriteString(c, "b\na\n")
		_ = c.CloseWrite()
		text, _ := io.ReadAll(c)
		heard <- string(text)
	})
	start(t, parley("relay", "--call", one, sortServer(t))).leaves(0, `^$`)
	if got := <-heard; got != "a\nb\n" {
		t.Errorf("heard %q", got)
	}
	start(t, parley("relay", "--call", "127.0.0.1:"+freePort(t), one)).leaves(4, `connection refused`)
}
