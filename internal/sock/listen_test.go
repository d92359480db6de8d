package sock

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"

	"parley/internal/sys"
)

// A number is this machine only, by either family, on one port.
func TestBothLoopbacks(t *testing.T) {
	needIPv6(t)
	ln := listenTCP(t, "0", nil)
	port := portOf(ln.Addr())
	if port == "0" {
		t.Fatalf("listening on %v", ln.Addr())
	}
	for _, target := range []string{"127.0.0.1:" + port, "[::1]:" + port, "localhost:" + port, port} {
		nc := dialTCP(t, target, nil)
		accepted := accept(t, ln)
		if accepted.RemoteAddr().String() != nc.LocalAddr().String() {
			t.Errorf("%s: accepted %v, called from %v", target, accepted.RemoteAddr(), nc.LocalAddr())
		}
	}
	for network, host := range map[string]string{"tcp4": "127.0.0.1", "tcp6": "::1"} {
		ln, err := ListenTCP(soon(t), network, "0", nil)
		closes(t, ln, err)
		if got, _ := HostPort(ln.Addr()); got != host {
			t.Errorf("%s listens on %s", network, got)
		}
	}
}

func TestBothLoopbacksOfDatagrams(t *testing.T) {
	needIPv6(t)
	pc := listenUDP(t, "0", nil)
	port := portOf(pc.LocalAddr())
	for _, target := range []string{"127.0.0.1:" + port, "[::1]:" + port, port} {
		nc, err := DialUDP(soon(t), "udp", target, nil)
		closes(t, nc, err)
		if _, err := nc.Write([]byte("hello?")); err != nil {
			t.Fatal(err)
		}
		p := make([]byte, 10)
		n, from, err := ReadFrom(soon(t), pc, p)
		if err != nil || string(p[:n]) != "hello?" || from.String() != nc.LocalAddr().String() {
			t.Fatalf("%s: heard %q from %v, %v", target, p[:n], from, err)
		}
		if _, err := pc.WriteTo([]byte("yes"), from); err != nil {
			t.Fatal(err)
		}
		if n, err := nc.Read(p); err != nil || string(p[:n]) != "yes" {
			t.Errorf("%s: the reply is %q, %v", target, p[:n], err)
		}
	}
	_, err := pc.WriteTo(nil, &net.UnixAddr{Name: "/x", Net: "unixgram"})
	says(t, "a datagram to a Unix socket", err, "/x is no UDP address")
}

// Where a listener has one loopback address only, a number finds it.
func TestDialEitherLoopback(t *testing.T) {
	needIPv6(t)
	for _, host := range loopback {
		ln := listenTCP(t, net.JoinHostPort(host, "0"), nil)
		nc := dialTCP(t, portOf(ln.Addr()), nil)
		if got, _ := HostPort(nc.RemoteAddr()); got != host {
			t.Errorf("reached %s, want %s", got, host)
		}
	}
}

func TestEveryInterface(t *testing.T) {
	for _, target := range []string{":0", "*:0"} {
		ln := listenTCP(t, target, nil)
		dialTCP(t, Callable("tcp", ln.Addr()), nil)
		accept(t, ln)
		if host, _ := HostPort(ln.Addr()); !net.ParseIP(host).IsUnspecified() {
			t.Errorf("%s listens on %s only", target, host)
		}
	}
}

// A listener that cannot be as it was asked for is closed again.
func TestListenThatFailsLetsGo(t *testing.T) {
	free := listenTCP(t, "127.0.0.1:0", nil)
	port := portOf(free.Addr())
	free.Close()
	for _, target := range []string{port, "127.0.0.1:" + port} {
		_, err := ListenTCP(soon(t), "tcp", target, Params{"backlog": "few"})
		says(t, "backlog=few", err, "param backlog=few")
		listenTCP(t, target, nil).Close()
	}
}

func TestParamFrom(t *testing.T) {
	ln := listenTCP(t, "127.0.0.1:0", nil)
	free := listenTCP(t, "127.0.0.1:0", nil)
	port := portOf(free.Addr())
	free.Close()
	for from, want := range map[string]string{"127.0.0.1": "127.0.0.1:", "127.0.0.1:0": "127.0.0.1:", "127.0.0.1:" + port: "127.0.0.1:" + port} {
		nc := dialTCP(t, ln.Addr().String(), Params{"from": from})
		if got := nc.LocalAddr().String(); !strings.HasPrefix(got, want) {
			t.Errorf("from=%s: from %s", from, got)
		}
	}
	pc := listenUDP(t, "127.0.0.1:0", nil)
	nc, err := DialUDP(soon(t), "udp", pc.LocalAddr().String(), Params{"from": ":" + port})
	if closes(t, nc, err); portOf(nc.LocalAddr()) != port {
		t.Errorf("from=:%s: from %v", port, nc.LocalAddr())
	}
	for from, words := range map[string][]string{
		"nowhere":     {"param from=nowhere", `no port in "nowhere"`},
		"127.0.0.1:x": {"param from=127.0.0.1:x", `unknown service "x"`},
	} {
		_, err := DialTCP(soon(t), "tcp", ln.Addr().String(), Params{"from": from})
		says(t, "from="+from, err, words...)
	}
}

