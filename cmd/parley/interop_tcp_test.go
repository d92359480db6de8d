//go:build unix

package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// tcpListeners are the peers that listen, hear one caller, and say the end when their standard input ends.
func tcpListeners() map[string]func(t *testing.T) (cmd *exec.Cmd, ready string) {
	return map[string]func(t *testing.T) (*exec.Cmd, string){
		"nc": func(t *testing.T) (*exec.Cmd, string) {
			return peer(t, "nc", "-v", "-l", "-N", "127.0.0.1", "0"), ncListens
		},
		"ncat": func(t *testing.T) (*exec.Cmd, string) {
			return peer(t, "ncat", "-v", "-l", "127.0.0.1", freePort(t)), ncatListens
		},
		"socat": func(t *testing.T) (*exec.Cmd, string) {
			return peer(t, "socat", "-dd", "-t40", "TCP-LISTEN:0,bind=127.0.0.1", "-"), socatListens
		},
		"perl": func(t *testing.T) (*exec.Cmd, string) {
			return peer(t, "perl", "-MIO::Socket::INET", "-e", perlListener), `ready (\d+)`
		},
	}
}

const perlListener = `
	$l = IO::Socket::INET->new(Listen => 1, LocalHost => "127.0.0.1") or die;
	print STDERR "ready ", $l->sockport, "\n";
	$| = 1;
	$c = $l->accept;
	print while <$c>;
	print $c <STDIN>;
`

// tcpCallers are the peers that call, and say the end when their standard input ends.
func tcpCallers(t *testing.T, address string) map[string]func(t *testing.T) *exec.Cmd {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]func(t *testing.T) *exec.Cmd{
		"nc":    func(t *testing.T) *exec.Cmd { return peer(t, "nc", "-N", host, port) },
		"ncat":  func(t *testing.T) *exec.Cmd { return peer(t, "ncat", host, port) },
		"socat": func(t *testing.T) *exec.Cmd { return peer(t, "socat", "-t40", "-", "TCP:"+address) },
		"perl":  func(t *testing.T) *exec.Cmd { return peer(t, "perl", "-MIO::Socket::INET", "-e", perlCaller, address) },
	}
}

const perlCaller = `
	$c = IO::Socket::INET->new($ARGV[0]) or die;
	print $c $_ while <STDIN>;
	$c->shutdown(1);
	print while <$c>;
`

// TestCallPeer: a request ended by EOF, and an answer long after it.
func TestCallPeer(t *testing.T) {
	t.Parallel()
	for name, listener := range tcpListeners() {
		if name == "nc" || name == "ncat" {
			continue // these leave when their caller has ended, whatever they had to say
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd, ready := listener(t)
			in := input(t, cmd)
			p, address := peerServer(t, cmd, ready)
			v := start(t, stdin(parley("call", address, "--patience", "50ms"), "b\na\n"))
			p.out.await(t, `b\na\n`)
			v.err.await(t, `waiting .* for `+address+` to speak or to end: said 4 bytes.*; heard 0 bytes; this end has ended`)
			write(t, in, "the answer\n")
			in.Close()
			v.leaves(0, ``)
			v.says("the answer\n")
			p.leaves(0, ``)
			p.says("b\na\n")
		})
	}
}

// TestListenPeer is the same, the other way round.
func TestListenPeer(t *testing.T) {
	t.Parallel()
	for name := range tcpCallers(t, "127.0.0.1:0") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := parley("listen", "0", "--once", "--patience", "50ms")
			in := input(t, cmd)
			v, address := listen(t, cmd)
			p := start(t, stdin(tcpCallers(t, address)[name](t), "b\na\n"))
			v.out.await(t, `b\na\n`)
			v.err.await(t, `waiting .* for the end of standard input: .*heard 4 bytes; the other end has ended`)
			write(t, in, "the answer\n")
			in.Close()
			p.leaves(0, ``)
			p.says("the answer\n")
			v.leaves(0, ``)
			v.says("b\na\n")
		})
	}
}

// TestSort: sort answers only when it has heard everything.
func TestSort(t *testing.T) {
	t.Parallel()
	need(t, "sort")
	_, address := peerServer(t, peer(t, "socat", "-dd", "-t40", "TCP-LISTEN:0,bind=127.0.0.1", "EXEC:sort"), socatListens)
	p := start(t, stdin(parley("call", address), "pear\napple\nfig\n"))
	p.leaves(0, `^$`)
	p.says("apple\nfig\npear\n")
}

