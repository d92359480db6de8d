package sock

import (
	"crypto/tls"
	"net"
)

// BreakOff closes nc so that the other end does not take what it has heard for all there was: TCP by a reset, TLS by that
// of the connection below, without close_notify, and what has a method Abort by that. A Unix socket has nothing of the kind,
// unless something that was said to it lies unread: it is only closed.
func BreakOff(nc net.Conn) {
	switch nc := nc.(type) {
	case interface{ Abort() }:
		nc.Abort()
	case *net.TCPConn:
		_ = nc.SetLinger(0)
	case *TLSConn:
		BreakOff(nc.Below())
	case *tls.Conn:
		BreakOff(nc.NetConn())
	case *wire:
		BreakOff(nc.Conn)
	}
	_ = nc.Close()
}

// BreakOffByClose has any close of nc break it off, where that is possible, or none: also that of a process that dies. The
// linger of its address is forgotten.
func BreakOffByClose(nc net.Conn, on bool) {
	switch nc := nc.(type) {
	case *net.TCPConn:
		seconds := -1
		if on {
			seconds = 0
		}
		_ = nc.SetLinger(seconds)
	case *TLSConn:
		BreakOffByClose(nc.Below(), on)
	case *tls.Conn:
		BreakOffByClose(nc.NetConn(), on)
	case *wire:
		BreakOffByClose(nc.Conn, on)
	}
}
