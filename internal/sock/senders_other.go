//go:build !unix

package sock

import (
	"errors"
	"syscall"
)

// sendUnix is not called: there are no Unix datagrams here.
func sendUnix(syscall.RawConn, []byte, string) (full bool, err error) {
	return false, errors.ErrUnsupported
}

func sendBufferOf(uintptr) int { return 0 }