// TestListenToAll has one caller of each peer, and what they say in whole lines.
func TestListenToAll(t *testing.T) {
	t.Parallel()
	v, address := listen(t, parley("listen", "0", "--count", "4"))
	for name, caller := range tcpCallers(t, address) {
		p := start(t, stdin(caller(t), "hello from "+name+"\n"))
		p.leaves(0, ``)
		p.says("")
	}
	v.leaves(0, ``)
	for name := range tcpCallers(t, address) {
		v.out.await(t, `(?m)^hello from `+name+`$`)
	}
}

// TestTurns: turns taken one after the other, with each real listener.
func TestTurns(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"nc", "ncat", "socat"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd, ready := tcpListeners()[name](t)
			theirs := input(t, cmd)
			p, address := peerServer(t, cmd, ready)
			call := parley("call", address)
			ours := input(t, call)
			v := start(t, call)
			for _, turn := range []string{"one", "two", "three"} {
				write(t, ours, turn+"?\n")
				p.out.await(t, turn+`\?\n`)
				write(t, theirs, turn+"!\n")
				v.out.await(t, turn+"!\n")
			}
			ours.Close()
			theirs.Close()
			v.leaves(0, `^$`)
			p.leaves(0, ``)
		})
	}
}

// TestPeerEndsFirst: what is left to say is still said, to a peer that has ended but hears.
func TestPeerEndsFirst(t *testing.T) {
	t.Parallel()
	cmd := peer(t, "socat", "-dd", "-t40", "TCP-LISTEN:0,bind=127.0.0.1", "-")
	p, address := peerServer(t, stdin(cmd, "I say this and no more\n"), socatListens)
	call := parley("call", address)
	ours := input(t, call)
	v := start(t, call)
	v.out.await(t, "no more\n")
	write(t, ours, "late words\n")
	ours.Close()
	v.leaves(0, ``)
	p.leaves(0, ``)
	p.says("late words\n")
}

// TestAskHTTP asks a real HTTP server, as the help does.
func TestAskHTTP(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/hello.txt", []byte("hello from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, peer(t, "python3", "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", dir))
	address := "127.0.0.1:" + p.out.await(t, `port (\d+)`)[1]
	v := start(t, parley("ask", address, "GET /hello.txt HTTP/1.0", "--frame", "crlf blank line", "--reply-frame", "until close"))
	v.leaves(0, `^$`)
	v.out.await(t, `(?s)^HTTP/1\.0 200 OK\r\n.*\r\n\r\nhello from a file\n$`)
	v = start(t, stdin(parley("call", address), "GET /hello.txt HTTP/1.0\r\n\r\n"))
	v.leaves(0, `^$`)
	v.out.await(t, `(?s)^HTTP/1\.0 200 OK\r\n.*\r\n\r\nhello from a file\n$`)
}

// TestAskGoHTTP asks a server that takes a half-close for a hang-up, as Go's does.
func TestAskGoHTTP(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "hello from "+r.URL.Path)
	}))
	defer s.Close()
	v := start(t, parley("ask", s.Listener.Addr().String(), "GET /here HTTP/1.0", "--frame", "crlf blank line", "--reply-frame", "until close"))
	v.leaves(0, `^$`)
	v.out.await(t, `(?s)^HTTP/1\.0 200 OK\r\n.*\r\n\r\nhello from /here$`)
}

const page = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n"

// TestCurl: parley listens, and answers curl from a file.
func TestCurl(t *testing.T) {
	t.Parallel()
	v, address := listen(t, stdin(parley("listen", "0", "--once"), page))
	p := start(t, peer(t, "curl", "-s", "-S", "http://"+address+"/path"))
	p.leaves(0, `^$`)
	p.says("hello\n")
	v.leaves(0, ``)
	if !strings.HasPrefix(v.out.text(), "GET /path HTTP/1.1\r\n") {
		t.Errorf("heard %q", v.out.text())
	}
}

// TestAskEachLine asks line by line, on one conversation.
func TestAskEachLine(t *testing.T) {
	t.Parallel()
	need(t, "cat")
	_, address := peerServer(t, peer(t, "socat", "-dd", "-t40", "TCP-LISTEN:0,bind=127.0.0.1", "EXEC:cat"), socatListens)
	p := start(t, stdin(parley("ask", address, "--each-line"), "one\ntwo\nthree"))
	p.leaves(0, `^$`)
	p.says("one\ntwo\nthree\n")
}
