//go:build unix

package sys

import "syscall"

// SocketError takes the error that waits on a socket (SO_ERROR), such as the other end's reset that no read or write has
// met yet. nil means that there is none, or that it cannot be known.
func SocketError(rc syscall.RawConn) error {
	var waiting error
	_ = rc.Control(func(fd uintptr) {
		if n, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_ERROR); err == nil && n != 0 {
			waiting = syscall.Errno(n)
		}
	})
	return waiting
}
