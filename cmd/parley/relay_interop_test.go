//go:build unix

package main

import (
	"crypto/tls"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestRelayCallers: callers that are not ours, through a relay to a server that answers after their end.
func TestRelayCallers(t *testing.T) {
	t.Parallel()
	text := shuffledLines(5000)
	_, address := relaying(t, "127.0.0.1:0", sortServer(t))
	name := socketDir(t) + "/front"
	relaying(t, name, sortServer(t))
	host, port, _ := strings.Cut(address, ":")
	for _, args := range [][]string{
		{"nc", "-N", host, port}, {"nc", "-NU", name}, {"ncat", host, port}, {"ncat", "-U", name},
		{"socat", "-t40", "-", "TCP:" + address}, {"socat", "-t40", "-", "UNIX-CONNECT:" + name},
	} {
		t.Run(strings.Join(args[:2], " "), func(t *testing.T) {
			t.Parallel()
			p := start(t, stdin(peer(t, args[0], args[1:]...), text))
			p.leaves(0, ``)
			p.says(sorted(text))
		})
	}
}

// TestRelayPeerTargets: servers that are not ours, which answer after the end of what they hear.
func TestRelayPeerTargets(t *testing.T) {
	t.Parallel()
	text := shuffledLines(5000)
	for name, of := range map[string]struct {
		args    []string
		pattern string
	}{
		"socat": {[]string{"socat", "-dd", "-t40", "TCP-LISTEN:0,bind=127.0.0.1", "EXEC:sort"}, socatListens},
		"nc":    {[]string{"nc", "-lvN", "127.0.0.1", "0"}, ncListens},
		"ncat":  {[]string{"ncat", "-vl", "127.0.0.1", freePort(t)}, ncatListens}, // its --exec forgets the answer when it hears the end
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := peer(t, of.args[0], of.args[1:]...)
			cmd.Env = append(os.Environ(), "LC_ALL=C")
			want := sorted(text)
			if of.args[0] != "socat" { // these answer nothing but what they are given
				cmd, want = stdin(cmd, "hello from here\n"), "hello from here\n"
			}
			p, target := peerServer(t, cmd, of.pattern)
			_, address := relaying(t, "127.0.0.1:0", target)
			if got := exchange(t, address, text); got != want {
				t.Errorf("heard %d bytes, want %d", len(got), len(want))
			}
			if of.args[0] != "socat" {
				p.leaves(0, ``)
				p.says(text)
			}
		})
	}
}

// TestRelayTLS: TLS ends at A, begins at B, or passes unread, with OpenSSL at either end.
func TestRelayTLS(t *testing.T) {
	t.Parallel()
	cert := certify(t, "localhost", nil)
	sclient := func(t *testing.T, address string, args ...string) *exec.Cmd {
		args = append([]string{"s_client", "-quiet", "-no_ign_eof", "-verify_return_error", "-CAfile", cert.authority, "-connect", address}, args...)
		return peer(t, "openssl", args...)
	}
	t.Run("ends at A", func(t *testing.T) {
		t.Parallel()
		_, address := relaying(t, "tls:127.0.0.1:0?cert="+cert.file, saysServer(t, "plain inside\n"))
		cmd := sclient(t, address)
		input(t, cmd)
		start(t, cmd).out.await(t, `plain inside`)
	})
	t.Run("begins at B", func(t *testing.T) {
		t.Parallel()
		target := openSSLServer(t, cert)
		_, address := relaying(t, "127.0.0.1:0", "tls:"+target+"?ca="+cert.authority)
		c := talk(t, address)
		c.say("GET / HTTP/1.0\r\n\r\n")
		if got := c.rest(); !strings.HasPrefix(got, "HTTP/1.0 200") {
			t.Errorf("heard %.100q", got)
		}
	})
	t.Run("is not trusted at B", func(t *testing.T) {
		t.Parallel()
		v, address := relaying(t, "127.0.0.1:0", "tls:"+openSSLServer(t, cert))
		isTurnedAway(t, address)
		v.err.await(t, `certificate`)
	})
	t.Run("passes", func(t *testing.T) {
		t.Parallel()
		target := openSSLServer(t, cert)
		for _, route := range []string{"sni:api.example", "alpn:http/1.1", ""} {
			args := []string{"127.0.0.1:0", "127.0.0.1:" + freePort(t), "--route", route + "=" + target}
			if route == "" {
				args = []string{"127.0.0.1:0", target}
			}
			_, address := relaying(t, args...)
			cmd := sclient(t, address, "-ign_eof", "-servername", "api.example", "-alpn", "h2,http/1.1")
			in := input(t, cmd)
			p := start(t, cmd)
			write(t, in, "GET / HTTP/1.0\r\n\r\n")
			p.leaves(0, ``)
			if got := p.out.text(); !strings.HasPrefix(got, "HTTP/1.0 200") {
				t.Errorf("%s: heard %.100q", route, got)
			}
		}
	})
}

