//go:build unix

package main

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The exit codes are part of the interface. Each test here provokes one from a real other end.

func TestUsage(t *testing.T) {
	t.Parallel()
	start(t, parley("call", "localhost:70000")).leaves(2, `port 70000 is out of range`)
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"call", "ask"} {
		start(t, parley(verb, "127.0.0.1:"+freePort(t))).leaves(4, `connection refused; nobody listens there: check the address`)
	}
}

func TestNoSuchHost(t *testing.T) {
	t.Parallel()
	start(t, parley("call", "nosuch.invalid:80")).leaves(4, `no such host; check the spelling of the host`)
}

func TestNoPermission(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 {
		t.Skip("root may do everything")
	}
	start(t, parley("listen", "127.0.0.1:1")).leaves(4, `permission denied; ports under 1024 need root`)
}

// TestConnectTimeout calls a listener whose backlog is full, as its program accepts nobody.
func TestConnectTimeout(t *testing.T) {
	t.Parallel()
	address := fullListener(t)
	for _, verb := range []string{"call", "ask"} {
		p := start(t, parley(verb, address, "--connect-timeout", "200ms"))
		p.leaves(5, `no answer from `+address+` \(--connect-timeout 200ms\)`)
	}
}

// fullListener returns the address of a listener that takes no more callers.
func fullListener(t *testing.T) (address string) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	syscall.CloseOnExec(fd)
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	sa, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	a := net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: sa.(*syscall.SockaddrInet4).Port}
	for range 100 { // how many fit differs by system
		nc, err := net.DialTimeout("tcp", a.String(), tooLong/200)
		if err != nil {
			return a.String()
		}
		t.Cleanup(func() { nc.Close() })
	}
	t.Skip("this system's backlogs are never full")
	return ""
}

// silent hears to the end and says nothing.
func silent(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) }

// stubborn hears to the end, says nothing, and does not end itself before the test does.
func stubborn(t *testing.T) func(c *net.TCPConn) {
	return func(c *net.TCPConn) {
		silent(c)
		<-t.Context().Done()
	}
}

func TestIdleTimeout(t *testing.T) {
	t.Parallel()
	address := serve(t, stubborn(t))
	const why = `nothing was said or heard \(--idle-timeout 100ms\): said 0 bytes; heard 0 bytes`
	cmd := parley("call", address, "--idle-timeout", "100ms")
	input(t, cmd)
	start(t, cmd).leaves(5, why)
	start(t, parley("ask", address, "hello", "--idle-timeout", "100ms")).leaves(5, `\(--idle-timeout 100ms\): said 6 bytes`)
	v, to := listen(t, parley("listen", "0", "--count", "1", "--idle-timeout", "100ms"))
	dial(t, "tcp", to)
	v.leaves(5, `caller 1 \(127\.0\.0\.1:\d+\): `+why)
}

func TestMaxTime(t *testing.T) {
	t.Parallel()
	address := serve(t, stubborn(t))
	for _, args := range [][]string{{"call", address}, {"ask", address, "hello"}, {"listen", "0"}, {"listen", "udp:0"}} {
		cmd := parley(append(args, "--max-time", "100ms")...)
		input(t, cmd)
		start(t, cmd).leaves(5, `not done in the time allowed \(--max-time 100ms\)`)
	}
}

// TestReset: nc and socat leave with 0 where a conversation is reset.
func TestReset(t *testing.T) {
	t.Parallel()
	const lost = `connection reset by peer; the other end closed without hearing everything; some of what was said may be lost`
	for _, verb := range []string{"call", "call --json", "call --frame line"} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			heard := make(chan struct{})
			address := serve(t, func(c *net.TCPConn) {
				_, _ = io.WriteString(c, "one line\n")
				select {
				case <-heard:
				case <-t.Context().Done():
				}
				_ = c.SetLinger(0)
			})
			cmd := parley(append(strings.Fields(verb), address)...)
			input(t, cmd)
			p := start(t, cmd)
			p.out.await(t, "one line")
			close(heard)
			p.leaves(6, lost)
		})
	}
	t.Run("ask", func(t *testing.T) {
		t.Parallel()
		address := serve(t, func(c *net.TCPConn) {
			_, _ = io.ReadFull(c, make([]byte, len("hello\n")))
			_, _ = io.WriteString(c, "half a li")
			_ = c.SetLinger(0)
		})
		start(t, parley("ask", address, "hello")).leaves(6, lost)
	})
}

func TestResetOfCaller(t *testing.T) {
	t.Parallel()
	for _, flags := range []string{"", "--tag", "--json"} {
		v, address := listen(t, parley(append([]string{"listen", "0", "--count", "1"}, strings.Fields(flags)...)...))
		c := dial(t, "tcp", address).(*net.TCPConn)
		write(t, c, "one line\n")
		v.out.await(t, "one line")
		_ = c.SetLinger(0)
		c.Close()
		v.leaves(6, `caller 1 \(127\.0\.0\.1:\d+\): .*connection reset by peer`)
	}
}

