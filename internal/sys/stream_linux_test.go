package sys

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// What a test may talk over.
var streams = []string{"tcp4", "tcp6", "unix"}

// A stream is what *net.TCPConn and *net.UnixConn have in common.
type stream interface {
	net.Conn
	syscall.Conn
	CloseWrite() error
}

// listen listens on network, on this machine only.
func listen(t *testing.T, network string) net.Listener {
	t.Helper()
	address := map[string]string{"tcp4": "127.0.0.1:0", "tcp6": "[::1]:0"}[network]
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "s")
	}
	ln, err := net.Listen(network, address)
	if err != nil {
		t.Skip(err) // no IPv6 here
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

// joined returns two ends of one conversation.
func joined(t *testing.T, network string) (a, b stream) {
	t.Helper()
	ln := listen(t, network)
	dialled, err := net.Dial(network, ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dialled.Close(); accepted.Close() })
	return dialled.(stream), accepted.(stream)
}

// raw returns c's descriptor holder.
func raw(t *testing.T, c syscall.Conn) syscall.RawConn {
	t.Helper()
	rc, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	return rc
}

// control runs f on c's descriptor.
func control(t *testing.T, c syscall.Conn, f func(fd uintptr)) {
	t.Helper()
	if err := raw(t, c).Control(f); err != nil {
		t.Fatal(err)
	}
}

// await waits until the kernel has come to what ok asks for; else the test runs
// into its time limit.
func await(ok func() bool) {
	for !ok() {
		runtime.Gosched()
	}
}

// pipe returns the two ends of a pipe: blocking, as standard input usually is, or
// in Go's poller.
func pipe(t *testing.T, blocking bool) (r, w *os.File) {
	t.Helper()
	var fds [2]int
	flags := syscall.O_CLOEXEC
	if !blocking {
		flags |= syscall.O_NONBLOCK
	}
	if err := syscall.Pipe2(fds[:], flags); err != nil {
		t.Fatal(err)
	}
	r, w = os.NewFile(uintptr(fds[0]), "r"), os.NewFile(uintptr(fds[1]), "w")
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}
