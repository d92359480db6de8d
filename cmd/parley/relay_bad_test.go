//go:build unix

package main

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestRelayLimits: a target that accepts and says nothing does not hold a caller for ever. The caller sees that this is no
// end, and the log says which limit it was.
func TestRelayLimits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ flag, told string }{
		{"--idle-timeout", `(?i)127\.0\.0\.1:\d+.*(idle|silent|nothing)`},
		{"--max-time", `127\.0\.0\.1:\d+.*200ms`},
	} {
		t.Run(tt.flag, func(t *testing.T) {
			t.Parallel()
			v, address := relaying(t, "127.0.0.1:0", serve(t, stubborn(t)), tt.flag, "200ms")
			c := talk(t, address)
			c.say("is anybody there?\n")
			c.isReset("")
			v.err.await(t, tt.told)
			v.signal(syscall.SIGTERM)
			v.leaves(0, ``)
		})
		t.Run(tt.flag+" of two ends", func(t *testing.T) {
			t.Parallel()
			cmd := parley("relay", "-", serve(t, stubborn(t)), tt.flag, "200ms")
			input(t, cmd)
			start(t, cmd).leaves(5, tt.flag+` 200ms`)
		})
	}
}

// TestRelayStuck: both ends say without end and hear nothing; --max-time ends it for both.
func TestRelayStuck(t *testing.T) {
	t.Parallel()
	broken := make(chan error, 1)
	address := serve(t, func(c *net.TCPConn) {
		_, err := io.Copy(c, zeroes{})
		broken <- err
	})
	v, front := relaying(t, "127.0.0.1:0", address, "--max-time", "500ms")
	c := talk(t, front)
	if _, err := io.Copy(struct{ io.Writer }{c.Conn}, zeroes{}); isTimeout(err) || err == nil {
		t.Errorf("the caller is left with %v", err)
	}
	if err := <-broken; isTimeout(err) || err == nil {
		t.Errorf("the target is left with %v", err)
	}
	v.err.await(t, `500ms`)
	v.signal(syscall.SIGTERM)
	v.leaves(0, ``)
}

// TestRelayTargetCloses: a target that ends at once, before or after the caller has spoken, is passed on as the end it is.
func TestRelayTargetCloses(t *testing.T) {
	t.Parallel()
	v, address := relaying(t, "127.0.0.1:0", serve(t, func(*net.TCPConn) {}))
	c := talk(t, address)
	if got := c.rest(); got != "" {
		t.Errorf("heard %q", got)
	}
	c.Close()
	v.signal(syscall.SIGTERM)
	v.leaves(0, ``)
}

// TestRelayRefused: without a target the caller is broken off, and it is told once which target it was.
func TestRelayRefused(t *testing.T) {
	t.Parallel()
	target := "127.0.0.1:" + freePort(t)
	v, address := relaying(t, "127.0.0.1:0", target)
	for range 3 {
		isTurnedAway(t, address)
	}
	v.err.await(t, `target is down.*`+target)
	if n := strings.Count(v.err.text(), "target is down"); n != 1 {
		t.Errorf("told %d times: %s", n, v.err.text())
	}
	v.signal(syscall.SIGTERM)
	v.leaves(0, ``)
}