func TestNumber(t *testing.T) {
	for text, want := range map[string]int{"": 1, "yes": 1, "ON": 1, "true": 1, "no": 0, "Off": 0, "false": 0, "0": 0, "7": 7, "30s": 30, "65536": 65536} {
		if got, err := number("x", text); got != want || err != nil {
			t.Errorf("%q: %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"-1", "1.5", "1m", "x", "s", "99999999999999999999"} {
		_, err := number("x", text)
		says(t, text, err, "param x="+text, "yes or no")
	}
}

// The table that help is made of has all params that are read, and no others.
func TestParamTables(t *testing.T) {
	for scheme, table := range map[string][]Param{"tcp": StreamParams, "udp": DatagramParams, "tls": TLSParams, "unix": UnixParams} {
		seen := map[string]bool{}
		for _, p := range table {
			if seen[p.Name] || p.Summary == "" || p.Name != strings.ToLower(p.Name) {
				t.Errorf("%s: %+v", scheme, p)
			}
			seen[p.Name] = true
		}
	}
	for name, o := range early {
		in := func(table []Param) bool {
			return slices.ContainsFunc(table, func(p Param) bool { return p.Name == name })
		}
		if !in(DatagramParams) || !in(StreamParams) && o != sys.Broadcast {
			t.Errorf("%s is read, and in no table", name)
		}
	}
}

// A joined listener has goroutines of its own, which its Close ends, whatever it is doing.
func TestJoinedListenerCloses(t *testing.T) {
	needIPv6(t)
	for name, before := range map[string]func(ln net.Listener){
		"idle": func(net.Listener) {},
		"with callers that nobody accepts": func(ln net.Listener) {
			for _, host := range loopback {
				dialTCP(t, net.JoinHostPort(host, portOf(ln.Addr())), nil)
			}
		},
		"after an Accept": func(ln net.Listener) {
			dialTCP(t, portOf(ln.Addr()), nil)
			accept(t, ln)
		},
	} {
		ln := listenTCP(t, "0", nil)
		before(ln)
		if err := ln.Close(); err != nil {
			t.Errorf("%s: close: %v", name, err)
		}
		if left := goroutinesLeft(); left != "" {
			t.Errorf("%s: goroutines are left:\n\n%s", name, left)
		}
		for range 2 {
			if nc, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: accepted %v, %v", name, nc, err)
			}
		}
		if err := ln.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: a second close: %v", name, err)
		}
		port := portOf(ln.Addr())
		if nc, err := DialTCP(soon(t), "tcp", port, nil); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s: called after close: %v, %v", name, nc, err)
		}
	}
}

func TestJoinedListenerClosesDuringAccept(t *testing.T) {
	needIPv6(t)
	ln := listenTCP(t, "0", nil)
	accepted := make(chan error, 1)
	go func() { _, err := ln.Accept(); accepted <- err }()
	ln.Close()
	if err := <-accepted; !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

// A caller that comes while an Accept is given up is not lost.
func TestJoinedAcceptGivesUp(t *testing.T) {
	needIPv6(t)
	ln := listenTCP(t, "0", nil)
	ctx, cancel := context.WithCancel(context.Background())
	given := make(chan error, 1)
	go func() { _, err := Accept(ctx, ln); given <- err }()
	cancel()
	if err := <-given; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	dialTCP(t, portOf(ln.Addr()), nil)
	accept(t, ln)
}

func TestJoinedDatagramsClose(t *testing.T) {
	needIPv6(t)
	pc := listenUDP(t, "0", nil)
	nc, err := DialUDP(soon(t), "udp", portOf(pc.LocalAddr()), nil)
	closes(t, nc, err)
	if _, err := nc.Write([]byte("heard by nobody")); err != nil {
		t.Fatal(err)
	}
	if err := pc.Close(); err != nil {
		t.Error(err)
	}
	if left := goroutinesLeft(); left != "" {
		t.Errorf("goroutines are left:\n\n%s", left)
	}
	if _, _, err := pc.ReadFrom(make([]byte, 10)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read after close: %v", err)
	}
}

// A context ends an Accept and a ReadFrom without harm, however they are waited for.
func TestWaitsGiveUp(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	expiring, cancel := context.WithTimeout(context.Background(), 1)
	defer cancel()
	ln, pc := listenTCP(t, "127.0.0.1:0", nil), listenUDP(t, "127.0.0.1:0", nil)
	for ctx, want := range map[context.Context]error{ended: context.Canceled, expiring: context.DeadlineExceeded} {
		if nc, err := Accept(ctx, ln); !errors.Is(err, want) {
			t.Errorf("accepted %v, %v, want %v", nc, err, want)
		}
		if _, _, err := ReadFrom(ctx, pc, make([]byte, 1)); !errors.Is(err, want) {
			t.Errorf("read: %v, want %v", err, want)
		}
	}
	dialTCP(t, ln.Addr().String(), nil)
	accept(t, ln)
}

func TestIsShortage(t *testing.T) {
	accept := func(errno syscall.Errno) error {
		return &net.OpError{Op: "accept", Err: errno}
	}
	for errno, want := range map[syscall.Errno]bool{syscall.EMFILE: true, syscall.ECONNABORTED: true, syscall.ENOMEM: true, syscall.EINVAL: false} {
		if got := IsShortage(accept(errno)); got != want {
			t.Errorf("%v: %v, want %v", errno, got, want)
		}
	}
	if IsShortage(net.ErrClosed) {
		t.Error("a closed listener is no shortage")
	}
}
