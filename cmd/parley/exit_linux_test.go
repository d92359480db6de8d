package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
)

// isDialling reports whether p has a TCP socket.
func isDialling(p *program) bool {
	return len(socketsOf(p)) > 0
}

// socketsOf returns the descriptors of p that are sockets.
func socketsOf(p *program) (fds []string) {
	dir := fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid)
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if to, _ := os.Readlink(dir + "/" + e.Name()); strings.HasPrefix(to, "socket:") {
			fds = append(fds, e.Name())
		}
	}
	return fds
}

// TestFullDisk writes to /dev/full, which has no room for anything.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	full := func(t *testing.T) *os.File {
		f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Skip(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	address := serve(t, func(c *net.TCPConn) { write(t, c, "hello\n"); _ = c.CloseWrite(); silent(c) })
	for _, args := range []string{"call", "call --json", "call --frame line", "ask", "ask --frame line --reply-frame=until_close", "ask --json"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			fields := strings.Fields(args)
			for i := range fields {
				fields[i] = strings.ReplaceAll(fields[i], "_", " ")
			}
			cmd := parley(append(fields, address)...)
			cmd.Stdout = full(t)
			start(t, stdin(cmd, "hello\n")).leaves(1, `standard output: no space left on device\n$`)
		})
	}
	for _, args := range []string{"--tag", "--json", "--once", "--count 1"} {
		t.Run("listen "+args, func(t *testing.T) {
			t.Parallel()
			cmd := parley(append([]string{"listen", "0"}, strings.Fields(args)...)...)
			cmd.Stdout = full(t)
			v, to := listen(t, cmd)
			if c, err := net.Dial("tcp", to); err == nil { // with --json it may have left by now
				_, _ = io.WriteString(c, "hello\n")
				c.Close()
			}
			v.leaves(1, `standard output: no space left on device\n$`)
		})
	}
}

// TestStdoutClosed: nobody reads standard output any more.
func TestStdoutClosed(t *testing.T) {
	t.Parallel()
	closed := func(t *testing.T) *os.File {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		t.Cleanup(func() { w.Close() })
		return w
	}
	address := serve(t, func(c *net.TCPConn) { write(t, c, "hello\n"); _ = c.CloseWrite(); silent(c) })
	for _, args := range []string{"call", "call --json", "call --frame line", "ask"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			cmd := parley(append(strings.Fields(args), address)...)
			cmd.Stdout = closed(t)
			start(t, stdin(cmd, "hello\n")).leaves(1, `standard output: broken pipe\n$`)
		})
	}
	for _, args := range []string{"--tag", "--json", "--once", "--count 1", ""} {
		t.Run("listen "+args, func(t *testing.T) {
			t.Parallel()
			cmd := parley(append([]string{"listen", "0"}, strings.Fields(args)...)...)
			cmd.Stdout = closed(t)
			v, to := listen(t, cmd)
			if c, err := net.Dial("tcp", to); err == nil { // with --json it may have left by now
				_, _ = io.WriteString(c, "hello\n")
				c.Close()
			}
			v.leaves(1, `standard output: broken pipe\n$`)
		})
	}
}
