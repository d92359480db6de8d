//go:build unix

package sys

import (
	"os"
	"syscall"
)

// CanRead says whether Read and Write work on this system.
const CanRead = true

// Read reads once from fd, a non-blocking socket, without waiting. Again means
// that nothing has come yet; n == 0 with neither again nor an error means the end
// of the stream, as long as p is not empty. The bytes are the caller's. A socket
// that somebody else makes blocking meanwhile may make Read wait on systems other
// than Linux on amd64 and arm64. Errors name what was done and hold a
// [syscall.Errno].
func Read(fd uintptr, p []byte) (n int, again bool, err error) {
	for {
		n, err = read(fd, p)
		if err == nil {
			return n, false, nil
		}
		if err != syscall.EINTR {
			return result("read", err)
		}
	}
}

// Write writes once to fd, a non-blocking socket, without waiting. N may be
// less than len(p); again means that there was no room for even one byte. It
// does not keep p. The rest is as for [Read].
func Write(fd uintptr, p []byte) (n int, again bool, err error) {
	for {
		n, err = write(fd, p)
		if err == nil {
			return n, false, nil
		}
		if err != syscall.EINTR {
			return result("write", err)
		}
	}
}

// result turns the error of a call into what Read and Write return.
func result(call string, err error) (n int, again bool, _ error) {
	if err == syscall.EAGAIN {
		return 0, true, nil
	}
	return 0, false, os.NewSyscallError(call, err)
}
