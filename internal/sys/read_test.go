//go:build unix

package sys

import (
	"errors"
	"slices"
	"syscall"
	"testing"
)

// socketpair returns two joined, non-blocking Unix stream sockets.
func socketpair(tb testing.TB) (a, b uintptr) {
	tb.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		tb.Fatal(err)
	}
	for _, fd := range fds {
		if err := syscall.SetNonblock(fd, true); err != nil {
			tb.Fatal(err)
		}
	}
	tb.Cleanup(func() { syscall.Close(fds[0]); syscall.Close(fds[1]) })
	return uintptr(fds[0]), uintptr(fds[1])
}

func TestReadWrite(t *testing.T) {
	a, b := socketpair(t)
	for _, size := range []int{1, 100, 100 << 10} { // both sides of maxRaw
		want := slices.Repeat([]byte{'x'}, size)
		got := make([]byte, size+1)
		if n, again, err := Read(b, got); n != 0 || !again || err != nil {
			t.Fatalf("read of nothing: %d, %v, %v", n, again, err)
		}
		if n, again, err := Write(a, want); n != size || again || err != nil {
			t.Fatalf("write: %d, %v, %v", n, again, err)
		}
		total := 0
		for total < size {
			n, again, err := Read(b, got[total:])
			if again || err != nil || n == 0 {
				t.Fatalf("read: %d, %v, %v", n, again, err)
			}
			total += n
		}
		if !slices.Equal(got[:total], want) {
			t.Errorf("%d bytes came out different", size)
		}
	}
}

func TestReadEnd(t *testing.T) {
	a, b := socketpair(t)
	syscall.Shutdown(int(a), syscall.SHUT_WR)
	if n, again, err := Read(b, make([]byte, 1)); n != 0 || again || err != nil {
		t.Errorf("read at the end: %d, %v, %v", n, again, err)
	}
	syscall.Shutdown(int(b), syscall.SHUT_RD)
	if _, _, err := Write(a, []byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("write after shutdown: %v", err)
	}
	if _, _, err := Read(^uintptr(0), make([]byte, 1)); !errors.Is(err, syscall.EBADF) {
		t.Errorf("read of no descriptor: %v", err)
	}
}

func TestWriteFull(t *testing.T) {
	a, _ := socketpair(t)
	p := make([]byte, 4<<10)
	for {
		n, again, err := Write(a, p)
		if err != nil {
			t.Fatal(err)
		}
		if again {
			return
		}
		if n == 0 {
			t.Fatal("wrote nothing, and not again")
		}
	}
}

// TestReadHappensAfterWrite can fail only under -race: see read_std_unix.go.
func TestReadHappensAfterWrite(t *testing.T) {
	a, b := socketpair(t)
	var shared int
	done := make(chan struct{})
	go func() {
		shared = 1
		Write(a, []byte("x"))
		close(done)
	}()
	for again := true; again; {
		_, again, _ = Read(b, make([]byte, 1))
	}
	if shared != 1 {
		t.Error("not seen")
	}
	<-done
}

func BenchmarkRead(b *testing.B) {
	for _, how := range []struct {
		name string
		read func(fd uintptr, p []byte) (int, bool, error)
	}{
		{"sys", Read},
		{"syscall", func(fd uintptr, p []byte) (int, bool, error) {
			n, err := syscall.Read(int(fd), p)
			return n, err == syscall.EAGAIN, nil
		}},
	} {
		x, y := socketpair(b)
		p := make([]byte, 64)
		b.Run(how.name+"/nothing", func(b *testing.B) {
			for b.Loop() {
				how.read(y, p)
			}
		})
		b.Run(how.name+"/64B", func(b *testing.B) {
			for b.Loop() {
				syscall.Write(int(x), p)
				how.read(y, p)
			}
		})
	}
}
