package sys

import "syscall"

type handle = syscall.Handle // what package syscall calls a socket here

// Numbers missing from package syscall: ws2ipdef.h, mstcpip.h.
const (
	ipv6TClass   = 39 // IPV6_TCLASS
	keepIdle     = 3  // TCP_KEEPIDLE, since Windows 10 1709
	keepInterval = 17 // TCP_KEEPINTVL, since Windows 10 1709
	reusePort    = none
)

// setReuseAddr does nothing: what it asks for is what Windows does, and SO_REUSEADDR
// there lets a stranger take over a port that is in use.
func setReuseAddr(handle, int) error { return nil }

// SetBacklog cannot be done: Windows ignores a second listen.
func SetBacklog(fd uintptr, n int) error { return unsupported("a backlog of one's own") }
