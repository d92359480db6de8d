package main

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"sync"
	"testing"
)

// need skips a test whose peer is not on this machine. With PARLEY_PEERS=required, as where all peers are known to be
// installed, it fails: a test that nobody runs is no test.
func need(t *testing.T, peers ...string) {
	t.Helper()
	for _, name := range peers {
		if _, err := exec.LookPath(name); err != nil {
			missing(t, name)
		}
	}
}

func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("PARLEY_PEERS") == "required" {
		t.Fatalf("%s is missing, and PARLEY_PEERS=required", what)
	}
	t.Skipf("%s is missing", what)
}

// serve is a peer made of Go: it holds one conversation for each caller until the test ends, and returns where to call.
func serve(t *testing.T, hold func(c *net.TCPConn)) (address string) {
	t.Helper()
	nl, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var talks sync.WaitGroup
	talks.Go(func() {
		for {
			nc, err := nl.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
			talks.Go(func() {
				defer nc.Close()
				hold(nc.(*net.TCPConn))
			})
		}
	})
	t.Cleanup(func() {
		nl.Close()
		talks.Wait()
	})
	return nl.Addr().String()
}

// dial calls address, which the test closes.
func dial(t *testing.T, network, address string) net.Conn {
	t.Helper()
	nc, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return nc
}

// freePort returns a TCP port for peers that cannot choose one themselves.
func freePort(t *testing.T) string {
	t.Helper()
	nl, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer nl.Close()
	_, port, err := net.SplitHostPort(nl.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// peer returns a command of a program that is not ours; it is not started yet.
func peer(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	need(t, name)
	return exec.Command(name, args...)
}

// peerServer starts a peer that listens on a port of its own choice and tells it: the last number that it says, on
// either output, in the line that matches pattern.
func peerServer(t *testing.T, cmd *exec.Cmd, pattern string) (p *program, address string) {
	t.Helper()
	p = start(t, cmd)
	return p, "127.0.0.1:" + p.err.await(t, pattern)[1]
}

// What peers say when callers can come. The group is the port.
const (
	ncListens    = `(?:Listening|Bound) on localhost (\d+)`
	ncatListens  = `Listening on 127\.0\.0\.1:(\d+)`
	socatListens = `listening on AF=2 127\.0\.0\.1:(\d+)`
)
