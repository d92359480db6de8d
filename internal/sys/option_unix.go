//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package sys

import (
	"os"
	"syscall"
)

type handle = int // what package syscall calls a socket here

const ipv6TClass = syscall.IPV6_TCLASS

func setReuseAddr(h handle, value int) error {
	return setInt(h, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, value)
}

// SetBacklog makes n the number of callers that may wait to be accepted on fd, a
// listening socket: listen(2) may be called again. Linux lets one more wait than
// that, and caps n at net.core.somaxconn.
func SetBacklog(fd uintptr, n int) error {
	return os.NewSyscallError("listen", syscall.Listen(int(fd), n))
}
