//go:build !386

package sock

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// What a param asks for is what the kernel says it does, of listeners, of who calls them, and of those accepted.

// An option is a number that getsockopt(2) knows.
type option struct{ level, name int }

var (
	noDelay      = option{syscall.IPPROTO_TCP, syscall.TCP_NODELAY}
	keepAlive    = option{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE}
	keepIdle     = option{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE}
	keepInterval = option{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL}
	ttl          = option{syscall.IPPROTO_IP, syscall.IP_TTL}
	tos          = option{syscall.IPPROTO_IP, syscall.IP_TOS}
	hops6        = option{syscall.IPPROTO_IPV6, syscall.IPV6_UNICAST_HOPS}
	class6       = option{syscall.IPPROTO_IPV6, syscall.IPV6_TCLASS}
	v6Only       = option{syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY}
	rcvBuf       = option{syscall.SOL_SOCKET, syscall.SO_RCVBUF}
	sndBuf       = option{syscall.SOL_SOCKET, syscall.SO_SNDBUF}
	reuse        = option{syscall.SOL_SOCKET, syscall.SO_REUSEADDR}
	reusePort    = option{syscall.SOL_SOCKET, 15} // SO_REUSEPORT
	broadcast    = option{syscall.SOL_SOCKET, syscall.SO_BROADCAST}
	boundTo      = option{syscall.SOL_SOCKET, 62} // SO_BINDTOIFINDEX
)

func control(t *testing.T, c any, f func(fd uintptr)) {
	t.Helper()
	rc, err := c.(syscall.Conn).SyscallConn()
	if err == nil {
		err = rc.Control(f)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (o option) of(t *testing.T, c any) (value int) {
	t.Helper()
	control(t, c, func(fd uintptr) {
		var err error
		if value, err = syscall.GetsockoptInt(int(fd), o.level, o.name); err != nil {
			t.Error(err)
		}
	})
	return value
}

// A wish is what a param is to do.
type wish struct {
	param, value string
	option       option
	want         int
}

// both are the wishes of every socket of the Internet families.
var both = []wish{
	{"ttl", "9", ttl, 9}, {"tos", "72", tos, 72},
	{"rcvbuf", "32768", rcvBuf, 2 * 32768}, {"sndbuf", "32768", sndBuf, 2 * 32768}, // Linux doubles them: socket(7)
	{"reuse", "", reuse, 1}, {"reuseport", "yes", reusePort, 1},
}

// streamOnly are the wishes of conversations, dialled or accepted.
var streamOnly = []wish{
	{"nodelay", "no", noDelay, 0}, {"nodelay", "", noDelay, 1}, {"nodelay", "1", noDelay, 1},
	{"keepalive", "7", keepIdle, 7}, {"keepalive", "7s", keepInterval, 7}, {"keepalive", "7", keepAlive, 1}, {"keepalive", "0", keepAlive, 0},
}

func (w wish) params() Params { return Params{w.param: w.value} }

func (w wish) check(t *testing.T, what string, c any) {
	t.Helper()
	if got := w.option.of(t, c); got != w.want {
		t.Errorf("%s with %s=%s: %d, want %d", what, w.param, w.value, got, w.want)
	}
}

func TestParamsOfConversations(t *testing.T) {
	plain := listenTCP(t, "127.0.0.1:0", nil)
	for _, w := range append(both, streamOnly...) {
		w.check(t, "a dialled conversation", dialTCP(t, plain.Addr().String(), w.params()))
		ln := listenTCP(t, "127.0.0.1:0", w.params())
		if w.option.level != syscall.IPPROTO_TCP && w.param != "keepalive" {
			w.check(t, "a listener", ln)
		}
		dialTCP(t, ln.Addr().String(), nil)
		if w.param != "reuse" && w.param != "reuseport" { // which are about binding
			w.check(t, "an accepted conversation", accept(t, ln))
		}
	}
}

func TestParamsOfDatagrams(t *testing.T) {
	plain := listenUDP(t, "127.0.0.1:0", nil)
	for _, w := range append(both, wish{"broadcast", "", broadcast, 1}, wish{"broadcast", "no", broadcast, 0}) {
		nc, err := DialUDP(soon(t), "udp", plain.LocalAddr().String(), w.params())
		w.check(t, "who calls by udp", closes(t, nc, err))
		w.check(t, "who hears udp", listenUDP(t, "127.0.0.1:0", w.params()))
	}
}

func TestParamsOfIPv6(t *testing.T) {
	needIPv6(t)
	plain := listenTCP(t, "[::1]:0", nil)
	for _, w := range []wish{{"ttl", "9", hops6, 9}, {"tos", "72", class6, 72}} {
		w.check(t, "a dialled conversation", dialTCP(t, plain.Addr().String(), w.params()))
		w.check(t, "a listener", listenTCP(t, "[::1]:0", w.params()))
	}
	for value, want := range map[string]int{"": 1, "no": 0} {
		wish{"ipv6only", value, v6Only, want}.check(t, "a listener on all", listenTCP(t, ":0", Params{"ipv6only": value}))
	}
	if got := v6Only.of(t, listenTCP(t, ":0", nil)); got != 0 {
		t.Error("without ipv6only a listener takes IPv6 callers only")
	}
	listenTCP(t, "127.0.0.1:0", Params{"ipv6only": ""}) // has no meaning there, and is no error
}

func TestParamsOfBothLoopbacks(t *testing.T) {
	needIPv6(t)
	ln := listenTCP(t, "0", Params{"ttl": "9"})
	for i, leg := range ln.(*joinedListener).legs {
		if got := []option{ttl, hops6}[i].of(t, leg); got != 9 {
			t.Errorf("%v has ttl %d", leg.Addr(), got)
		}
	}
}

func TestParamsOfUnix(t *testing.T) {
	path := socketPath(t)
	p := Params{"rcvbuf": "32768", "sndbuf": "32768"}
	ln, err := ListenUnix(soon(t), path, p)
	closes(t, ln, err)
	nc, err := DialUnix(soon(t), path, p)
	closes(t, nc, err)
	for _, o := range []option{rcvBuf, sndBuf} {
		if a, b := o.of(t, ln), o.of(t, nc); a != 65536 || b != 65536 {
			t.Errorf("buffers of %d and %d, want 65536", a, b)
		}
	}
}

func TestParamLinger(t *testing.T) {
	ln := listenTCP(t, "127.0.0.1:0", nil)
	for value, want := range map[string][2]int{"3": {1, 3}, "0": {1, 0}} {
		nc := dialTCP(t, ln.Addr().String(), Params{"linger": value})
		control(t, nc, func(fd uintptr) {
			var got [2]int32
			n := uint32(unsafe.Sizeof(got))
			_, _, errno := syscall.Syscall6(syscall.SYS_GETSOCKOPT, fd, syscall.SOL_SOCKET, syscall.SO_LINGER,
				uintptr(unsafe.Pointer(&got)), uintptr(unsafe.Pointer(&n)), 0)
			if errno != 0 || int(got[0]) != want[0] || int(got[1]) != want[1] {
				t.Errorf("linger=%s: %v, %v", value, got, errno)
			}
		})
	}
}

// With linger=0 a close is a reset.
func TestParamLingerResets(t *testing.T) {
	ln := listenTCP(t, "127.0.0.1:0", nil)
	nc := dialTCP(t, ln.Addr().String(), Params{"linger": "0"})
	accepted := accept(t, ln)
	nc.Close()
	if _, err := accepted.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("after a close with linger=0: %v", err)
	}
}

func TestParamBacklog(t *testing.T) {
	ln := listenTCP(t, "127.0.0.1:0", Params{"backlog": "3"})
	control(t, ln, func(fd uintptr) {
		info := make([]byte, 32) // of struct tcp_info: tcpi_sacked, at 28, is a listener's backlog
		n := uint32(len(info))
		_, _, errno := syscall.Syscall6(syscall.SYS_GETSOCKOPT, fd, syscall.IPPROTO_TCP, syscall.TCP_INFO,
			uintptr(unsafe.Pointer(unsafe.SliceData(info))), uintptr(unsafe.Pointer(&n)), 0)
		if got := binary.NativeEndian.Uint32(info[28:]); errno != 0 || got != 3 {
			t.Errorf("backlog %d, %v, want 3", got, errno)
		}
	})
}

func TestParamReusePort(t *testing.T) {
	p := Params{"reuseport": ""}
	ln := listenTCP(t, "127.0.0.1:0", p)
	listenTCP(t, ln.Addr().String(), p)
	if second, err := ListenTCP(soon(t), "tcp", ln.Addr().String(), nil); !isInUse(err) {
		t.Errorf("without reuseport: %v, %v", second, err)
	}
}

func TestParamInterface(t *testing.T) {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Skip(err)
	}
	p := Params{"interface": "lo"}
	ln, err := ListenTCP(soon(t), "tcp", "127.0.0.1:0", p)
	if errors.Is(err, os.ErrPermission) {
		t.Skip(err)
	}
	closes(t, ln, err)
	nc := dialTCP(t, ln.Addr().String(), p)
	pc := listenUDP(t, "127.0.0.1:0", p)
	for what, c := range map[string]any{"listener": ln, "conversation": nc, "datagrams": pc} {
		if got := boundTo.of(t, c); got != lo.Index {
			t.Errorf("%s bound to interface %d, want %d", what, got, lo.Index)
		}
	}
	_, err = ListenTCP(soon(t), "tcp", "127.0.0.1:0", Params{"interface": "nosuch0"})
	says(t, "no such interface", err, "nosuch0")
}

