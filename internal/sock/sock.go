// Package sock opens the sockets behind the built-in schemes: from the target and the params of an address to a
// connection or a listener of package net. It knows no frames and no conversations.
package sock

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// HostPort returns the IP address and the port of a, or its whole text and 0 where it has none.
func HostPort(a net.Addr) (host string, port int) {
	switch a := a.(type) {
	case nil:
		return "", 0
	case *net.TCPAddr:
		return a.AddrPort().Addr().Unmap().String(), a.Port
	case *net.UDPAddr:
		return a.AddrPort().Addr().Unmap().String(), a.Port
	case *net.UnixAddr:
		if a == nil || a.Name == "@" { // how package net writes a socket without a name on Linux
			return "", 0
		}
	}
	return a.String(), 0
}

// Origin is whom a limit for each host counts by: the IPv4 address, or the network that an IPv6 caller has to itself. It is
// the whole text of other addresses, and empty for callers without any.
func Origin(a net.Addr) string {
	host, _ := HostPort(a)
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if ip.Is6() && !ip.IsLinkLocalUnicast() {
		network, _ := ip.Prefix(64) // it fails for lengths over 128 only
		return network.String()
	}
	return ip.String()
}

// KeepsEdges reports whether what one write says is what one read hears, on sockets of the kind of a.
func KeepsEdges(a net.Addr) bool {
	if a == nil {
		return false
	}
	n := a.Network()
	return strings.HasPrefix(n, "udp") || n == "unixgram" || n == "unixpacket"
}

// Callable returns the address that reaches a listener on a from the same machine, in its short form if it has one.
func Callable(scheme string, a net.Addr) string {
	target := callableTarget(a)
	if scheme == "tcp" {
		return target
	}
	address := Addr{Scheme: scheme, Target: target}.String()
	if kind := UnixKinds[a.Network()]; kind != "" && kind != "stream" {
		address += "?type=" + kind
	}
	return address
}

// callableTarget makes localhost of every interface.
func callableTarget(a net.Addr) string {
	host, port := HostPort(a)
	if port == 0 {
		return host
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}

// MaxDatagram is one more than the largest datagram that a socket on local hears: of UDP by its length field, of Unix
// sockets by the usual net.core.wmem_max. A read that fills so much may have lost the rest.
func MaxDatagram(local net.Addr) int {
	if _, isUnix := local.(*net.UnixAddr); isUnix {
		return 256<<10 + 1
	}
	return 64<<10 + 1
}

// An AddressError says what is wrong with the text of an address, and what would have worked.
type AddressError struct{ text string }

func (e *AddressError) Error() string { return e.text }

// Mistake makes an AddressError.
func Mistake(format string, args ...any) error {
	return &AddressError{fmt.Sprintf(format, args...)}
}
