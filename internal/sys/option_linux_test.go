package sys

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

func newSocket(t *testing.T, family, kind int) uintptr {
	t.Helper()
	fd, err := syscall.Socket(family, kind|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	return uintptr(fd)
}

func TestSetOption(t *testing.T) {
	const (
		socket = syscall.SOL_SOCKET
		tcp    = syscall.IPPROTO_TCP
		v4     = syscall.IPPROTO_IP
		v6     = syscall.IPPROTO_IPV6
	)
	for _, test := range []struct {
		family, kind  int
		option        Option
		value         int
		level, number int
		want          int
	}{
		{syscall.AF_INET, syscall.SOCK_STREAM, ReuseAddr, 1, socket, syscall.SO_REUSEADDR, 1},
		{syscall.AF_INET, syscall.SOCK_STREAM, ReusePort, 1, socket, reusePort, 1},
		{syscall.AF_INET, syscall.SOCK_STREAM, NoDelay, 1, tcp, syscall.TCP_NODELAY, 1},
		{syscall.AF_INET, syscall.SOCK_STREAM, KeepAlive, 7, tcp, syscall.TCP_KEEPIDLE, 7},
		{syscall.AF_INET, syscall.SOCK_STREAM, KeepAlive, 7, tcp, syscall.TCP_KEEPINTVL, 7},
		{syscall.AF_INET, syscall.SOCK_STREAM, KeepAlive, 7, socket, syscall.SO_KEEPALIVE, 1},
		{syscall.AF_INET, syscall.SOCK_STREAM, KeepAlive, 0, socket, syscall.SO_KEEPALIVE, 0},
		{syscall.AF_INET, syscall.SOCK_DGRAM, Broadcast, 1, socket, syscall.SO_BROADCAST, 1},
		{syscall.AF_INET, syscall.SOCK_STREAM, TTL, 9, v4, syscall.IP_TTL, 9},
		{syscall.AF_INET, syscall.SOCK_STREAM, TOS, 0x48, v4, syscall.IP_TOS, 0x48},
		{syscall.AF_INET6, syscall.SOCK_STREAM, TTL, 9, v6, syscall.IPV6_UNICAST_HOPS, 9},
		{syscall.AF_INET6, syscall.SOCK_STREAM, TTL, 9, v4, syscall.IP_TTL, 9},
		{syscall.AF_INET6, syscall.SOCK_STREAM, TOS, 0x48, v6, syscall.IPV6_TCLASS, 0x48},
		{syscall.AF_INET6, syscall.SOCK_STREAM, TOS, 0x48, v4, syscall.IP_TOS, 0x48},
		{syscall.AF_INET6, syscall.SOCK_STREAM, V6Only, 1, v6, syscall.IPV6_V6ONLY, 1},
		{syscall.AF_INET, syscall.SOCK_STREAM, RecvBuffer, 32 << 10, socket, syscall.SO_RCVBUF, 64 << 10},
		{syscall.AF_INET, syscall.SOCK_STREAM, SendBuffer, 32 << 10, socket, syscall.SO_SNDBUF, 64 << 10},
	} {
		fd := newSocket(t, test.family, test.kind)
		if err := SetOption(fd, test.family, test.option, test.value); err != nil {
			t.Errorf("%s = %d: %v", optionNames[test.option], test.value, err)
		}
		got, err := syscall.GetsockoptInt(int(fd), test.level, test.number)
		if got != test.want || err != nil {
			t.Errorf("%s = %d: option %d is %d, %v, want %d", optionNames[test.option], test.value, test.number, got, err, test.want)
		}
	}
}

func TestSetOptionErrors(t *testing.T) {
	fd := newSocket(t, syscall.AF_INET, syscall.SOCK_STREAM)
	for _, test := range []struct {
		family int
		option Option
		value  int
		want   error
		text   string
	}{
		{syscall.AF_INET, Linger, -2, syscall.EINVAL, "SO_LINGER"},
		{syscall.AF_INET, KeepAlive, -1, syscall.EINVAL, "TCP_KEEPIDLE"},
		{syscall.AF_INET, TTL, 300, syscall.EINVAL, "IP_TTL"},
		{syscall.AF_UNIX, TTL, 3, errors.ErrUnsupported, "IP_TTL"},
		{syscall.AF_INET, Linger + 1, 3, errors.ErrUnsupported, "unknown"},
	} {
		err := SetOption(fd, test.family, test.option, test.value)
		if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
			t.Errorf("option %d = %d: %v", test.option, test.value, err)
		}
	}
}

