package sock

import (
	"errors"
	"fmt"
	"net"
	"syscall"

	"parley/internal/sys"
)

// The most that one UDP datagram carries, in bytes: its length field, less the headers that count (RFC 768; RFC 791, section
// 3.1: those of IPv4 too; RFC 8200, section 3: those of IPv6 not).
const (
	mostIPv4 = 1<<16 - 1 - 8 - 20
	mostIPv6 = 1<<16 - 1 - 8
)

// A SizeError says that something is too long for one datagram. It wraps the system's error.
type SizeError struct {
	Size  int // bytes
	Limit int // bytes that would have gone; 0 if that is not known
	hint  string
	err   error
}

func (e *SizeError) Error() string {
	if e.Limit == 0 {
		return fmt.Sprintf("%d bytes are too long for one datagram here: %v", e.Size, e.err)
	}
	return fmt.Sprintf("%d bytes are too long for one datagram, which holds %d at most%s", e.Size, e.Limit, e.hint)
}

func (e *SizeError) Unwrap() error { return e.err }

// ExplainSize turns an error of writing size bytes to c, a datagram socket, into one that says what does fit, if that is the
// matter. Other errors, and nil, stay as they are.
func ExplainSize(err error, size int, c interface{ LocalAddr() net.Addr }) error {
	if !sys.TooLong.Is(err) || !KeepsEdges(c.LocalAddr()) {
		return err
	}
	var known *SizeError
	if errors.As(err, &known) {
		return err
	}
	explained := sizeError(err, size, c)
	var oe *net.OpError
	if !errors.As(err, &oe) {
		return explained
	}
	named := *oe
	explained.err, named.Err = oe.Err, explained
	return &named
}

func sizeError(err error, size int, c interface{ LocalAddr() net.Addr }) *SizeError {
	e := &SizeError{Size: size, err: err}
	switch most := mostUDP(err, c.LocalAddr()); {
	case most > 0 && size > most:
		e.Limit = most
	default:
		e.Limit, e.hint = sendBuffer(c), "; sndbuf= raises that"
		if e.Limit >= size { // so it was something else
			e.Limit = 0
		}
	}
	return e
}

// mostUDP returns what fits into a datagram to whom err names, or else from local; 0 if that is not UDP.
func mostUDP(err error, local net.Addr) int {
	a, ok := local.(*net.UDPAddr)
	if !ok {
		return 0
	}
	var oe *net.OpError
	if errors.As(err, &oe) {
		if to, ok := oe.Addr.(*net.UDPAddr); ok && to != nil {
			a = to
		}
	}
	if a.IP.To4() != nil {
		return mostIPv4
	}
	return mostIPv6
}

// sendBuffer returns how many bytes the buffer of c's socket holds, which limits datagrams on Unix sockets and, on some
// systems, on UDP; 0 if that cannot be known.
func sendBuffer(c any) (n int) {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return 0
	}
	rc, err := sc.SyscallConn()
	if err != nil {
		return 0
	}
	_ = rc.Control(func(fd uintptr) { n = sendBufferOf(fd) })
	return n
}
