package parleytest_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"

	"parley"
	"parley/parleytest"
)

func TestMain(m *testing.M) { os.Exit(parleytest.CheckLeaks(m)) }

// memory returns a Config for a new network in memory.
func memory() *parley.Config {
	return &parley.Config{Schemes: []parley.Scheme{new(parleytest.Network).Scheme()}}
}

func always(address string) func(*testing.T) string {
	return func(*testing.T) string { return address }
}

// socketPath returns a path for a socket; its length is limited to a hundred bytes or so, which t.TempDir may exceed.
func socketPath(t *testing.T) string {
	dir, err := os.MkdirTemp("", "parley")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

func TestSchemes(t *testing.T) {
	t.Run("mem", func(t *testing.T) {
		parleytest.TestScheme(t, parleytest.SchemeTest{Config: memory(), Address: always("mem:")})
	})
	t.Run("tcp", func(t *testing.T) {
		parleytest.TestScheme(t, parleytest.SchemeTest{Address: always("0")})
	})
	t.Run("tcp4", func(t *testing.T) {
		parleytest.TestScheme(t, parleytest.SchemeTest{Address: always("tcp4:127.0.0.1:0")})
	})
	t.Run("tcp6", func(t *testing.T) {
		needIPv6(t)
		parleytest.TestScheme(t, parleytest.SchemeTest{Address: always("tcp6:[::1]:0")})
	})
	t.Run("tls", func(t *testing.T) {
		parleytest.TestScheme(t, parleytest.SchemeTest{Address: always("tls:127.0.0.1:0")})
	})
	t.Run("udp", func(t *testing.T) {
		parleytest.TestScheme(t, parleytest.SchemeTest{Packets: true, Address: always("udp:127.0.0.1:0"), NoRefusal: udpNoRefusal})
	})
	t.Run("udp-local", func(t *testing.T) {
		parleytest.TestScheme(t, parleytest.SchemeTest{Packets: true, Address: always("udp:0"), NoRefusal: udpNoRefusal})
	})
}

const udpNoRefusal = "UDP learns of an absent listener with the reply to a datagram, if at all"

func needIPv6(t *testing.T) {
	ln, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 on this machine")
	}
	ln.Close()
}

func TestUnixSchemes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("other kinds of Unix socket than streams are not there")
	}
	t.Run("stream", func(t *testing.T) {
		parleytest.TestScheme(t, parleytest.SchemeTest{
			Address: func(t *testing.T) string { return socketPath(t) },
		})
	})
	t.Run("datagram", func(t *testing.T) {
		parleytest.TestScheme(t, parleytest.SchemeTest{
			Packets: true,
			Address: func(t *testing.T) string { return socketPath(t) + "?type=datagram" },
			Call:    datagramFrom,
		})
	})
}

// datagramFrom gives the caller a path where replies reach it, as systems other than Linux make none up.
func datagramFrom(t *testing.T, address string) string {
	if runtime.GOOS == "linux" {
		return address
	}
	return address + "&from=" + socketPath(t)
}

func TestUnixSchemesOfLinux(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has them")
	}
	var named atomic.Int64
	abstract := func(*testing.T) string {
		return fmt.Sprintf("@parleytest-%d-%d", os.Getpid(), named.Add(1))
	}
	t.Run("abstract", func(t *testing.T) {
		parleytest.TestScheme(t, parleytest.SchemeTest{Address: abstract})
	})
	t.Run("seqpacket", func(t *testing.T) {
		parleytest.TestScheme(t, parleytest.SchemeTest{
			Edges: true, MaxFrame: 100_000,
			Address: func(t *testing.T) string { return abstract(t) + "?type=seqpacket" },
		})
	})
	t.Run("abstract-datagram", func(t *testing.T) {
		parleytest.TestScheme(t, parleytest.SchemeTest{
			Packets: true,
			Address: func(t *testing.T) string { return abstract(t) + "?type=datagram" },
		})
	})
}
