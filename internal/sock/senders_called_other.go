//go:build !linux

package sock

import (
	"net"
	"net/netip"
)

const maxControl = 0

// tellCalled does nothing here: the kernel chooses which address a reply comes from.
func tellCalled(*net.UDPConn) bool { return false }

func calledAddr([]byte, netip.Addr) netip.Addr { return netip.Addr{} }

func saidFrom(netip.Addr) []byte { return nil }
