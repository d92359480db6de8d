//go:build unix

package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	library "parley" // the tests call the program parley
)

// relaying starts a relay that listens, and returns where to call it. Flags and addresses are args.
func relaying(t *testing.T, args ...string) (p *program, address string) {
	t.Helper()
	p, ready := serving1(t, append([]string{"relay"}, args...)...)
	return p, callable(t, ready)
}

// callable is an address of parley's as package net wants it.
func callable(t *testing.T, ready string) string {
	t.Helper()
	a, err := library.ParseAddr(ready)
	if err != nil {
		t.Fatal(err)
	}
	if a.Scheme == "udp" || a.Scheme == "unix" {
		return a.Scheme + ":" + a.Target
	}
	return a.Target
}

// talkTLS is talk to a relay where TLS ends.
func talkTLS(t *testing.T, address string, cfg *tls.Config) *talker {
	t.Helper()
	dialer := &net.Dialer{Timeout: tooLong}
	nc, err := tls.DialWithDialer(dialer, "tcp", address, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return talkOver(t, nc)
}

// isReset fails the test unless the conversation is broken off, and not ended, after what was in order.
func (c *talker) isReset(heard string) {
	c.t.Helper()
	text, err := io.ReadAll(c.buf)
	if !errors.Is(err, syscall.ECONNRESET) || string(text) != heard {
		c.t.Errorf("heard %.200q and then %v, want %.200q and a reset", text, err, heard)
	}
}

// isTurnedAway fails the test unless a caller is broken off, which it may learn before its call is through.
func isTurnedAway(t *testing.T, address string) {
	t.Helper()
	nc, err := net.DialTimeout("tcp", address, tooLong)
	if errors.Is(err, syscall.ECONNRESET) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	talkOver(t, nc).isReset("")
}

// reset breaks off.
func (c *talker) reset() {
	c.t.Helper()
	if err := c.Conn.(*net.TCPConn).SetLinger(0); err != nil {
		c.t.Fatal(err)
	}
	c.Close()
}

// sorts reads to the end, then answers with the lines in their order, and ends.
func sorts(c io.ReadWriter) error {
	text, err := io.ReadAll(c)
	if err != nil {
		return fmt.Errorf("the sorting server: %w", err)
	}
	if _, err := io.WriteString(c, sorted(string(text))); err != nil {
		return fmt.Errorf("the sorting server: %w", err)
	}
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// sorted is text with its lines in the order of bytes.
func sorted(text string) string {
	lines := slices.Collect(strings.Lines(text))
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// shuffledLines are more than what kernels hold between two programs, so that nothing arrives by luck.
func shuffledLines(count int) string {
	var b strings.Builder
	for i := range count {
		fmt.Fprintf(&b, "%010d a line that is somewhere else afterwards\n", (i*7919)%count)
	}
	return b.String()
}

// serveOn is serve for any listener.
func serveOn(t *testing.T, nl net.Listener, hold func(c net.Conn)) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := nl.Accept()
			if err != nil {
				return // it was closed
			}
			_ = c.SetDeadline(time.Now().Add(tooLong))
			hold(c)
			c.Close()
		}
	}()
	t.Cleanup(func() {
		nl.Close()
		<-done
	})
}

// sortServer is a server of Go that sorts, and returns where to call it.
func sortServer(t *testing.T) string {
	t.Helper()
	return serve(t, func(c *net.TCPConn) {
		if err := sorts(c); err != nil {
			t.Error(err)
		}
	})
}

// says is a server that says text to everybody, and the end after they have ended.
func saysServer(t *testing.T, text string) string {
	t.Helper()
	return serve(t, func(c *net.TCPConn) {
		_, _ = io.WriteString(c, text)
		_, _ = io.Copy(io.Discard, c)
	})
}
