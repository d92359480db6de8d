package sys

import (
	"encoding/binary"
	"syscall"
	"unsafe"
)

const (
	ipprotoMPTCP = 262    // IPPROTO_MPTCP, which net.Listen asks for where it can
	siocOutqNSD  = 0x894b // SIOCOUTQNSD, linux/sockios.h: bytes written and not sent

	// struct tcp_info, linux/tcp.h: where to find what we want of it.
	tcpiProbes = 3   // tcpi_probes, u8: window probes that nobody answered
	tcpiSndWnd = 228 // tcpi_snd_wnd, u32, since Linux 5.4: the other end's window
	tcpiSize   = 232
)

// SocketQueues asks the kernel for the queues of a TCP or Unix stream socket.
// It is an error only when the socket is closed (net.ErrClosed) or of another
// kind (errors.ErrUnsupported).
func SocketQueues(rc syscall.RawConn) (Queues, error) {
	q := unknownQueues
	var known bool
	err := rc.Control(func(fd uintptr) {
		switch {
		case !isStream(fd):
		case isTCP(fd):
			q, known = tcpQueues(fd), true
		case isUnix(fd):
			q, known = unixQueues(fd), true
		}
	})
	if err == nil && !known {
		err = unsupported("queues of a socket that is neither TCP nor a Unix stream")
	}
	return q, err
}

func tcpQueues(fd uintptr) Queues {
	return Queues{
		Unacked:    count(fd, syscall.TIOCOUTQ),
		Unread:     count(fd, syscall.TIOCINQ),
		ZeroWindow: zeroWindow(fd),
		Charged:    -1,
	}
}

func unixQueues(fd uintptr) Queues {
	return Queues{
		Unacked: -1,
		Unread:  count(fd, syscall.TIOCINQ),
		Charged: count(fd, syscall.TIOCOUTQ),
	}
}

// zeroWindow needs unsent bytes as well as a closed window: a window may be
// closed by the last byte we had, and then nobody waits for anything. Unanswered
// probes count because an idle connection with bytes to send probes for nothing
// else: keepalive probes are sent only when there is nothing unsent.
func zeroWindow(fd uintptr) bool {
	if count(fd, siocOutqNSD) <= 0 {
		return false
	}
	info := tcpInfo(fd)
	if len(info) <= tcpiProbes {
		return false
	}
	closed := len(info) >= tcpiSize && binary.NativeEndian.Uint32(info[tcpiSndWnd:]) == 0
	return closed || info[tcpiProbes] > 0
}

// tcpInfo is struct tcp_info as far as this kernel has it; nil if it has none.
func tcpInfo(fd uintptr) []byte {
	info := make([]byte, tcpiSize)
	n := uint32(len(info))
	_, _, errno := syscall.Syscall6(sysGetsockopt, fd, syscall.IPPROTO_TCP, syscall.TCP_INFO,
		uintptr(unsafe.Pointer(unsafe.SliceData(info))), uintptr(unsafe.Pointer(&n)), 0)
	if errno != 0 {
		return nil
	}
	return info[:n]
}

// count is an ioctl(2) whose answer is one int; -1 if it has none.
func count(fd, request uintptr) int {
	var n int32
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, request, uintptr(unsafe.Pointer(&n))); errno != 0 {
		return -1
	}
	return int(n)
}

func isStream(fd uintptr) bool {
	kind, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_TYPE)
	return err == nil && kind == syscall.SOCK_STREAM
}

func isTCP(fd uintptr) bool {
	protocol, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_PROTOCOL)
	return err == nil && (protocol == syscall.IPPROTO_TCP || protocol == ipprotoMPTCP)
}

func isUnix(fd uintptr) bool {
	domain, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_DOMAIN)
	return err == nil && domain == syscall.AF_UNIX
}
