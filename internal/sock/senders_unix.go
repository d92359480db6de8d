//go:build unix

package sock

import (
	"os"
	"runtime"
	"syscall"
)

// sendUnix says p to the datagram socket called name, without waiting. full means that it has no room: BSD calls that
// ENOBUFS.
func sendUnix(raw syscall.RawConn, p []byte, name string) (full bool, err error) {
	to := &syscall.SockaddrUnix{Name: name}
	writeErr := raw.Write(func(fd uintptr) bool {
		for err = syscall.EINTR; err == syscall.EINTR; {
			err = syscall.Sendto(int(fd), p, 0, to)
		}
		return true
	})
	switch {
	case writeErr != nil:
		return false, writeErr
	case err == syscall.EAGAIN || err == syscall.ENOBUFS:
		return true, nil
	}
	return false, os.NewSyscallError("sendto", err)
}

func sendBufferOf(fd uintptr) int {
	n, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF)
	if err != nil {
		return 0
	}
	if runtime.GOOS == "linux" {
		n -= 32 // unix_dgram_sendmsg, net/unix/af_unix.c
	}
	return n
}
