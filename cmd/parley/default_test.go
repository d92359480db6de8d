//go:build unix

package main

import (
	"net"
	"testing"
)

// TestDefaultPort is the first sample of all: parley listen, and parley call 7070.
func TestDefaultPort(t *testing.T) {
	nl, err := net.Listen("tcp", "127.0.0.1:7070")
	if err != nil {
		t.Skipf("somebody else has the port: %v", err)
	}
	nl.Close()
	v, address := listen(t, parley("listen"))
	if address != "127.0.0.1:7070" {
		t.Errorf("listens on %s", address)
	}
	v.err.await(t, `this machine only\); to call it: parley call 7070\n`)
	start(t, parley("call", "7070", "--say", "Hello there!")).leaves(0, `^$`)
	start(t, parley("call", "--say", "Hello again!", "localhost:7070")).leaves(0, `^$`)
	v.out.await(t, "^Hello there!\nHello again!\n$")
	v.interrupt()
	v.leaves(130, ``)
}
