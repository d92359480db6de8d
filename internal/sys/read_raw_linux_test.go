//go:build linux && (amd64 || arm64) && !race

package sys

import (
	"syscall"
	"testing"
	"time"
)

// Who calls File().Fd() makes a socket blocking for everybody who shares it. A read or write that then waited would stop
// the whole process, and so the test: patience is for the lucky case of a second processor.
func TestReadNeverWaitsOnABlockingSocket(t *testing.T) {
	const patience = 5 * time.Second
	for _, size := range []int{1, maxRaw, maxRaw + 1} {
		a, b := socketpair(t)
		for _, fd := range []uintptr{a, b} {
			if err := syscall.SetNonblock(int(fd), false); err != nil {
				t.Fatal(err)
			}
		}
		p := make([]byte, size)
		free := time.AfterFunc(patience, func() { _, _ = syscall.Write(int(b), p) })
		if n, again, err := Read(a, p); n != 0 || !again || err != nil {
			t.Fatalf("a read of nothing has waited: %d, %v, %v", n, again, err)
		}
		free.Stop()
		writesUntilFull(t, a, b, p, patience)
	}
}

// writesUntilFull writes p to a, which b does not read until patience has ended.
func writesUntilFull(t *testing.T, a, b uintptr, p []byte, patience time.Duration) {
	t.Helper()
	waited := make(chan struct{})
	free := time.AfterFunc(patience, func() {
		close(waited)
		_ = syscall.Shutdown(int(b), syscall.SHUT_RDWR) // lets go of a write that waits
	})
	defer free.Stop()
	for {
		_, again, err := Write(a, p)
		select {
		case <-waited:
			t.Fatalf("a write that has no room has waited: %v", err)
		default:
		}
		if err != nil {
			t.Fatal(err)
		}
		if again {
			return
		}
	}
}