// TestRelayRetry: what a caller has said while the target was down is said to it once it is up.
func TestRelayRetry(t *testing.T) {
	t.Parallel()
	name := socketDir(t) + "/late"
	v, address := relaying(t, "127.0.0.1:0", "unix:"+name, "--retry-for", "30s", "--no-sandbox")
	c := talk(t, address)
	text := shuffledLines(1000)
	c.say(text)
	c.end()
	v.err.await(t, `target is down`)
	nl, err := net.Listen("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, nl, func(c net.Conn) { _ = sorts(c.(*net.UnixConn)) })
	if got := c.rest(); got != sorted(text) {
		t.Errorf("heard %d bytes, want %d", len(got), len(text))
	}
	v.err.await(t, `target is up again`)
	v.signal(syscall.SIGTERM)
	v.leaves(0, ``)
}

// TestRelayRetryInVain: at its end the caller is broken off.
func TestRelayRetryInVain(t *testing.T) {
	t.Parallel()
	_, address := relaying(t, "127.0.0.1:0", "127.0.0.1:"+freePort(t), "--retry-for", "300ms")
	c := talk(t, address)
	c.say("hello?\n")
	c.isReset("")
}

// TestRelayResets: a reset of either end is one of the other, and no end. What was said before it has arrived.
func TestRelayResets(t *testing.T) {
	t.Parallel()
	t.Run("of the caller", func(t *testing.T) {
		t.Parallel()
		saw, heard := make(chan error, 1), make(chan struct{})
		v, address := relaying(t, "127.0.0.1:0", serve(t, func(c *net.TCPConn) {
			_, _ = io.ReadFull(c, make([]byte, 6))
			close(heard)
			_, err := c.Read(make([]byte, 1))
			saw <- err
		}))
		c := talk(t, address)
		c.say("hello\n")
		<-heard
		c.reset()
		if err := <-saw; err == io.EOF || !strings.Contains(err.Error(), "reset") {
			t.Errorf("the target sees %v", err)
		}
		v.err.await(t, `reset`)
	})
	t.Run("of the target", func(t *testing.T) {
		t.Parallel()
		heard := make(chan struct{})
		v, address := relaying(t, "127.0.0.1:0", serve(t, func(c *net.TCPConn) {
			_, _ = io.WriteString(c, "hello\n")
			<-heard
			_ = c.SetLinger(0)
		}))
		c := talk(t, address)
		c.hears("hello\n")
		close(heard)
		c.isReset("")
		v.err.await(t, `reset`)
	})
}

// TestRelayLastWords: who takes no more may have said something, and it arrives before the other is broken off.
func TestRelayLastWords(t *testing.T) {
	t.Parallel()
	v, address := relaying(t, "127.0.0.1:0", serve(t, func(c *net.TCPConn) {
		_, _ = io.ReadFull(c, make([]byte, 1000))
		_, _ = io.WriteString(c, "too much for me\n") // and closes, with much unread: a reset
	}))
	c := talk(t, address)
	done := make(chan error, 1)
	go func() {
		_, err := io.CopyN(struct{ io.Writer }{c.Conn}, zeroes{}, 64<<20)
		done <- err
	}()
	if text, err := io.ReadAll(c.buf); isTimeout(err) || string(text) != "too much for me\n" {
		t.Errorf("heard %q and then %v", text, err)
	}
	if err := <-done; err == nil || isTimeout(err) {
		t.Errorf("the caller could say all: %v", err)
	}
	v.err.await(t, `\(service relay, caller 127\.0\.0\.1:\d+\): .*(reset|broken pipe)`)
}

// TestRelayCallerLeaves: a caller that closes while the target is still speaking, and the reverse.
func TestRelayCallerLeaves(t *testing.T) {
	t.Parallel()
	t.Run("caller", func(t *testing.T) {
		t.Parallel()
		ended := make(chan error, 1)
		v, address := relaying(t, "127.0.0.1:0", serve(t, func(c *net.TCPConn) {
			_, err := io.Copy(struct{ io.Writer }{c}, zeroes{})
			ended <- err
		}))
		c := talk(t, address)
		_, _ = io.CopyN(io.Discard, c.buf, 1<<20)
		c.Close()
		if err := <-ended; err == nil || isTimeout(err) {
			t.Errorf("the target is left with %v", err)
		}
		v.err.await(t, `(reset|broken pipe)`)
	})
	t.Run("target", func(t *testing.T) {
		t.Parallel()
		v, address := relaying(t, "127.0.0.1:0", serve(t, func(c *net.TCPConn) { _, _ = io.CopyN(io.Discard, c, 1<<20) }))
		c := talk(t, address)
		if _, err := io.Copy(struct{ io.Writer }{c.Conn}, zeroes{}); err == nil || isTimeout(err) {
			t.Errorf("the caller is left with %v", err)
		}
		v.err.await(t, `(reset|broken pipe)`)
	})
}

// TestRelayOntoItself: by whatever name, it is refused before the first caller comes.
func TestRelayOntoItself(t *testing.T) {
	t.Parallel()
	port, dir := freePort(t), socketDir(t)
	if err := os.Symlink(dir, dir+"/link"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ a, b string }{
		{"127.0.0.1:" + port, "127.0.0.1:" + port},
		{"127.0.0.1:" + port, "localhost:" + port},
		{"127.0.0.1:" + port, "0.0.0.0:" + port},
		{":" + port, "127.0.0.1:" + port},
		{":" + port, "[::1]:" + port},
		{":" + port, "127.0.0.2:" + port},
		{"127.0.0.1:" + port, "127.0.0.1:1,127.0.0.1:" + port},
		{"127.0.0.1:" + port, "tls:127.0.0.1:" + port},
		{"udp:127.0.0.1:" + port, "udp:localhost:" + port},
		{dir + "/s", dir + "/s"},
		{dir + "/s", "unix:" + dir + "/link/s"},
	} {
		t.Run(filepath.Base(tt.a)+" "+filepath.Base(tt.b), func(t *testing.T) {
			start(t, parley("relay", tt.a, tt.b)).leaves(2, `a relay onto itself: the target .* change one of them`)
		})
	}
	t.Run("route", func(t *testing.T) {
		start(t, parley("relay", "127.0.0.1:"+port, "127.0.0.1:1", "--route", "sni:x.example=127.0.0.1:"+port)).leaves(2, `a relay onto itself`)
	})
}

// TestRelayNoHalfClose: a terminal cannot be told of the end, which is said; it ends when its program does.
func TestRelayNoHalfClose(t *testing.T) {
	t.Parallel()
	dir := socketDir(t)
	cmd := parley("relay", "-", "pty:?link="+dir+"/tty")
	in := input(t, cmd)
	p := start(t, cmd)
	if !poll(func() bool { _, err := os.Stat(dir + "/tty"); return err == nil }) {
		t.Fatal("there is no terminal")
	}
	tty, err := os.OpenFile(dir+"/tty", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	write(t, in, "to the terminal")
	got := make([]byte, 15)
	if _, err := io.ReadFull(tty, got); err != nil || string(got) != "to the terminal" {
		t.Errorf("heard %q, %v", got, err)
	}
	in.Close()
	p.err.await(t, `no half-close`)
	write(t, tty, "and back")
	p.out.await(t, `and back`)
	tty.Close()
	p.leaves(0, ``)
}

// TestRelayTapFull: a full disk under the tap is told once, costs no conversation anything, and is not forgotten at the end.
func TestRelayTapFull(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	v, address := relaying(t, "127.0.0.1:0", sortServer(t), "--tap", "/dev/full")
	for range 3 {
		text := shuffledLines(1000)
		if got := exchange(t, address, text); got != sorted(text) {
			t.Errorf("heard %d bytes, want %d", len(got), len(text))
		}
	}
	v.err.await(t, `/dev/full.*no space left on device`)
	v.signal(syscall.SIGTERM)
	v.leaves(1, `no space left on device`)
	if n := strings.Count(v.err.text(), "conversations go on without"); n != 1 {
		t.Errorf("told %d times: %s", n, v.err.text())
	}
}

// TestRelayHungStderr: nobody reads standard error, which is full; conversations do not wait for it.
func TestRelayHungStderr(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"--log=text", "--show=text"} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			cmd := parley("relay", "127.0.0.1:0", saysServer(t, strings.Repeat("x", 200)+"\n"), flag)
			cmd.Stderr = w
			v, addresses := startServing(t, cmd)
			w.Close()
			for range 500 { // of which the log alone is more than a pipe holds
				if got := exchange(t, addresses[0], "hello"); len(got) != 201 {
					t.Fatalf("heard %d bytes", len(got))
				}
			}
			v.signal(syscall.SIGKILL)
			v.wait()
		})
	}
}

