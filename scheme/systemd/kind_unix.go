//go:build unix

package systemd

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// inUse is what listening twice on an address says.
const inUse = syscall.EADDRINUSE

// kindOf asks the kernel, as package net takes a socket for whatever is asked for.
func kindOf(fd int) (kind, error) {
	of, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_TYPE)
	switch {
	case errors.Is(err, syscall.ENOTSOCK):
		return 0, errors.New("this is a file, and no socket; use ListenStream=, ListenDatagram= or ListenSequentialPacket= in the .socket unit")
	case err != nil:
		return 0, os.NewSyscallError("getsockopt", err)
	case of == syscall.SOCK_DGRAM:
		return datagrams, nil
	case of != syscall.SOCK_STREAM && of != syscall.SOCK_SEQPACKET:
		return 0, fmt.Errorf("sockets of type %d carry no conversations: %w", of, errors.ErrUnsupported)
	}
	listening, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN)
	if err == nil && listening == 0 {
		return 0, errors.New("this is one caller, and nothing to listen on; take Accept=yes out of the .socket unit")
	}
	return streams, nil // where the system does not tell, accepting does
}
