package service_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"

	"parley"
	"parley/service"
)

// Over real sockets: every sender gets the echo of what he said, and nobody else's.
func TestEchoOverUDP(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	ln, err := parley.Listen(ctx, "udp:127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- (&parley.Server{Handler: service.Echo}).Serve(ctx, ln) }()
	const senders, turns = 10, 20
	var conns [senders]*parley.Conn
	for i := range conns {
		if conns[i], err = parley.Dial(ctx, ln.Address()); err != nil {
			t.Fatal(err)
		}
		defer conns[i].Close()
	}
	for turn := range turns {
		for i, c := range conns {
			text := fmt.Sprintf("%d from %d", turn, i)
			if turn == turns/2 {
				text = ""
			}
			if reply, err := c.Ask(ctx, []byte(text)); err != nil || string(reply) != text {
				t.Fatalf("%q is echoed as %q, %v", text, reply, err)
			}
		}
	}
	end()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A datagram from the echo port of another machine must not begin an endless exchange.
func TestServicePortOverUDP(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	ln, err := parley.Listen(ctx, "udp:127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	heard := make(chan error, 2)
	h := func(ctx context.Context, c *parley.Conn) error {
		err := service.Echo(ctx, c)
		heard <- err
		return err
	}
	go func() { done <- (&parley.Server{Handler: h}).Serve(ctx, ln) }()
	other, err := net.ListenPacket("udp", "127.0.0.1:7")
	if err != nil {
		end()
		<-done
		t.Skip(err) // it needs a right
	}
	defer other.Close()
	friend, err := parley.Dial(ctx, ln.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer friend.Close()
	if _, err := other.WriteTo([]byte("forged"), ln.Addr()); err != nil {
		t.Fatal(err)
	}
	// When the friend has his reply, the forged one has been heard: one goroutine hears all senders in turn.
	if reply, err := friend.Ask(ctx, []byte("hi")); err != nil || string(reply) != "hi" {
		t.Errorf("a friend hears %q, %v", reply, err)
	}
	end()
	if err := <-done; err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := <-heard; !errors.Is(err, parley.ErrServerEnding) {
			t.Errorf("the handler returns %v", err)
		}
	}
	// On loopback an answer would be there by now, before this.
	marker, err := net.Dial("udp", other.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer marker.Close()
	if _, err := marker.Write([]byte("last")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 100)
	if n, _, err := other.ReadFrom(got); err != nil || string(got[:n]) != "last" {
		t.Errorf("the echo port is answered: %q, %v", got[:n], err)
	}
}