// TestRelayFileOntoItself: a file that is read and written at once would be emptied, or grow until the disk is full.
func TestRelayFileOntoItself(t *testing.T) {
	t.Parallel()
	name := file(t, "precious", "precious")
	start(t, parley("relay", "file:"+name+"?to="+name, "exec:cat")).leaves(2, `that is the file that is read; write another`)
	t.Run("by two ends", func(t *testing.T) {
		for _, how := range []string{"write", "append"} {
			start(t, parley("relay", "file:"+name, "file:"+name+"?"+how, "--max-time", "2s")).leaves(2, `precious`)
			if got := contents(t, name); got != "precious" {
				t.Errorf("%s: there are %d bytes", how, len(got))
			}
		}
	})
}

// TestRelayDeafCommand: who says without end and hears nothing is broken off when the other has ended, although what the other
// has said was never taken.
func TestRelayDeafCommand(t *testing.T) {
	t.Parallel()
	need(t, "yes", "head")
	start(t, parley("relay", "exec:yes", "exec:head -c 100000", "--max-time", "20s")).leaves(6, `head.*broken pipe`)
}

// TestRelayFollow: a file that is followed has no end but Ctrl-C, and what was in it has arrived.
func TestRelayFollow(t *testing.T) {
	t.Parallel()
	name, copied := file(t, "log", "one\n"), filepath.Join(t.TempDir(), "copy")
	p := start(t, parley("relay", "file:"+name+"?follow", "file:"+copied+"?write"))
	holds := func(want string) {
		t.Helper()
		if !poll(func() bool { text, err := os.ReadFile(copied); return err == nil && string(text) == want }) {
			t.Fatalf("never %q", want)
		}
	}
	holds("one\n")
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	write(t, f, "two\n")
	f.Close()
	holds("one\ntwo\n")
	if err := os.Rename(name, name+".1"); err != nil {
		t.Fatal(err)
	}
	replace(t, name, "three\n")
	holds("one\ntwo\nthree\n")
	p.interrupt()
	p.leaves(130, `^$`)
}