// TestLinger closes a conversation: 0 must reset it, and -1 take that back.
func TestLinger(t *testing.T) {
	for _, test := range []struct {
		values []int
		reset  bool
	}{{nil, false}, {[]int{0}, true}, {[]int{0, -1}, false}, {[]int{0, 5}, false}} {
		a, b := joined(t, "tcp4")
		control(t, a, func(fd uintptr) {
			for _, v := range test.values {
				if err := SetOption(fd, syscall.AF_INET, Linger, v); err != nil {
					t.Error(err)
				}
			}
		})
		a.Close()
		_, err := b.Read(make([]byte, 1))
		if got := errors.Is(err, syscall.ECONNRESET); got != test.reset {
			t.Errorf("linger %v: %v", test.values, err)
		}
	}
}

func TestSetBacklog(t *testing.T) {
	const backlog = 3
	ln := listen(t, "unix")
	control(t, ln.(*net.UnixListener), func(fd uintptr) {
		if err := SetBacklog(fd, backlog); err != nil {
			t.Error(err)
		}
	})
	// Linux lets backlog+1 wait; a caller that would have to wait gets EAGAIN.
	for i := range backlog + 2 {
		fd := newSocket(t, syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK)
		err := syscall.Connect(int(fd), &syscall.SockaddrUnix{Name: ln.Addr().String()})
		var want error
		if i == backlog+1 {
			want = syscall.EAGAIN
		}
		if err != want {
			t.Errorf("caller %d: %v, want %v", i+1, err, want)
		}
	}
	if err := SetBacklog(newSocket(t, syscall.AF_UNIX, syscall.SOCK_STREAM), 1); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("a socket without an address: %v", err)
	}
}

func TestSetBacklogTCP(t *testing.T) {
	const backlog = 3
	ln := listen(t, "tcp4").(*net.TCPListener)
	control(t, ln, func(fd uintptr) {
		if err := SetBacklog(fd, backlog); err != nil {
			t.Error(err)
		}
	})
	for range backlog + 1 {
		c, err := net.Dial("tcp4", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	// One more: its SYN is dropped, so it is still calling when the others wait.
	late := newSocket(t, syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK)
	address := &syscall.SockaddrInet4{Port: ln.Addr().(*net.TCPAddr).Port, Addr: [4]byte{127, 0, 0, 1}}
	if err := syscall.Connect(int(late), address); err != syscall.EINPROGRESS {
		t.Errorf("late caller: %v", err)
	}
	await(func() bool { waiting, _ := listenQueue(t, ln); return waiting == backlog+1 })
	if _, most := listenQueue(t, ln); most != backlog {
		t.Errorf("the kernel's backlog is %d, want %d", most, backlog)
	}
	if _, err := syscall.Getpeername(int(late)); err != syscall.ENOTCONN {
		t.Errorf("one caller too many got through: %v", err)
	}
}

// listenQueue reads how many callers wait, and how many may: tcpi_unacked and
// tcpi_sacked of a listening socket.
func listenQueue(t *testing.T, ln *net.TCPListener) (waiting, most int) {
	t.Helper()
	control(t, ln, func(fd uintptr) {
		info := tcpInfo(fd)
		if info == nil {
			t.Fatal("no TCP_INFO")
		}
		waiting, most = int(binary.NativeEndian.Uint32(info[24:])), int(binary.NativeEndian.Uint32(info[28:]))
	})
	return waiting, most
}

func TestBindToInterface(t *testing.T) {
	fd := newSocket(t, syscall.AF_INET, syscall.SOCK_DGRAM)
	if err := BindToInterface(fd, "nosuchdevice0"); err == nil || !strings.Contains(err.Error(), "nosuchdevice0") {
		t.Errorf("no such interface: %v", err)
	}
	if err := BindToInterface(fd, "lo"); errors.Is(err, os.ErrPermission) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	const soBindToIfIndex = 62 // SO_BINDTOIFINDEX, asm-generic/socket.h
	if got, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, soBindToIfIndex); got != lo.Index || err != nil {
		t.Errorf("bound to interface %d, %v, want %d", got, err, lo.Index)
	}
}

func TestAutobind(t *testing.T) {
	names := map[string]bool{}
	for range 2 {
		fd := newSocket(t, syscall.AF_UNIX, syscall.SOCK_DGRAM)
		if err := Autobind(fd); err != nil {
			t.Fatal(err)
		}
		own, err := syscall.Getsockname(int(fd))
		if err != nil {
			t.Fatal(err)
		}
		name := own.(*syscall.SockaddrUnix).Name
		if !strings.HasPrefix(name, "@") || len(name) < 2 || names[name] {
			t.Errorf("name %q after %v", name, names)
		}
		names[name] = true
	}
}
