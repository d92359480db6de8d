package sock

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// tlsOverPipe returns two ends that have shaken hands, over a net.Pipe, which has room for nothing: what one says waits
// until the other hears it.
func tlsOverPipe(t *testing.T) (ours *TLSConn, other *tls.Conn) {
	t.Helper()
	cert, err := selfSigned()
	if err != nil {
		t.Fatal(err)
	}
	a, b := net.Pipe()
	ours = newTLSConn(a, &tls.Config{Certificates: []tls.Certificate{cert}, SessionTicketsDisabled: true}, tls.Server)
	other = tls.Client(b, &tls.Config{InsecureSkipVerify: true})
	go other.Handshake()
	if err := ours.ensureHandshake("test", &ours.readBy); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close(); ours.Close() })
	return ours, other
}

// An end that a deadline has cut off is not said yet: it is a failure, and can be tried again.
func TestTLSCloseWriteOwed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, other := tlsOverPipe(t)
		start := time.Now()
		ours.SetWriteDeadline(start.Add(time.Second))
		if err := ours.CloseWrite(); !errors.Is(err, os.ErrDeadlineExceeded) || !ours.Owes() {
			t.Fatalf("an end that nobody hears: %v, owes %v", err, ours.Owes())
		}
		if took := time.Since(start); took != time.Second { // of the bubble's clock
			t.Errorf("the deadline was %v, and CloseWrite returned after %v", time.Second, took)
		}
		ours.SetWriteDeadline(time.Time{})
		again := make(chan error, 1)
		go func() { again <- ours.CloseWrite() }()
		synctest.Wait()
		if !ours.Owes() {
			t.Error("nothing is owed while nobody hears the end")
		}
		if _, err := other.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("heard %v, want the end", err)
		}
		if err := <-again; err != nil || ours.Owes() {
			t.Errorf("the second time: %v, owes %v", err, ours.Owes())
		}
	})
}

// Without a deadline CloseWrite waits for as long as the other end does not read.
func TestTLSCloseWriteWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, other := tlsOverPipe(t)
		done := make(chan error, 1)
		go func() { done <- ours.CloseWrite() }()
		<-time.After(time.Hour)
		select {
		case err := <-done:
			t.Fatalf("said the end to nobody: %v", err)
		default:
		}
		if _, err := other.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("heard %v, want the end", err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// Close lets go of a CloseWrite that waits.
func TestTLSCloseEndsCloseWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, _ := tlsOverPipe(t)
		done := make(chan error, 1)
		go func() { done <- ours.CloseWrite() }()
		synctest.Wait()
		ours.Close()
		if err := <-done; err == nil {
			t.Error("said the end to nobody")
		}
	})
}

// A stranger who connects and says nothing is not kept for ever, unless that is asked for.
func TestTLSHandshakePatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		a, b := net.Pipe()
		defer b.Close()
		c := newTLSConn(a, &tls.Config{}, tls.Server)
		defer c.Close()
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if took := time.Since(start); took != HandshakePatience { // of the bubble's clock
			t.Errorf("a silent stranger was kept for %v", took)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		defer b.Close()
		c := newTLSConn(a, &tls.Config{}, tls.Server)
		c.handshakeTimeout = -1
		done := make(chan error, 1)
		go func() { _, err := c.Read(make([]byte, 1)); done <- err }()
		<-time.After(time.Hour)
		select {
		case err := <-done:
			t.Errorf("no limit was asked for: %v", err)
		default:
			c.Close()
			<-done
		}
	})
}
