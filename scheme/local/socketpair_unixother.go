//go:build unix && !linux

package local

import (
	"os"
	"syscall"
)

// socketPair returns two sockets that are connected with each other. Ours can be waited for; theirs blocks, as programs
// expect.
func socketPair() (ours, theirs *os.File, err error) {
	syscall.ForkLock.RLock() // no process may begin before they are marked as not for it
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	return filesOf(fds)
}
