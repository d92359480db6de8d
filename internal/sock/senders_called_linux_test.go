package sock

import (
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
)

// ownAddrs returns addresses of this machine: more than one of IPv4, and what it has of IPv6.
func ownAddrs(t *testing.T) []netip.Addr {
	t.Helper()
	all := []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2")}
	interfaces, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range interfaces {
		addrs, err := i.Addrs()
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range addrs {
			p, err := netip.ParsePrefix(a.String())
			switch {
			case err != nil || i.Flags&net.FlagUp == 0 || p.Addr().IsLoopback() && p.Addr().Is4():
			case p.Addr().IsLinkLocalUnicast() && p.Addr().Is6():
				all = append(all, p.Addr().WithZone(i.Name))
			default:
				all = append(all, p.Addr())
			}
		}
	}
	return all
}

// Who calls one address of many is answered from there, as a socket that has connected hears nobody else.
func TestSendersAreAnsweredFromWhereTheyCall(t *testing.T) {
	for _, target := range []string{"0.0.0.0:0", ":0", "[::]:0"} {
		ln := listenSendersUDP(t, target, nil)
		for _, called := range ownAddrs(t) {
			if own := ln.Addr().(*net.UDPAddr); called.Is6() && own.IP.To4() != nil {
				continue
			}
			where := net.JoinHostPort(called.String(), portOf(ln.Addr()))
			nc := dialUDP(t, where, nil)
			for _, text := range []string{"hello", ""} {
				tells(t, nc, text)
			}
			s := accept(t, ln)
			if s.LocalAddr().String() != where || s.RemoteAddr().String() != nc.LocalAddr().String() {
				t.Errorf("%s: %v talks to %v, which has called %s from %v", target, s.LocalAddr(), s.RemoteAddr(), where, nc.LocalAddr())
			}
			for _, text := range []string{"hello", ""} {
				hears(t, s, text)
				tells(t, s, text)
				hears(t, nc, text)
			}
			_, err := s.Write(make([]byte, 1<<16))
			says(t, where, err, "too long for one datagram", where)
		}
	}
}

// Who calls two addresses has a conversation with each.
func TestSendersOfTwoAddresses(t *testing.T) {
	ln := listenSendersUDP(t, "0.0.0.0:0", nil)
	nc, err := net.ListenPacket("udp4", "127.0.0.1:0")
	nc = closes(t, nc, err)
	for _, ip := range []string{"127.0.0.2", "127.0.0.3"} {
		to := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(ip + ":" + portOf(ln.Addr())))
		if _, err := nc.WriteTo([]byte("to "+ip), to); err != nil {
			t.Fatal(err)
		}
		s := accept(t, ln)
		hears(t, s, "to "+ip)
		tells(t, s, "reply")
		if _, from, err := nc.ReadFrom(make([]byte, 10)); err != nil || from.String() != to.String() {
			t.Errorf("answered from %v, %v, want %v", from, err, to)
		}
	}
}

// A socket on one address is not asked what it cannot but know.
func TestSendersOfOneAddress(t *testing.T) {
	for _, target := range []string{"127.0.0.1:0", "0"} {
		for _, w := range listenSendersUDP(t, target, nil).(*senderListener).ways {
			if w.control != nil {
				t.Errorf("%s: %v hears control messages", target, w.LocalAddr())
			}
		}
	}
}

func TestCalledAddr(t *testing.T) {
	said := func(a string) []byte { return saidFrom(netip.MustParseAddr(a)) }
	broadcast := said("192.0.2.9")
	copy(broadcast[syscall.CmsgLen(8):], []byte{192, 0, 2, 255}) // what it was sent to; it came to the other
	for name, test := range map[string]struct {
		control []byte
		from    string
		want    string // empty: the kernel's choice
	}{
		"nothing":                      {nil, "192.0.2.1", ""},
		"cut off":                      {said("192.0.2.9")[:20], "192.0.2.1", ""},
		"IPv4":                         {said("192.0.2.9"), "192.0.2.1", "192.0.2.9"},
		"broadcast":                    {broadcast, "192.0.2.1", "192.0.2.9"},
		"IPv4 without an address":      {said("0.0.0.0"), "192.0.2.1", ""},
		"IPv4 on a socket of both":     {append(said("::ffff:192.0.2.255"), broadcast...), "::ffff:192.0.2.1", "192.0.2.9"},
		"the other way round":          {append(broadcast[:len(broadcast):len(broadcast)], said("::ffff:192.0.2.255")...), "::ffff:192.0.2.1", "192.0.2.9"},
		"only as IPv6 tells it":        {said("::ffff:192.0.2.255"), "::ffff:192.0.2.1", ""},
		"IPv6":                         {said("2001:db8::9"), "2001:db8::1", "2001:db8::9"},
		"multicast":                    {said("ff02::1"), "fe80::1%eth7", ""},
		"link-local":                   {said("fe80::9%7"), "fe80::1%eth7", "fe80::9%eth7"},
		"link-local, called by global": {said("fe80::9%7"), "2001:db8::1", "fe80::9%7"},
	} {
		got := calledAddr(test.control, netip.MustParseAddr(test.from))
		if want, _ := netip.ParseAddr(test.want); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// Whatever a socket tells does not harm, and what was called can be said again.
func FuzzCalledAddr(f *testing.F) {
	for _, a := range []string{"192.0.2.9", "2001:db8::9", "fe80::9%7", "::ffff:192.0.2.9"} {
		f.Add(saidFrom(netip.MustParseAddr(a)))
	}
	f.Add([]byte(strings.Repeat("\xff", maxControl)))
	f.Fuzz(func(t *testing.T, control []byte) {
		called := calledAddr(control, netip.Addr{})
		if again := calledAddr(saidFrom(called), netip.Addr{}); called.IsValid() && again != called {
			t.Errorf("%v became %v", called, again)
		}
	})
}
