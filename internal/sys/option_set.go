//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly || windows

package sys

import (
	"os"
	"syscall"
)

// optionNames is how each option is called in the system's manual: what an
// error says, so that it can be looked up.
var optionNames = map[Option]string{
	ReuseAddr: "SO_REUSEADDR", ReusePort: "SO_REUSEPORT", NoDelay: "TCP_NODELAY", KeepAlive: "TCP_KEEPIDLE",
	Broadcast: "SO_BROADCAST", TTL: "IP_TTL", TOS: "IP_TOS", RecvBuffer: "SO_RCVBUF", SendBuffer: "SO_SNDBUF",
	V6Only: "IPV6_V6ONLY", Linger: "SO_LINGER",
}

// SetOption sets option o of socket fd, whose family is syscall.AF_INET or
// AF_INET6 (it matters for TTL and TOS only). An IPv6 socket may carry IPv4 too:
// there TTL and TOS are set for both, and only IPv6 must succeed. Errors name
// the option and hold a [syscall.Errno], or wrap [errors.ErrUnsupported].
func SetOption(fd uintptr, family int, o Option, value int) error {
	name, ok := optionNames[o]
	if !ok {
		return unsupported("an unknown socket option")
	}
	err := setOption(handle(fd), family, o, value)
	if err == syscall.ENOPROTOOPT || err == errNoOption {
		return unsupported(name)
	}
	return os.NewSyscallError("setsockopt "+name, err)
}

func setOption(h handle, family int, o Option, value int) error {
	switch o {
	case ReuseAddr:
		return setReuseAddr(h, value)
	case ReusePort:
		return setInt(h, syscall.SOL_SOCKET, reusePort, value)
	case NoDelay:
		return setInt(h, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, value)
	case KeepAlive:
		return setKeepAlive(h, value)
	case Broadcast:
		return setInt(h, syscall.SOL_SOCKET, syscall.SO_BROADCAST, value)
	case TTL:
		return setIP(h, family, syscall.IPV6_UNICAST_HOPS, syscall.IP_TTL, value)
	case TOS:
		return setIP(h, family, ipv6TClass, syscall.IP_TOS, value)
	case RecvBuffer:
		return setInt(h, syscall.SOL_SOCKET, syscall.SO_RCVBUF, value)
	case SendBuffer:
		return setInt(h, syscall.SOL_SOCKET, syscall.SO_SNDBUF, value)
	case V6Only:
		return setInt(h, syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY, value)
	case Linger:
		return setLinger(h, value)
	}
	return errNoOption
}

func setIP(h handle, family, v6, v4, value int) error {
	switch family {
	case syscall.AF_INET:
		return setInt(h, syscall.IPPROTO_IP, v4, value)
	case syscall.AF_INET6:
		_ = setInt(h, syscall.IPPROTO_IP, v4, value) // refused by a socket that is IPv6 only
		return setInt(h, syscall.IPPROTO_IPV6, v6, value)
	}
	return errNoOption
}

// setKeepAlive uses one number for the first probe and for those after it, as
// package net does: a dead peer is then found within ten times that.
func setKeepAlive(h handle, seconds int) error {
	if seconds < 0 {
		return syscall.EINVAL
	}
	if seconds == 0 {
		return setInt(h, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 0)
	}
	if err := setInt(h, syscall.IPPROTO_TCP, keepIdle, seconds); err != nil {
		return err
	}
	if err := setInt(h, syscall.IPPROTO_TCP, keepInterval, seconds); err != nil {
		return err
	}
	return setInt(h, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1)
}

func setLinger(h handle, seconds int) error {
	if seconds < -1 {
		return syscall.EINVAL
	}
	l := syscall.Linger{}
	if seconds >= 0 {
		l.Onoff, l.Linger = 1, int32(seconds)
	}
	return syscall.SetsockoptLinger(h, syscall.SOL_SOCKET, syscall.SO_LINGER, &l)
}

// none stands for an option that this system does not have.
const none = -1

// errNoOption is ENOPROTOOPT without asking the system.
var errNoOption = syscall.Errno(syscall.ENOPROTOOPT)

func setInt(h handle, level, option, value int) error {
	if option == none {
		return errNoOption
	}
	return syscall.SetsockoptInt(h, level, option, value)
}
