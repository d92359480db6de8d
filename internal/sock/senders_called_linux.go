package sock

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"unsafe"
)

// maxControl is room for what tells where a datagram was sent to, in bytes: twice, as on a socket of both families IPv4 does.
const maxControl = 128

// tellCalled has a socket on every interface tell with each datagram which address of this machine it was sent to. A reply
// must come from there: a caller who has connected his socket hears nobody else, and so do NATs and firewalls. Sockets on
// one address need nothing.
func tellCalled(c *net.UDPConn) (tells bool) {
	if own, ok := c.LocalAddr().(*net.UDPAddr); !ok || !own.IP.IsUnspecified() {
		return false
	}
	rc, err := c.SyscallConn()
	if err != nil {
		return false
	}
	_ = rc.Control(func(fd uintptr) {
		// One of them fails on a socket of IPv4, none on one of both families.
		v4 := syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, syscall.IP_PKTINFO, 1)
		v6 := syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IPV6, syscall.IPV6_RECVPKTINFO, 1)
		tells = v4 == nil || v6 == nil
	})
	return tells
}

// calledAddr reads what control messages tell (ip(7), RFC 3542, section 6.2): the address that was called by a datagram from
// from. It is invalid if that is none a reply can come from, as of a multicast; the kernel chooses one then.
func calledAddr(control []byte, from netip.Addr) (called netip.Addr) {
	messages, err := syscall.ParseSocketControlMessage(control)
	if err != nil {
		return called
	}
	for _, m := range messages {
		switch {
		case m.Header.Level == syscall.IPPROTO_IP && m.Header.Type == syscall.IP_PKTINFO && len(m.Data) >= syscall.SizeofInet4Pktinfo:
			return usable(netip.AddrFrom4([4]byte(m.Data[4:8]))) // Spec_dst: for a broadcast, the address it came to
		case m.Header.Level == syscall.IPPROTO_IPV6 && m.Header.Type == syscall.IPV6_PKTINFO && len(m.Data) >= syscall.SizeofInet6Pktinfo:
			called = netip.AddrFrom16([16]byte(m.Data[:16]))
			if called.IsLinkLocalUnicast() {
				called = called.WithZone(zoneOf(from, binary.NativeEndian.Uint32(m.Data[16:20])))
			}
		}
	}
	if called.Is4In6() { // IP_PKTINFO tells it where it can be used
		return netip.Addr{}
	}
	return usable(called)
}

// zoneOf returns the zone of a link-local address that was called by from on an interface: by the name that from tells it,
// or else by number.
func zoneOf(from netip.Addr, index uint32) string {
	if zone := from.Zone(); zone != "" {
		return zone
	}
	return strconv.FormatUint(uint64(index), 10)
}

func usable(a netip.Addr) netip.Addr {
	if a.IsMulticast() || a.IsUnspecified() {
		return netip.Addr{}
	}
	return a
}

// saidFrom returns the control message that has a datagram come from called.
func saidFrom(called netip.Addr) []byte {
	if called.Is4() {
		m, data := controlMessage(syscall.IPPROTO_IP, syscall.IP_PKTINFO, syscall.SizeofInet4Pktinfo)
		ip := called.As4()
		copy(data[4:8], ip[:])
		return m
	}
	m, data := controlMessage(syscall.IPPROTO_IPV6, syscall.IPV6_PKTINFO, syscall.SizeofInet6Pktinfo)
	ip := called.As16()
	copy(data, ip[:])
	if index, err := strconv.ParseUint(called.Zone(), 10, 32); err == nil { // a name is that of the receiver's zone, too
		binary.NativeEndian.PutUint32(data[16:20], uint32(index))
	}
	return m
}

// controlMessage returns a message with size bytes of data, and those.
func controlMessage(level, kind int32, size int) (m, data []byte) {
	m = make([]byte, syscall.CmsgSpace(size))
	h := (*syscall.Cmsghdr)(unsafe.Pointer(unsafe.SliceData(m)))
	h.Level, h.Type = level, kind
	h.SetLen(syscall.CmsgLen(size))
	return m, m[syscall.CmsgLen(0):]
}
