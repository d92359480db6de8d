package parley_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"parley"
)

// TestMain fails if goroutines are left when the tests have ended. Users have parleytest.CheckLeaks for that; the tests of
// this package may not import it.
func TestMain(m *testing.M) {
	code := m.Run()
	if left := goroutinesLeft(patience); code == 0 && left != "" {
		fmt.Fprintf(os.Stderr, "goroutines are left; each needs an owner that ends it:\n\n%s\n", left)
		code = 1
	}
	os.Exit(code)
}

// patience is how long what must come may take before a test gives it up.
const patience = 10 * time.Second

// noLeaks fails t if goroutines that run code of this module are left when t has ended.
func noLeaks(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		if left := goroutinesLeft(patience); left != "" && !t.Failed() {
			t.Errorf("goroutines are left:\n\n%s", left)
		}
	})
}

// goroutinesLeft returns the stacks of the goroutines that run code of this module beside the test, when they have had
// some time to end.
func goroutinesLeft(wait time.Duration) string {
	for deadline := time.Now().Add(wait); ; <-time.After(time.Millisecond) {
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
		if strings.Contains(stack, "\nparley") && !strings.Contains(stack, "\ntesting.") && !strings.Contains(stack, ".TestMain(") {
			left = append(left, stack)
		}
	}
	return strings.Join(left, "\n\n")
}

// until waits for what some other goroutine, or the kernel, brings about.
func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// soon is a context for calls that ought to return.
func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
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

// streams are the addresses of streams that tests are run over.
func streams(t testing.TB) map[string]string {
	return map[string]string{"tcp": "127.0.0.1:0", "unix": socketPath(t)}
}

func listen(t testing.TB, cfg *parley.Config, address string) *parley.Listener {
	t.Helper()
	ln, err := cfg.Listen(soon(t), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

func dial(t testing.TB, cfg *parley.Config, address string) *parley.Conn {
	t.Helper()
	c, err := cfg.Dial(soon(t), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// pair returns both ends of a conversation over address.
func pair(t testing.TB, cfg *parley.Config, address string) (caller, accepted *parley.Conn) {
	t.Helper()
	ln := listen(t, cfg, address)
	caller = dial(t, cfg, ln.Address())
	nc, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	ln.Close()
	return caller, nc.(*parley.Conn)
}

// tcpPair is pair over TCP.
func tcpPair(t testing.TB, cfg *parley.Config) (caller, accepted *parley.Conn) {
	t.Helper()
	return pair(t, cfg, "127.0.0.1:0")
}

// raw is a listener of package net and an address to dial it: for another end that is no Conn.
func raw(t testing.TB) (ln net.Listener, address string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln, ln.Addr().String()
}

func write(t testing.TB, w io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
}

func send(t testing.TB, c *parley.Conn, text string) {
	t.Helper()
	if err := c.Send(soon(t), []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// hears fails t unless the next frame of c is want.
func hears(t testing.TB, c *parley.Conn, want string) {
	t.Helper()
	got, err := c.Receive(soon(t))
	if err != nil || string(got) != want {
		t.Fatalf("heard %q, %v; want %q", got, err, want)
	}
}

// wants fails t unless err is want, by errors.Is.
func wants(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) || (err == nil) != (want == nil) {
		t.Errorf("%s: %v (%T), want %v", what, err, err, want)
	}
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