// TestUnread has a peer that reads 1000 bytes of 4 MB and closes. nc leaves with 0 and no word.
func TestUnread(t *testing.T) {
	t.Parallel()
	address := serve(t, func(c *net.TCPConn) { _, _ = io.ReadFull(c, make([]byte, 1000)) })
	text := strings.Repeat("x", 4<<20)
	file := filepath.Join(t.TempDir(), "4mb")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	const lost = `(connection reset by peer|broken pipe|shutdown: .*not connected); the other end closed without hearing everything; some of what was said may be lost`
	t.Run("pipe", func(t *testing.T) { start(t, stdin(parley("call", address), text)).leaves(6, lost) })
	t.Run("file", func(t *testing.T) {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		cmd := parley("call", address)
		cmd.Stdin = f
		start(t, cmd).leaves(6, lost)
	})
	t.Run("frames", func(t *testing.T) {
		start(t, stdin(parley("call", address, "--frame", "netstring"), text)).leaves(6, lost)
	})
	t.Run("fits the buffers", func(t *testing.T) { start(t, stdin(parley("call", address), text[:10_000])).leaves(6, lost) })
	t.Run("ask", func(t *testing.T) { start(t, stdin(parley("ask", address), text[:10_000])).leaves(6, lost) })
}

// TestListenerUnread: the same of whoever listens and answers from a file.
func TestListenerUnread(t *testing.T) {
	t.Parallel()
	v, address := listen(t, stdin(parley("listen", "0", "--once"), strings.Repeat("x", 4<<20)))
	c := dial(t, "tcp", address)
	if _, err := io.ReadFull(c, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	c.Close()
	v.leaves(6, `some of what was said may be lost`)
}

func TestTruncatedReply(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, reply, stderr string
		args                []string
	}{
		{"line", "half a li", `stopped after 9 bytes without the end of a line: unexpected EOF; what it said is incomplete`, nil},
		{"nothing", "", `the other end has ended without a reply: unexpected EOF`, nil},
		{"netstring", "100:half", `stopped after 8 bytes`, []string{"--reply-frame", "netstring"}},
		{"bytes", "half", `stopped after 4 bytes without 10 bytes`, []string{"--reply-frame", "10 bytes"}},
		{"malformed", "x:half,", `malformed`, []string{"--reply-frame", "netstring"}},
		{"too long", "1234567890\n", `too long|longer than`, []string{"--max-frame", "5"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			address := serve(t, func(c *net.TCPConn) {
				_, _ = io.WriteString(c, tt.reply)
				_ = c.CloseWrite()
				silent(c)
			})
			start(t, parley(append([]string{"ask", address, "hello"}, tt.args...)...)).leaves(7, tt.stderr)
		})
	}
}

func TestTruncatedByCaller(t *testing.T) {
	t.Parallel()
	for _, flags := range []string{"", "--tag", "--json"} {
		v, address := listen(t, parley(append([]string{"listen", "0", "--count", "1"}, strings.Fields(flags)...)...))
		c := dial(t, "tcp", address)
		write(t, c, "whole\nhalf")
		c.Close()
		v.leaves(7, `caller 1 \(127\.0\.0\.1:\d+\): the other end stopped after 4 bytes without the end of a line: unexpected EOF`)
		v.out.await(t, "(?s)whole.*half")
	}
}

func TestInterrupt(t *testing.T) {
	t.Parallel()
	came := make(chan struct{}, 8)
	hold := stubborn(t)
	address := serve(t, func(c *net.TCPConn) { came <- struct{}{}; hold(c) })
	for _, args := range [][]string{{"call"}, {"call", "--json"}, {"call", "--say", "hello"}, {"ask"}, {"ask", "--frame", "until close"}} {
		cmd := parley(append(args, address)...)
		if args[0] == "ask" {
			cmd.Args = append(cmd.Args, "hello")
		}
		input(t, cmd)
		p := start(t, cmd)
		<-came
		p.interrupt()
		p.leaves(130, `^$`)
	}
}

func TestInterruptListener(t *testing.T) {
	t.Parallel()
	for _, flags := range []string{"", "--tag", "--json", "--once", "--count 3"} {
		t.Run(flags, func(t *testing.T) {
			t.Parallel()
			for _, address := range []string{"0", "udp:0", filepath.Join(t.TempDir(), "s")} {
				if strings.HasPrefix(address, "udp") && flags == "--once" {
					continue
				}
				v, _ := listen(t, parley(append([]string{"listen", address}, strings.Fields(flags)...)...))
				v.interrupt()
				v.leaves(130, `^parley: listening on [^\n]*\n$`)
				if _, err := os.Stat(address); err == nil {
					t.Errorf("%s is left", address)
				}
			}
		})
	}
}

// TestInterruptWithCaller: a caller that is there does not keep listen from leaving.
func TestInterruptWithCaller(t *testing.T) {
	t.Parallel()
	for _, flags := range []string{"", "--tag", "--json", "--once"} {
		v, address := listen(t, parley(append([]string{"listen", "0"}, strings.Fields(flags)...)...))
		c := dial(t, "tcp", address)
		write(t, c, "whole\n")
		v.out.await(t, "whole")
		write(t, c, "half")
		v.interrupt()
		v.leaves(130, `^parley: listening on [^\n]*\n$`)
	}
}

func TestInterruptWhileDialling(t *testing.T) {
	t.Parallel()
	p := start(t, parley("call", fullListener(t)))
	if !poll(func() bool { return isDialling(p) }) {
		t.Fatal("it never dials")
	}
	p.interrupt()
	p.leaves(130, `^$`)
}
