//go:build unix

package main

import (
	"fmt"
	"net"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// datagramCallers are peers that send what they are told, line by line, and write what they hear.
func datagramCallers(t *testing.T, address string) map[string]*exec.Cmd {
	port := portOf(t, address)
	return map[string]*exec.Cmd{
		"nc":    peer(t, "nc", "-u", "127.0.0.1", port),
		"ncat":  peer(t, "ncat", "-u", "127.0.0.1", port),
		"socat": peer(t, "socat", "-", "UDP:127.0.0.1:"+port),
	}
}

// TestSendersApart: three senders of datagrams to one server, at the same time, and each hears its own answers only. As
// servers nc, ncat and socat hear only the first.
func TestSendersApart(t *testing.T) {
	t.Parallel()
	servers := map[string][]string{
		"echo":   {"serve", "echo=udp:127.0.0.1:0"},
		"answer": {"answer", "udp:127.0.0.1:0", "--", "cat"},
		"keep":   {"answer", "udp:127.0.0.1:0", "--keep", "--frame", "line", "--", "cat"},
		"exec":   {"serve", "exec=udp:127.0.0.1:0", "--", "cat"},
	}
	for name, args := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, address := serving1(t, args...)
			want := map[string]string{}
			ins := map[string]func(text string){}
			started := map[string]*program{}
			for who, cmd := range datagramCallers(t, address) {
				in := input(t, cmd)
				started[who] = start(t, cmd)
				ins[who] = func(text string) { write(t, in, text) }
			}
			for n := range 5 {
				for who, say := range ins {
					text := fmt.Sprintf("%s says %d\n", who, n)
					want[who] += text
					say(text)
				}
				for who, p := range started {
					p.out.await(t, fmt.Sprintf("%s says %d\n", who, n))
				}
			}
			for who, p := range started {
				if got := p.out.text(); got != want[who] {
					t.Errorf("%s heard %q, want %q", who, got, want[who])
				}
			}
			v.signal(syscall.SIGTERM)
			v.leaves(0, ``)
		})
	}
}

// TestAnswerDatagrams: each datagram is a message, and a reply that does not fit into one is told with its size.
func TestAnswerDatagrams(t *testing.T) {
	t.Parallel()
	v, address := serving1(t, "answer", "udp:127.0.0.1:0", "--", "sh", "-c", `read x; case $x in big) head -c 70000 /dev/zero;; none) ;; fail) exit 3;; *) wc -c;; esac`)
	c := talk(t, address)
	for _, tt := range []struct{ say, want string }{{"one\nfour\n", "5\n"}, {"none\n", ""}, {"last\nfour", "4\n"}} {
		c.say(tt.say)
		got := make([]byte, 1<<16)
		n, err := c.Read(got)
		if err != nil || string(got[:n]) != tt.want {
			t.Errorf("heard %q, %v; want %q", got[:n], err, tt.want)
		}
	}
	c.say("big\n")
	v.err.await(t, `70000 bytes`)
	d := talk(t, address)
	d.say("fail\n")
	v.err.await(t, `failed \((?:service answer, )?caller `+d.LocalAddr().String()+`\): command sh: exit status 3`)
	e := talk(t, address) // another is answered
	e.say("x\nabc")
	e.hears("3\n")
}

// TestSenderEnds: a sender that is silent for --idle is a new one when it speaks again.
func TestSenderEnds(t *testing.T) {
	t.Parallel()
	v, address := serving1(t, "answer", "udp:127.0.0.1:0", "--keep", "--frame", "line", "--idle", "100ms", "--log", "json",
		"--", "sh", "-c", `n=0; while read -r x; do n=$((n + 1)); echo "$n $x"; done`)
	c := talk(t, address)
	c.say("hello\n")
	c.hears("1 hello\n")
	v.err.await(t, `"msg":"closed"`)
	c.say("hello\n")
	c.hears("1 hello\n")
}

// TestSendersAreMany: more than --max-conns are refused, and those that are there go on.
func TestSendersAreMany(t *testing.T) {
	t.Parallel()
	v, address := serving1(t, "serve", "echo=udp:127.0.0.1:0", "--max-conns", "2", "--refuse", "full")
	first, second := talk(t, address), talk(t, address)
	first.say("first")
	first.hears("first")
	second.say("second")
	second.hears("second")
	third := talk(t, address)
	third.say("third")
	v.err.await(t, `refused \(service echo, caller `+strings.ReplaceAll(third.LocalAddr().String(), ".", `\.`)+`\): .*2`)
	first.say("again")
	first.hears("again")
}

// TestEchoOfEcho: what comes from the port of a service that answers anything is never answered.
func TestEchoOfEcho(t *testing.T) {
	t.Parallel()
	v, address := serving1(t, "serve", "echo=udp:127.0.0.1:0", "--stats")
	to, err := net.ResolveUDPAddr("udp", strings.TrimPrefix(address, "udp:"))
	if err != nil {
		t.Fatal(err)
	}
	from, err := net.DialUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 77), Port: 19}, to)
	if err != nil {
		t.Skip("a port under 1024 needs the right: ", err)
	}
	defer from.Close()
	write(t, from, "forged")
	honest := talk(t, address)
	honest.say("honest") // it comes later, and is answered first
	honest.hears("honest")
	v.signal(syscall.SIGTERM)
	v.leaves(0, `echo`)
	if err := from.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := from.Read(make([]byte, 100)); n > 0 || err == nil {
		t.Errorf("the chargen port was answered with %d bytes, %v", n, err)
	}
}
