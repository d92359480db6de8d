//go:build unix

package main

import (
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestLimits: who is too much hears the end at once, or what --refuse says; who is there goes on.
func TestLimits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ flags, told string }{
		{"--max-conns 2", `refused \(service echo, caller 127\.0\.0\.1:\d+\): .*2`},
		{"--max-per-host 2", `refused \(service echo, caller 127\.0\.0\.1:\d+\): .*2`},
		{"--rate 2", `refused \(service echo, caller 127\.0\.0\.1:\d+\): .*2`},
	} {
		for _, refusal := range []string{"", "come back later"} {
			t.Run(tt.flags+refusal, func(t *testing.T) {
				t.Parallel()
				args := append([]string{"serve", "echo=tcp:127.0.0.1:0"}, strings.Fields(tt.flags)...)
				if refusal != "" {
					args = append(args, "--refuse", refusal)
				}
				v, address := serving1(t, args...)
				first, second := talk(t, address), talk(t, address)
				first.say("first\n")
				first.hears("first\n")
				second.say("second\n")
				second.hears("second\n")
				third := talk(t, address)
				if refusal != "" {
					third.say("said before it is refused\n")
					third.hears(refusal + "\n")
				}
				third.ended()
				v.err.await(t, tt.told)
				first.say("first again\n")
				first.hears("first again\n")
				first.Close()
				if !strings.Contains(tt.flags, "rate") {
					eventuallyServed(t, address)
				}
				v.signal(syscall.SIGTERM)
				v.leaves(0, ``)
			})
		}
	}
}

// eventuallyServed waits until a place is free again: the server learns of an end when it is told.
func eventuallyServed(t *testing.T, address string) {
	t.Helper()
	served := poll(func() bool {
		c := talk(t, address)
		defer c.Close()
		_, _ = io.WriteString(c, "me now\n")
		got, err := c.buf.ReadString('\n')
		return err == nil && got == "me now\n"
	})
	if !served {
		t.Error("the place of one that has left is never given to another")
	}
}

// TestPatienceWithCallers: who does not come to the point is let go, and why is told; who does is not.
func TestPatienceWithCallers(t *testing.T) {
	t.Parallel()
	const who = `\(service answer, caller 127\.0\.0\.1:\d+\): `
	for _, tt := range []struct{ flags, say, told string }{
		{"--first-frame-within 200ms", "", who + `.*200ms`},
		{"--first-frame-within 200ms", "half a li", who + `.*200ms`},
		{"--idle 200ms", "", who + `.*(idle|silent|nothing)`},
		{"--idle 200ms", "whole\n", who + `.*(idle|silent|nothing)`},
		{"--idle 200ms", "whole\nhalf", who + `.*(idle|silent|nothing)`},
		{"--max-time 200ms", "whole\n", who + `.*200ms`},
	} {
		t.Run(tt.flags+tt.say, func(t *testing.T) {
			t.Parallel()
			v, address := serving1(t, append(append([]string{"answer", "127.0.0.1:0"}, strings.Fields(tt.flags)...), "--say", "yes")...)
			c := talk(t, address)
			c.say(tt.say)
			if strings.Contains(tt.say, "\n") {
				c.hears("yes\n")
			}
			c.ended()
			v.err.await(t, tt.told)
			if strings.HasPrefix(tt.flags, "--first") {
				in := talk(t, address)
				in.say("in time\n")
				in.hears("yes\n")
				late := talk(t, address) // until this one is late, the other has been there as long
				late.ended()
				in.say("and later\n")
				in.hears("yes\n")
			}
			v.signal(syscall.SIGTERM)
			v.leaves(0, ``)
			if strings.Contains(v.err.text(), "firewall") {
				t.Errorf("advice for somebody else: %s", v.err.text())
			}
		})
	}
}

// TestByteByByte: one byte after the other is a message like any other, and not an endless way around --first-frame-within.
func TestByteByByte(t *testing.T) {
	t.Parallel()
	v, address := serving1(t, "answer", "127.0.0.1:0", "--first-frame-within", "300ms", "--", "cat")
	c, slow := talk(t, address), talk(t, address)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for { // until it is let go
			if _, err := io.WriteString(slow, "x"); err != nil {
				return
			}
			<-time.After(5 * time.Millisecond)
		}
	}()
	for _, b := range []byte("byte by byte\n") {
		c.say(string(b))
	}
	c.hears("byte by byte\n")
	v.err.await(t, `300ms`)
	slow.ended()
	<-done
}

// TestTooLongMessages: ten times the maximum, and no end at all.
func TestTooLongMessages(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"answer 0 --say yes", "answer 0 -- cat", "answer 0 --keep -- cat", "serve chat=0"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			fields := strings.Fields(args)
			v, address := serving1(t, append([]string{fields[0], "--max-frame", "1000"}, fields[1:]...)...)
			honest := talk(t, address)
			c := talk(t, address)
			go func() { _, _ = io.WriteString(c, strings.Repeat("x", 10_000)+"\n") }()
			v.err.await(t, `the frame is too long: .*1000.*--max-frame`)
			endless := talk(t, address)
			if n, err := io.CopyN(endless, zeroes{}, 1<<30); err == nil {
				t.Errorf("all %d bytes were taken", n)
			}
			checkMemory(t, v)
			honest.say("/help\n")
			honest.line()
			v.signal(syscall.SIGTERM)
			v.leaves(0, ``)
		})
	}
}

// TestCallersReset: a caller that is torn away is told, and costs nobody anything.
func TestCallersReset(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"answer 0 -- cat", "answer 0 --keep -- cat", "serve echo=tcp:127.0.0.1:0", "serve chat=0", "serve exec=0 -- cat"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			v, address := serving1(t, strings.Fields(args)...)
			for range 5 {
				c := talk(t, address)
				c.say("in the middle of a li")
				if err := c.Conn.(*net.TCPConn).SetLinger(0); err != nil {
					t.Fatal(err)
				}
				c.Close()
			}
			if !strings.Contains(args, "exec") { // whose processes alone see it
				v.err.await(t, `reset`)
			}
			c := talk(t, address)
			c.say("/help\n")
			c.line()
			c.Close() // a process would not be told that the server ends
			v.signal(syscall.SIGTERM)
			v.leaves(0, ``)
		})
	}
}
