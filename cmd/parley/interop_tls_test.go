//go:build unix

package main

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
)

const opensslListens = `ACCEPT 127\.0\.0\.1:(\d+)`

// sServer starts openssl s_server, for one caller.
func sServer(t *testing.T, server certificate, args ...string) (p *program, in io.WriteCloser, port string) {
	t.Helper()
	cmd := peer(t, "openssl", append([]string{"s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-cert", server.file, "-key", server.file}, args...)...)
	in = input(t, cmd)
	p = start(t, cmd)
	return p, in, p.out.await(t, opensslListens)[1]
}

// TestTrust: who is verified, and how.
func TestTrust(t *testing.T) {
	t.Parallel()
	ca, stranger := certify(t, "test authority", nil), certify(t, "other authority", nil)
	server := certify(t, "server", &ca)
	tests := []struct {
		name, host, params string
		code               int
		stderr             string
	}{
		{"by its authority", "localhost", "?ca=" + ca.authority, 0, `^$`},
		{"by address", "127.0.0.1", "?ca=" + ca.authority, 0, `^$`},
		{"by pin", "localhost", "?pin=" + server.pin(), 0, `^$`},
		{"not at all", "localhost", "?insecure", 0, `^$`},
		{"by the system", "localhost", "", 4, `certificate signed by unknown authority; if this is the certificate you expect, add pin=` + server.pin()},
		{"by another authority", "localhost", "?ca=" + stranger.authority, 4, `certificate signed by unknown authority`},
		{"of another name", "localhost", "?ca=" + ca.authority + "&servername=example.org", 4, `certificate is valid for localhost, not example\.org`},
		{"by another's pin", "localhost", "?pin=" + ca.pin(), 4, `the other end's certificate has pin=` + server.pin() + `, not pin=` + ca.pin()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, in, port := sServer(t, server)
			cmd := parley("call", "tls:"+tt.host+":"+port+tt.params)
			ours := input(t, cmd)
			v := start(t, cmd)
			if tt.code == 0 {
				write(t, ours, "hello\n")
				p.out.await(t, `(?m)^hello$`)
				write(t, in, "the answer\n")
				v.out.await(t, "the answer\n")
				ours.Close()
			}
			v.leaves(tt.code, tt.stderr)
		})
	}
}

// TestTLSCallers: openssl, socat and curl call a parley with a certificate.
func TestTLSCallers(t *testing.T) {
	t.Parallel()
	ca := certify(t, "test authority", nil)
	server := certify(t, "server", &ca)
	listener := func(t *testing.T, in string) (v *program, port string) {
		v, address := listen(t, stdin(parley("listen", "tls:127.0.0.1:0?cert="+server.file, "--once"), in))
		_, port, _ = net.SplitHostPort(strings.TrimPrefix(address, "tls:"))
		return v, port
	}
	t.Run("openssl", func(t *testing.T) {
		t.Parallel()
		cmd := parley("listen", "tls:127.0.0.1:0?cert="+server.file, "--once")
		answer := input(t, cmd)
		v, address := listen(t, cmd)
		_, port, _ := net.SplitHostPort(strings.TrimPrefix(address, "tls:"))
		cmd = peer(t, "openssl", "s_client", "-quiet", "-no_ign_eof", "-verify_return_error", "-CAfile", ca.authority, "-connect", "localhost:"+port)
		in := input(t, cmd)
		p := start(t, cmd)
		write(t, in, "hello\n")
		v.out.await(t, "hello\n")
		write(t, answer, "the answer\n")
		p.out.await(t, "the answer\n")
		in.Close()
		answer.Close()
		v.leaves(0, ``)
		p.leaves(0, ``)
	})
	t.Run("socat", func(t *testing.T) {
		t.Parallel()
		v, port := listener(t, "the answer\n")
		p := start(t, stdin(peer(t, "socat", "-t40", "-", "OPENSSL:localhost:"+port+",cafile="+ca.authority), "hello\n"))
		p.leaves(0, ``)
		p.says("the answer\n")
		v.leaves(0, ``)
		v.says("hello\n")
	})
	t.Run("curl", func(t *testing.T) {
		t.Parallel()
		v, port := listener(t, page)
		p := start(t, peer(t, "curl", "-s", "-S", "--cacert", ca.authority, "https://localhost:"+port+"/path"))
		p.leaves(0, `^$`)
		p.says("hello\n")
		v.leaves(0, ``)
	})
}

// TestOccasionalCertificate: a listener without one makes one, and tells its pin.
func TestOccasionalCertificate(t *testing.T) {
	t.Parallel()
	v, address := listen(t, stdin(parley("listen", "tls:0", "--once"), "the answer\n"))
	if !strings.Contains(address, "?pin=sha256:") {
		t.Errorf("no pin in %q", address)
	}
	v.err.await(t, `to call it: parley call '`+strings.ReplaceAll(address, "?", `\?`)+`'`)
	p := start(t, stdin(parley("call", address), "hello\n"))
	p.leaves(0, `^$`)
	p.says("the answer\n")
	v.leaves(0, ``)
	v.says("hello\n")
}

