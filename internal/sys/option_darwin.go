package sys

import (
	"net"
	"os"
	"syscall"
)

const (
	reusePort    = syscall.SO_REUSEPORT
	keepIdle     = syscall.TCP_KEEPALIVE
	keepInterval = 0x101 // TCP_KEEPINTVL, netinet/tcp.h: missing from package syscall
)

// BindToInterface makes fd use the network interface of that name and no other
// (IP_BOUND_IF, IPV6_BOUND_IF).
func BindToInterface(fd uintptr, name string) error {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return err
	}
	level, option := syscall.IPPROTO_IP, syscall.IP_BOUND_IF
	if own, err := syscall.Getsockname(int(fd)); err == nil {
		if _, is6 := own.(*syscall.SockaddrInet6); is6 {
			level, option = syscall.IPPROTO_IPV6, syscall.IPV6_BOUND_IF
		}
	}
	return os.NewSyscallError("setsockopt IP_BOUND_IF "+name, setInt(int(fd), level, option, i.Index))
}
