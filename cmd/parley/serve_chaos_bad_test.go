//go:build linux

package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"time"
)

// A misdeed is what a caller does to a server. Errors are what it deserves, and no news.
type misdeed func(c net.Conn, r *rand.Rand)

var misdeeds = []misdeed{
	func(c net.Conn, r *rand.Rand) {}, // a knock, and nobody there
	saysAndLeaves, halfFrame, tearsOff, stalls, floods, byteByByte, blurts, oversized, endsAtOnce, idles,
}

// datagramMisdeeds are bounded: who sends more than the kernel holds makes it lose datagrams of others.
var datagramMisdeeds = []misdeed{
	func(c net.Conn, r *rand.Rand) { _, _ = c.Write(nil) },
	func(c net.Conn, r *rand.Rand) { _, _ = c.Write(gibberish(r, r.IntN(1000))) },
	func(c net.Conn, r *rand.Rand) { _, _ = c.Write(gibberish(r, 10_000)) },
	func(c net.Conn, r *rand.Rand) {
		for range 10 {
			_, _ = fmt.Fprintf(c, "burst %d", r.IntN(1000))
		}
		_ = c.SetReadDeadline(soon(r))
		_, _ = c.Read(make([]byte, 100)) // one answer of ten
	},
}

// misbehave holds one bad conversation after the other, with any post.
func (ch *chaos) misbehave(n int) {
	r := ch.random(fmt.Sprintf("bad-%d", n))
	for n := 0; !ch.over() || n < len(ch.posts); n++ { // each post once at least
		p := ch.posts[r.IntN(len(ch.posts))]
		if n < len(ch.posts) {
			p = ch.posts[n]
		}
		c, err := ch.dial(p)
		if err != nil {
			ch.t.Errorf("%s: %v", p.name, err)
			return
		}
		_ = c.SetDeadline(time.Now().Add(tooLong))
		if p.service == "chat" && r.IntN(2) == 0 {
			_, _ = fmt.Fprintf(c, "/join room%d\n", r.IntN(1000))
		}
		deeds := misdeeds
		if p.scheme == "udp" {
			deeds = datagramMisdeeds
		}
		deeds[r.IntN(len(deeds))](c, r)
		c.Close()
		p.bad.Add(1)
	}
}

// soon is a deadline for those who need not see it through.
func soon(r *rand.Rand) time.Time {
	return time.Now().Add(time.Duration(r.IntN(int(100 * time.Millisecond))))
}

func gibberish(r *rand.Rand, size int) []byte {
	p := make([]byte, size)
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return p
}

// saysAndLeaves is killed before it has heard the answer.
func saysAndLeaves(c net.Conn, r *rand.Rand) {
	_, _ = io.WriteString(c, "one\ntwo\nthree\n")
}

func halfFrame(c net.Conn, r *rand.Rand) {
	_, _ = io.WriteString(c, "one\ntwo\nthr")
	_ = c.SetReadDeadline(soon(r))
	_, _ = c.Read(make([]byte, 1))
}

// tearsOff resets the conversation, in the middle of a frame or after one.
func tearsOff(c net.Conn, r *rand.Rand) {
	_, _ = io.WriteString(c, []string{"", "half", "whole\n", "whole\nhalf"}[r.IntN(4)])
	inner := c
	if over, ok := c.(*tls.Conn); ok {
		inner = over.NetConn()
	}
	if tcp, ok := inner.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	inner.Close()
}

// stalls says more than anybody holds, and reads nothing.
func stalls(c net.Conn, r *rand.Rand) {
	_ = c.SetWriteDeadline(soon(r))
	line := append(bytes.Repeat([]byte("x"), 1000), '\n')
	for range 10_000 {
		if _, err := c.Write(line); err != nil {
			return
		}
	}
}

// floods says as much as it can, and throws the answers away.
func floods(c net.Conn, r *rand.Rand) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(io.Discard, c)
	}()
	stalls(c, r)
	c.Close()
	<-done
}

func byteByByte(c net.Conn, r *rand.Rand) {
	for _, b := range []byte("byte by byte\n")[:r.IntN(14)] {
		if _, err := c.Write([]byte{b}); err != nil {
			return
		}
	}
	_ = c.SetReadDeadline(soon(r))
	_, _ = c.Read(make([]byte, 100))
}

func blurts(c net.Conn, r *rand.Rand) { _, _ = c.Write(gibberish(r, r.IntN(10_000))) }

func oversized(c net.Conn, r *rand.Rand) {
	_ = c.SetWriteDeadline(soon(r))
	_, _ = c.Write(bytes.Repeat([]byte("x"), 10*chaosMaxFrame))
}

// endsAtOnce says its end first, and hears it out.
func endsAtOnce(c net.Conn, r *rand.Rand) {
	_ = c.(interface{ CloseWrite() error }).CloseWrite()
	_ = c.SetReadDeadline(soon(r))
	_, _ = io.Copy(io.Discard, c)
}

func idles(c net.Conn, r *rand.Rand) {
	_ = c.SetReadDeadline(soon(r))
	_, _ = io.Copy(io.Discard, c)
}