// TestClientCertificate: a listener with ca demands a certificate of its callers.
func TestClientCertificate(t *testing.T) {
	t.Parallel()
	ca, stranger := certify(t, "test authority", nil), certify(t, "other authority", nil)
	server, client, other := certify(t, "server", &ca), certify(t, "client", &ca), certify(t, "other", &stranger)
	v, address := listen(t, parley("listen", "tls:127.0.0.1:0?cert="+server.file+"&ca="+ca.authority, "--count", "4"))
	host := strings.TrimPrefix(address, "tls:")

	address += "?ca=" + ca.authority
	start(t, parley("call", address, "--say", "nameless")).leaves(6, `certificate required|connection reset`)
	v.err.await(t, `caller 1 .*client didn't provide a certificate`)
	// A certificate of another authority is shown, so that both ends hear what is wrong with it.
	start(t, parley("call", address+"&cert="+other.file, "--say", "stranger")).leaves(6, `unknown certificate authority|connection reset`)
	v.err.await(t, `caller 2 .*certificate signed by unknown authority`)
	p := start(t, parley("call", address+"&cert="+client.file, "--say", "from parley"))
	p.leaves(0, `^$`)
	start(t, stdin(peer(t, "openssl", "s_client", "-quiet", "-no_ign_eof", "-cert", client.file, "-CAfile", ca.authority, "-connect", host), "from openssl\n"))
	v.wait() // with the code of the first, whom it turned away
	v.says("from parley\nfrom openssl\n")
}

func TestOwnCertificate(t *testing.T) {
	t.Parallel()
	ca := certify(t, "test authority", nil)
	server, client := certify(t, "server", &ca), certify(t, "client", &ca)
	p, _, port := sServer(t, server, "-Verify", "1", "-verify_return_error", "-CAfile", ca.authority)
	v := start(t, parley("call", "tls:localhost:"+port+"?ca="+ca.authority+"&cert="+client.file, "--say", "hello"))
	p.out.await(t, `(?m)^hello$`)
	v.leaves(0, `^$`)
}

// TestTLSTruncated: an end without a close_notify may be an attacker's.
func TestTLSTruncated(t *testing.T) {
	t.Parallel()
	ca := certify(t, "test authority", nil)
	server := certify(t, "server", &ca)
	const cut = `unexpected EOF; what it said is incomplete`
	t.Run("killed", func(t *testing.T) {
		t.Parallel()
		p, in, port := sServer(t, server)
		cmd := parley("call", "tls:localhost:"+port+"?ca="+ca.authority)
		input(t, cmd)
		v := start(t, cmd)
		write(t, in, "not the whole story\n")
		v.out.await(t, "not the whole story\n")
		_ = p.cmd.Process.Kill()
		v.leaves(7, cut)
	})
	for _, verb := range []string{"call", "call --json", "call --frame line", "ask hello --reply-frame until_close"} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			address := serve(t, func(c *net.TCPConn) {
				tc := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{server.pair()}})
				if !strings.HasPrefix(verb, "call") {
					_, _ = bufio.NewReader(tc).ReadString('\n')
				}
				_, _ = io.WriteString(tc, "not the whole story\n")
				_ = c.CloseWrite()
				silent(c)
			})
			words := strings.Fields(verb)
			for i := range words {
				words[i] = strings.ReplaceAll(words[i], "_", " ")
			}
			args := append([]string{words[0], "tls:" + address + "?ca=" + ca.authority}, words[1:]...)
			cmd := parley(args...)
			input(t, cmd)
			v := start(t, cmd)
			v.leaves(7, cut)
			v.out.await(t, "not the whole story")
		})
	}
	t.Run("listen", func(t *testing.T) {
		t.Parallel()
		v, address := listen(t, parley("listen", "tls:127.0.0.1:0?cert="+server.file, "--count", "1"))
		c := dial(t, "tcp", strings.TrimPrefix(address, "tls:"))
		tc := tls.Client(c, &tls.Config{InsecureSkipVerify: true})
		write(t, tc, "not the whole story\n")
		v.out.await(t, "not the whole story\n")
		c.Close()
		v.leaves(7, `caller 1 .*`+cut)
	})
}

// TestNoTLS: an other end that speaks no TLS.
func TestNoTLS(t *testing.T) {
	t.Parallel()
	address := serve(t, func(c *net.TCPConn) { _, _ = io.WriteString(c, "220 smtp ready\r\n"); silent(c) })
	start(t, parley("call", "tls:"+address)).leaves(4, `first record does not look like a TLS handshake`)
	v, to := listen(t, parley("listen", "tls:127.0.0.1:0", "--count", "1"))
	to, _, _ = strings.Cut(strings.TrimPrefix(to, "tls:"), "?")
	c := dial(t, "tcp", to)
	write(t, c, "hello, no TLS here\n")
	v.err.await(t, `caller 1 .*first record does not look like a TLS handshake`)
	v.wait()
}
