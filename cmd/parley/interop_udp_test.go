//go:build unix

package main

import (
	"net"
	"os/exec"
	"strings"
	"testing"
)

// TestManySenders: three senders of datagrams, all heard and each answered. nc, ncat and socat hear only the first.
func TestManySenders(t *testing.T) {
	t.Parallel()
	cmd := parley("listen", "udp:127.0.0.1:0", "--tag")
	answers := input(t, cmd)
	v, address := listen(t, cmd)
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(address, "udp:"))
	senders := []struct {
		id  string
		cmd *exec.Cmd
	}{
		{"1", peer(t, "nc", "-u", "127.0.0.1", port)},
		{"2", peer(t, "socat", "-", "UDP:127.0.0.1:"+port)},
		{"3", peer(t, "ncat", "-u", "127.0.0.1", port)},
	}
	var started []*program
	for _, s := range senders {
		in := input(t, s.cmd)
		p := start(t, s.cmd)
		write(t, in, "hello from "+s.id+"\n")
		v.out.await(t, `(?m)^`+s.id+"\thello from "+s.id+`$`)
		started = append(started, p)
	}
	for i, s := range senders { // now that all are known
		write(t, answers, s.id+"\tanswer to "+s.id+"\n")
		started[i].out.await(t, "answer to "+s.id+"\n")
	}
	write(t, answers, "*\tanswer to all\n")
	for _, p := range started {
		p.out.await(t, "answer to all\n")
	}
	v.interrupt()
	v.leaves(130, `^parley: listening on [^\n]*\n$`)
}

// TestBareDatagrams: a datagram is a line, whether it ends in one or not.
func TestBareDatagrams(t *testing.T) {
	t.Parallel()
	v, address := listen(t, parley("listen", "udp:127.0.0.1:0", "--count", "3"))
	c := dial(t, "udp", strings.TrimPrefix(address, "udp:"))
	for _, text := range []string{"bare", "ended\n", ""} {
		write(t, c, text)
	}
	v.leaves(0, ``)
	v.says("bare\nended\n\n")
}

func TestAskUDP(t *testing.T) {
	t.Parallel()
	need(t, "cat")
	// This socat tells no port: it takes one as each datagram comes.
	port := freePort(t)
	p := start(t, peer(t, "socat", "-dd", "UDP-RECVFROM:"+port+",bind=127.0.0.1,fork", "EXEC:cat"))
	p.err.await(t, `receiving on`)
	v := start(t, parley("ask", "udp:127.0.0.1:"+port, "hello"))
	v.leaves(0, `^$`)
	v.says("hello\n")
	v = start(t, parley("call", "udp:127.0.0.1:"+port, "--say", "hello", "--idle-timeout", "200ms"))
	v.leaves(5, `nothing was said or heard \(--idle-timeout 200ms\): said 6 bytes; heard 6 bytes`)
	v.says("hello\n")
}

func TestCallUDP(t *testing.T) {
	t.Parallel()
	cmd := peer(t, "nc", "-v", "-u", "-l", "127.0.0.1", "0")
	theirs := input(t, cmd)
	p, address := peerServer(t, cmd, ncListens)
	call := parley("call", "udp:"+address)
	ours := input(t, call)
	v := start(t, call)
	for _, turn := range []string{"one", "two"} {
		write(t, ours, turn+"?\n")
		p.out.await(t, turn+`\?\n`)
		write(t, theirs, turn+"!\n")
		v.out.await(t, turn+"!\n")
	}
	v.interrupt()
	v.leaves(130, `^$`)
}

// TestEmptyEnds: with eof=empty both ends say the end, as socat does with shut-null and null-eof.
func TestEmptyEnds(t *testing.T) {
	t.Parallel()
	cmd := peer(t, "socat", "-dd", "-t40", "UDP-LISTEN:"+freePort(t)+",bind=127.0.0.1,shut-null,null-eof", "-")
	theirs := input(t, cmd)
	p, address := peerServer(t, cmd, `listening on UDP AF=2 127\.0\.0\.1:(\d+)`)
	v := start(t, stdin(parley("call", "udp:"+address+"?eof=empty"), "one\ntwo\n"))
	p.out.await(t, "one\ntwo\n")
	write(t, theirs, "the answer\n")
	theirs.Close()
	v.leaves(0, `^$`)
	v.says("the answer\n")
	p.leaves(0, ``)
}

func TestRefusedUDP(t *testing.T) {
	t.Parallel()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "udp:" + pc.LocalAddr().String()
	pc.Close()
	start(t, parley("ask", address, "hello")).leaves(4, `connection refused; nobody listens there`)
	start(t, parley("call", address, "--say", "hello")).leaves(4, `connection refused; nobody listens there`)
}
