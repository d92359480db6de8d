package sock

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain fails if goroutines of this package are left when the tests have ended.
func TestMain(m *testing.M) {
	code := m.Run()
	if left := goroutinesLeft(); code == 0 && left != "" {
		fmt.Fprintf(os.Stderr, "goroutines are left; each needs an owner that ends it:\n\n%s\n", left)
		code = 1
	}
	os.Exit(code)
}

// patience is how long what must come may take before a test gives it up.
const patience = 10 * time.Second

// goroutinesLeft returns the stacks of the goroutines of this package beside the test, when they have had some time to end.
func goroutinesLeft() string {
	for deadline := time.Now().Add(patience); ; <-time.After(time.Millisecond) {
		left := ourGoroutines()
		if left == "" || time.Now().After(deadline) {
			return left
		}
	}
}

func ourGoroutines() string {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	var left []string
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(stack, "\nparley/") && !strings.Contains(stack, "\ntesting.") && !strings.Contains(stack, ".TestMain(") {
			left = append(left, stack)
		}
	}
	return strings.Join(left, "\n\n")
}

func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// closes has what open returned closed at the end of the test.
func closes[C interface{ Close() error }](t testing.TB, c C, err error) C {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func listenTCP(t testing.TB, target string, p Params) net.Listener {
	t.Helper()
	ln, err := ListenTCP(soon(t), "tcp", target, p)
	return closes(t, ln, err)
}

func dialTCP(t testing.TB, target string, p Params) *net.TCPConn {
	t.Helper()
	nc, err := DialTCP(soon(t), "tcp", target, p)
	return closes(t, nc, err)
}

func listenUDP(t testing.TB, target string, p Params) net.PacketConn {
	t.Helper()
	pc, err := ListenUDP(soon(t), "udp", target, p)
	return closes(t, pc, err)
}

// accept takes one caller of ln.
func accept(t testing.TB, ln net.Listener) net.Conn {
	t.Helper()
	nc, err := Accept(soon(t), ln)
	return closes(t, nc, err)
}

// portOf returns a port as it is written.
func portOf(a net.Addr) string {
	_, port := HostPort(a)
	return fmt.Sprint(port)
}

// socketPath is a path short enough for a Unix socket on every system, which t.TempDir is not.
func socketPath(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "p")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

// needIPv6 skips t where there is no IPv6.
func needIPv6(t testing.TB) {
	t.Helper()
	ln, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip(err)
	}
	ln.Close()
}

// says fails t unless the text of err contains every one of words.
func says(t testing.TB, what string, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", what)
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %q does not say %q", what, err, word)
		}
	}
}

func isInUse(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }
