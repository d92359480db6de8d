//go:build unix

package local

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley"
)

func TestParseFDs(t *testing.T) {
	for target, want := range map[string][2]given{"3": {3, 3}, "0": {0, 0}, "0,1": {0, 1}, "4,3": {4, 3}} {
		in, out, err := parseFDs(target)
		if err != nil || in != want[0] || out != want[1] {
			t.Errorf("%s is %d, %d and %v, want %v", target, in, out, err, want)
		}
	}
	for _, target := range []string{"", "x", "-1", "3,", ",3", "3,4,5", "99999999999", "3 "} {
		if _, _, err := parseFDs(target); err == nil || !strings.Contains(err.Error(), "fd:IN,OUT") {
			t.Errorf("%q: %v, want an error that says how to write it", target, err)
		}
	}
}

func FuzzParseFDs(f *testing.F) {
	for _, target := range []string{"3", "0,1", "", "-1", "3,,4"} {
		f.Add(target)
	}
	f.Fuzz(func(t *testing.T, target string) {
		in, out, err := parseFDs(target)
		if err == nil && (in < 0 || out < 0) {
			t.Errorf("%q is %d and %d", target, in, out)
		}
	})
}

func TestDescriptorMistakes(t *testing.T) {
	r, w := rawPipe(t)
	reads, writes := lend(t, r), lend(t, w)
	own, err := os.Open(os.DevNull)
	must(t, err)
	defer own.Close()
	dir, err := syscall.Open(t.TempDir(), syscall.O_RDONLY, 0)
	must(t, err)
	unconnected, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	must(t, err)
	for target, want := range map[string]string{
		"999":                                    "descriptor 999 is not open: this process was started without it",
		fmt.Sprint(own.Fd()):                     "started without it",
		fmt.Sprint(int(lend(t, dir))):            "is a directory",
		fmt.Sprint(int(lend(t, unconnected))):    "socket without another end",
		fmt.Sprintf("%d,%d", writes, writes+500): "is not open",
		fmt.Sprintf("%d,%d", writes, reads):      "cannot be heard, only written",
		"x":                                      "no number of a descriptor",
	} {
		c, err := parley.Dial(t.Context(), "fd:"+target)
		if err == nil {
			c.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("fd:%s: %v, want %q", target, err, want)
		}
	}
	// None of these mistakes has taken anything.
	dial(t, fmt.Sprintf("fd:%d", reads))
}

func TestDescriptorIsTakenOnce(t *testing.T) {
	r, w := rawPipe(t)
	address := fmt.Sprintf("fd:%d,%d", lend(t, r), lend(t, w))
	c := dial(t, address)
	for range 2 {
		_, err := parley.Dial(t.Context(), fmt.Sprintf("fd:%d", r))
		if err == nil || !strings.Contains(err.Error(), "already: "+address+"; it can be one once") {
			t.Errorf("a second dial: %v", err)
		}
		c.Close()
	}
}

// One direction is known from how a descriptor was opened, and the end is noticed by the other end of a pipe.
func TestDescriptorOfOneDirection(t *testing.T) {
	r, w := rawPipe(t)
	other := ours(t, r)
	c := dial(t, fmt.Sprintf("fd:%d", lend(t, w)))
	must(t, c.Send(t.Context(), []byte("that is all")))
	must(t, c.CloseWrite())
	if got := hearAll(t, other); got != "that is all\n" {
		t.Errorf("a pipe that was written to brought %q", got)
	}
	if got := hearAll(t, c); got != "" {
		t.Errorf("an end that is only written to said %q", got)
	}

	r, w = rawPipe(t)
	other = ours(t, w)
	c = dial(t, fmt.Sprintf("fd:%d", lend(t, r)))
	_, err := other.WriteString("hello\n")
	must(t, err)
	hears(t, c, "hello")
	if err := c.Send(t.Context(), []byte("x")); err == nil || !strings.Contains(err.Error(), "is only read") {
		t.Errorf("saying something to what is only read: %v", err)
	}
	must(t, c.Close())
	if _, err := other.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("after Close, writing to the pipe that was heard is %v, want EPIPE", err)
	}
}

func TestFileDescriptor(t *testing.T) {
	fd, err := syscall.Open(fileOf(t, "one\ntwo\n"), syscall.O_RDONLY, 0)
	must(t, err)
	c := dial(t, fmt.Sprintf("fd:%d", lend(t, fd)))
	if got := hearAll(t, c); got != "one\ntwo\n" {
		t.Errorf("heard %q", got)
	}
	if in, _ := c.NetConn().(*end).Files(); in == nil {
		t.Error("there is no file for the kernel to move bytes from")
	}
}

func TestTCPDescriptor(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer ln.Close()
	nc, err := net.Dial("tcp", ln.Addr().String())
	must(t, err)
	defer nc.Close()
	accepted, err := ln.Accept()
	must(t, err)
	f, err := accepted.(*net.TCPConn).File()
	must(t, err)
	must(t, accepted.Close())
	fd, err := syscall.Dup(int(f.Fd()))
	must(t, err)
	must(t, f.Close())
	c := dial(t, fmt.Sprintf("fd:%d", lend(t, fd)))
	if _, ok := c.NetConn().(*net.TCPConn); !ok {
		t.Errorf("a TCP socket is a %T, want *net.TCPConn", c.NetConn())
	}
	must(t, c.Send(t.Context(), []byte("hello")))
	must(t, c.Close())
	if got := hearAll(t, nc); got != "hello\n" {
		t.Errorf("heard %q; the descriptor that was given must not keep the socket open", got)
	}
}

// What a read that was given up brings later is kept, also where the system cannot wait.
func TestPumpLosesNothing(t *testing.T) {
	r, w := rawPipe(t)
	other := ours(t, w)
	e := newEnd(Addr{"pump", ""}, os.NewFile(uintptr(r), "in"), nil)
	defer e.Close()
	if _, ok := e.in.(*pumpIn); !ok {
		t.Fatalf("a pipe where calls wait is heard by a %T", e.in)
	}
	for i := range 50 {
		must(t, e.SetReadDeadline(time.Now().Add(time.Duration(i%3)*time.Microsecond)))
		if n, err := e.Read(make([]byte, 10)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("read %d bytes and %v, want a deadline", n, err)
		}
		must(t, e.SetReadDeadline(time.Time{}))
		want := fmt.Sprintf("line %d\n", i)
		_, err := other.WriteString(want)
		must(t, err)
		got := make([]byte, len(want))
		if _, err := io.ReadFull(e, got); err != nil || string(got) != want {
			t.Fatalf("heard %q and %v, want %q", got, err, want)
		}
	}
	must(t, other.Close())
	if n, err := e.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("at the end read %d bytes and %v", n, err)
	}
}

// An end whose write was refused tells it, also when it learns of it later only.
func TestPumpTellsFailures(t *testing.T) {
	r, w := rawPipe(t)
	must(t, syscall.Close(r))
	e := newEnd(Addr{"pump", ""}, nil, os.NewFile(uintptr(w), "out"))
	defer e.Close()
	if n, err := e.Write([]byte("x")); n != 0 || !errors.Is(err, syscall.EPIPE) {
		t.Errorf("wrote %d bytes and %v, want none and EPIPE", n, err)
	}
	if err := e.CloseWrite(); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("saying the end after a failure is %v, want EPIPE", err)
	}
}