// openSSLServer answers HTTP over TLS.
func openSSLServer(t *testing.T, cert certificate, args ...string) string {
	t.Helper()
	port := freePort(t)
	cmd := peer(t, "openssl", append([]string{"s_server", "-www", "-accept", "127.0.0.1:" + port, "-cert", cert.file}, args...)...)
	input(t, cmd)
	start(t, cmd).out.await(t, `ACCEPT`)
	return "127.0.0.1:" + port
}

// TestRelayRoutes: TLS that passes unread goes where its server name or its protocol says; what is no TLS goes to B.
func TestRelayRoutes(t *testing.T) {
	t.Parallel()
	cert := certify(t, "localhost", nil)
	named := func(name string, protocols ...string) string {
		nl, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert.pair()}, NextProtos: protocols})
		if err != nil {
			t.Fatal(err)
		}
		serveOn(t, nl, func(c net.Conn) { _, _ = io.WriteString(c, name) })
		return nl.Addr().String()
	}
	routes := []string{
		"--route", "sni:api.example=" + named("api"), "--route", "sni:*.wild.example=" + named("wild"), "--route", "alpn:spdy=" + named("spdy", "spdy"),
	}
	plain := saysServer(t, "plain")
	for _, a := range []string{"127.0.0.1:0", "tls:127.0.0.1:0?cert=" + cert.file} {
		ends := strings.HasPrefix(a, "tls")
		t.Run(a[:3], func(t *testing.T) {
			t.Parallel()
			args := append([]string{a, named("other"), "--sniff-within", "300ms"}, routes...)
			if ends { // the targets of the others speak TLS, so these are named by what they say in plain
				args = []string{a, plain, "--route", "sni:api.example=" + saysServer(t, "api"), "--route", "sni:*.wild.example=" + saysServer(t, "wild")}
			}
			_, address := relaying(t, args...)
			for server, want := range map[string]string{"api.example": "api", "API.example": "api", "a.wild.example": "wild", "wild.example": "other", "b.example": "other"} {
				if ends && want == "other" {
					want = "plain"
				}
				c := talkTLS(t, address, &tls.Config{InsecureSkipVerify: true, ServerName: server})
				c.hears(want)
				c.Close()
			}
			if ends {
				return
			}
			c := talkTLS(t, address, &tls.Config{InsecureSkipVerify: true, ServerName: "b.example", NextProtos: []string{"spdy"}})
			c.hears("spdy")
		})
	}
	t.Run("no TLS", func(t *testing.T) {
		t.Parallel()
		_, address := relaying(t, append([]string{"127.0.0.1:0", sortServer(t)}, routes...)...)
		if got := exchange(t, address, "b\na\n"); got != "a\nb\n" {
			t.Errorf("heard %q", got)
		}
		_, silentAddress := relaying(t, append([]string{"127.0.0.1:0", plain, "--sniff-within", "200ms"}, routes...)...)
		talk(t, silentAddress).hears("plain") // who says nothing gets it too
	})
}

