package parleytest_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"testing"
	"time"

	"parley"
	"parley/parleytest"
)

// silentTLS returns both ends of a TLS conversation whose caller has not begun the handshake.
func silentTLS(t *testing.T) (caller net.Conn, accepted *parley.Conn) {
	parleytest.Leaks(t)
	ln, err := parley.Listen(t.Context(), "tls:127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if caller, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { caller.Close() })
	nc, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return caller, nc.(*parley.Conn)
}

// untilHearing waits until a call of c waits to hear.
func untilHearing(t *testing.T, c *parley.Conn) {
	for c.State().Hearing.IsZero() {
		select {
		case <-time.After(time.Millisecond):
		case <-t.Context().Done():
			t.Fatal("nobody hears")
		}
	}
}

// A caller that never begins the handshake can be closed, or else it would hold up the end of a Server for ever.
func TestTLSCloseDuringHandshake(t *testing.T) {
	caller, accepted := silentTLS(t)
	heard := make(chan error, 1)
	go func() { _, err := accepted.Receive(context.Background()); heard <- err }()
	untilHearing(t, accepted)
	closed := make(chan error, 1)
	go func() { closed <- accepted.Close() }()
	select {
	case <-closed:
	case <-time.After(5 * time.Second):
		caller.Close() // ends the handshake
		t.Fatal("Close waits for a handshake that never comes")
	}
	if err := <-heard; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Receive during Close: got %v, want net.ErrClosed", err)
	}
}

// A context bounds one call: one that ends during the handshake leaves the conversation as it was.
func TestTLSContextEndsDuringHandshake(t *testing.T) {
	caller, accepted := silentTLS(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := accepted.Receive(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Receive from a silent caller: got %v, want context.DeadlineExceeded", err)
	}
	said := make(chan error, 1)
	go func() {
		_, err := tls.Client(caller, &tls.Config{InsecureSkipVerify: true}).Write([]byte("late, but here\n"))
		said <- err
	}()
	later, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if text, err := accepted.Receive(later); string(text) != "late, but here" {
		t.Errorf("the next Receive: heard %q and the error %v", text, err)
		accepted.Close()
	}
	if err := <-said; err != nil {
		t.Errorf("the caller: %v", err)
	}
}