// TestRelayGreeting: a route that waits for a hello does not wait for ever, and too long a hello is no hello; both get B.
func TestRelayGreeting(t *testing.T) {
	t.Parallel()
	_, address := relaying(t, "127.0.0.1:0", sortServer(t), "--route", "sni:a.example=127.0.0.1:1", "--sniff-within", "200ms")
	slow := talk(t, address)
	slow.say("\x16\x03\x01") // the beginning of a hello, and no more
	slow.end()
	if got := slow.rest(); got != "\x16\x03\x01" {
		t.Errorf("heard %q", got)
	}
	long := "\x16\x03\x01\x3f\xff" + strings.Repeat("\x01", 100_000)
	if got := exchange(t, address, long); got != long {
		t.Errorf("heard %d bytes, want %d", len(got), len(long))
	}
}

// TestRelayResetsTLS: what TLS breaks off is no end on the other side, and the reverse; where TLS ends an end without
// close_notify is none either.
func TestRelayResetsTLS(t *testing.T) {
	t.Parallel()
	cert := certify(t, "localhost", nil)
	trusting := &tls.Config{InsecureSkipVerify: true}
	t.Run("of the caller", func(t *testing.T) {
		t.Parallel()
		address, came, saw := broken(t)
		_, front := relaying(t, "tls:127.0.0.1:0?cert="+cert.file, address)
		c := talkTLS(t, front, trusting)
		c.say("hello\n")
		<-came
		c.Conn.(*tls.Conn).NetConn().Close() // TCP ends, TLS has not
		if err := <-saw; !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the target sees %v", err)
		}
	})
	t.Run("of the target", func(t *testing.T) {
		t.Parallel()
		_, front := relaying(t, "tls:127.0.0.1:0?cert="+cert.file, serve(t, func(c *net.TCPConn) {
			_, _ = io.ReadFull(c, make([]byte, 6))
			_ = c.SetLinger(0)
		}))
		c := talkTLS(t, front, trusting)
		c.say("hello\n")
		if text, err := io.ReadAll(c.buf); err == nil || isTimeout(err) || len(text) > 0 {
			t.Errorf("heard %q and then %v, want no clean end", text, err)
		}
	})
}

// TestRelayUnixLimits: of Unix sockets there is no reset, so only the relay can tell that it was no end.
func TestRelayUnixLimits(t *testing.T) {
	t.Parallel()
	name := socketDir(t) + "/front"
	v, address := relaying(t, name, serve(t, stubborn(t)), "--max-time", "200ms")
	c := talk(t, address)
	c.say("hello\n")
	c.ended()
	v.err.await(t, `200ms`)
	v.signal(syscall.SIGTERM)
	v.leaves(0, ``)
	if _, err := os.Stat(name); err == nil {
		t.Error("the socket is left")
	}
}