// Whoever holds a port is named.
func TestBusyNamesTheHolder(t *testing.T) {
	name, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Skip(err)
	}
	holder := "is held by " + strings.TrimSpace(string(name))
	ln, pc := listenTCP(t, "127.0.0.1:0", nil), listenUDP(t, "127.0.0.1:0", nil)
	for _, target := range []string{ln.Addr().String(), portOf(ln.Addr())} {
		_, err := ListenTCP(soon(t), "tcp", target, nil)
		says(t, "listen on "+target, err, "address already in use", "port "+portOf(ln.Addr())+" "+holder, "(pid ")
	}
	for _, target := range []string{pc.LocalAddr().String(), portOf(pc.LocalAddr())} {
		_, err := ListenUDP(soon(t), "udp", target, nil)
		says(t, "hear on "+target, err, "address already in use", "port "+portOf(pc.LocalAddr())+" "+holder, "(pid ")
	}
}

// A port that is free on one loopback address and taken on the other is taken: half of the callers would reach somebody
// else.
func TestHalfOfThePort(t *testing.T) {
	needIPv6(t)
	ln := listenTCP(t, "[::1]:0", nil)
	if both, err := ListenTCP(soon(t), "tcp", portOf(ln.Addr()), nil); !isInUse(err) {
		t.Errorf("listening beside somebody else: %v, %v", both, err)
	}
	pc := listenUDP(t, "[::1]:0", nil)
	if both, err := ListenUDP(soon(t), "udp", portOf(pc.LocalAddr()), nil); !isInUse(err) {
		t.Errorf("hearing beside somebody else: %v, %v", both, err)
	}
	listenTCP(t, "127.0.0.1:"+portOf(ln.Addr()), nil) // what the refused one had opened is closed
}
