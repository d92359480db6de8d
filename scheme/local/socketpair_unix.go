//go:build unix

package local

import (
	"os"
	"syscall"
)

// filesOf makes files of a pair of sockets.
func filesOf(fds [2]int) (ours, theirs *os.File, err error) {
	if err := syscall.SetNonblock(fds[0], true); err != nil {
		syscall.Close(fds[0])
		syscall.Close(fds[1])
		return nil, nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(fds[0]), "socket"), os.NewFile(uintptr(fds[1]), "socket"), nil
}
