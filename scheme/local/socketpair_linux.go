package local

import (
	"os"
	"syscall"
)

// socketPair returns two sockets that are connected with each other. Ours can be waited for; theirs blocks, as programs
// expect.
func socketPair() (ours, theirs *os.File, err error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	return filesOf(fds)
}