// TestRelayHTTP: curl through a relay to what serves HTTP.
func TestRelayHTTP(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rewrite(t, dir+"/page", strings.Repeat("a page\n", 10_000))
	port := freePort(t)
	for _, args := range [][]string{
		{"busybox", "httpd", "-f", "-p", "127.0.0.1:" + port, "-h", dir},
		{"python3", "-m", "http.server", "--bind", "127.0.0.1", "--directory", dir},
	} {
		t.Run(args[0], func(t *testing.T) {
			if args[0] == "python3" {
				port = freePort(t)
				args = append(args, port)
			}
			cmd := peer(t, args[0], args[1:]...)
			if args[0] == "busybox" && exec.Command("busybox", "httpd", "--help").Run() != nil {
				missing(t, "busybox httpd")
			}
			start(t, cmd)
			_, address := relaying(t, "127.0.0.1:0", "127.0.0.1:"+port, "--retry-for", "30s")
			p := start(t, peer(t, "curl", "-sS", "http://"+address+"/page", "http://"+address+"/page"))
			p.leaves(0, `^$`)
			if len(p.out.text()) != 140_000 {
				t.Errorf("heard %d bytes", len(p.out.text()))
			}
		})
	}
}

// TestRelayGit: git clone from git daemon.
func TestRelayGit(t *testing.T) {
	t.Parallel()
	need(t, "git")
	if exec.Command("git", "daemon", "--help").Run() != nil {
		missing(t, "git daemon")
	}
	dir, port := t.TempDir(), freePort(t)
	for _, args := range [][]string{
		{"init", "-q", dir + "/repo"}, {"-C", dir + "/repo", "-c", "user.name=x", "-c", "user.email=x@x.example", "commit", "-q", "--allow-empty", "-m", "the one"},
	} {
		if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	cmd := exec.Command("git", "daemon", "--base-path="+dir, "--export-all", "--listen=127.0.0.1", "--port="+port)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	start(t, cmd)
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }) // git runs the daemon as a process of its own
	_, address := relaying(t, "127.0.0.1:0", "127.0.0.1:"+port, "--retry-for", "30s")
	start(t, exec.Command("git", "clone", "-q", "git://"+address+"/repo", dir+"/copy")).leaves(0, `^$`)
	out, err := exec.Command("git", "-C", dir+"/copy", "log", "--format=%s").Output()
	if err != nil || string(out) != "the one\n" {
		t.Errorf("cloned %q, %v", out, err)
	}
}

// TestRelaySocatDatagrams: socat answers the datagrams that lines become.
func TestRelaySocatDatagrams(t *testing.T) {
	t.Parallel()
	_, target := peerServer(t, peer(t, "socat", "-dd", "UDP-LISTEN:0,bind=127.0.0.1", "EXEC:cat"), `listening on UDP AF=2 127\.0\.0\.1:(\d+)`)
	_, address := relaying(t, "127.0.0.1:0", "udp:"+target)
	c := talk(t, address)
	for _, text := range []string{"one\n", "two\n", "three\n"} {
		c.say(text)
		c.hears(text)
	}
}

// TestRelayLinesToDatagrams: each line is a datagram without its end, and each datagram a line.
func TestRelayLinesToDatagrams(t *testing.T) {
	t.Parallel()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		memory := make([]byte, 1<<16)
		for {
			n, from, err := pc.ReadFrom(memory)
			if err != nil {
				return // it was closed
			}
			_, _ = pc.WriteTo([]byte("<"+string(memory[:n])+">"), from)
		}
	}()
	t.Cleanup(func() {
		pc.Close()
		<-done
	})
	_, lines := relaying(t, "127.0.0.1:0", "udp:"+pc.LocalAddr().String())
	c := talk(t, lines)
	for _, text := range []string{"one", "", "three with \x00 in it"} {
		c.say(text + "\n")
		c.hears("<" + text + ">\n")
	}
	_, datagrams := relaying(t, "udp:127.0.0.1:0", strings.TrimPrefix(lines, "tcp:"))
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(datagrams, "udp:"))
	s := peer(t, "socat", "-t2", "-", "UDP:127.0.0.1:"+port)
	in := input(t, s)
	p := start(t, s)
	write(t, in, "two relays")
	p.out.await(t, `^<two relays>$`)
	u := talk(t, datagrams)
	for _, text := range []string{"first", "second"} {
		u.say(text)
		u.hears("<" + text + ">")
	}
}
