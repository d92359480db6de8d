//go:build unix

package main

import (
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
)

// namedServers say who they are to everybody, and hear to the end. Their addresses are joined for the relay.
func namedServers(t *testing.T, names ...string) (targets string) {
	t.Helper()
	var all []string
	for _, name := range names {
		all = append(all, saysServer(t, name))
	}
	return strings.Join(all, ",")
}

// who returns who answers there, with the conversation still open.
func who(t *testing.T, address string) (*talker, string) {
	t.Helper()
	c := talk(t, address)
	got := make([]byte, 1)
	if _, err := io.ReadFull(c.buf, got); err != nil {
		t.Fatal(err)
	}
	return c, string(got)
}

// TestRelayBalance: who gets which target.
func TestRelayBalance(t *testing.T) {
	t.Parallel()
	for balance, want := range map[string]string{"first": "aaaaaa", "round-robin": "abcabc", "least": "abcabc", "hash": ""} {
		t.Run(balance, func(t *testing.T) {
			t.Parallel()
			_, address := relaying(t, "127.0.0.1:0", namedServers(t, "a", "b", "c"), "--balance", balance)
			got := ""
			for range 6 {
				c, name := who(t, address)
				got += name
				if balance == "round-robin" {
					c.Close()
				}
			}
			if balance == "hash" {
				want = strings.Repeat(got[:1], 6)
			}
			if got != want {
				t.Errorf("answered %s, want %s", got, want)
			}
		})
	}
}

// TestRelayLeast: who has left counts no more.
func TestRelayLeast(t *testing.T) {
	t.Parallel()
	v, address := relaying(t, "127.0.0.1:0", namedServers(t, "a", "b"), "--balance", "least", "--log", "text")
	first, name := who(t, address)
	if _, second := who(t, address); name+second != "ab" {
		t.Errorf("answered %s and %s", name, second)
	}
	first.Close()
	v.err.await(t, `msg=parted`)
	if _, third := who(t, address); third != "a" {
		t.Errorf("answered %s, want a, who has nobody", third)
	}
}

// TestRelayHash: callers of one host get the same target, and not all hosts do.
func TestRelayHash(t *testing.T) {
	t.Parallel()
	_, address := relaying(t, "127.0.0.1:0", namedServers(t, "a", "b", "c"), "--balance", "hash")
	of, all := map[string]string{}, map[string]bool{}
	for round := range 2 {
		for n := range 20 {
			host := fmt.Sprintf("127.0.0.%d", n+1)
			c := talkFrom(t, host, address)
			got := make([]byte, 1)
			if _, err := io.ReadFull(c.buf, got); err != nil {
				t.Fatal(err)
			}
			c.Close()
			if round > 0 && of[host] != string(got) {
				t.Errorf("%s got %s, and now %s", host, of[host], got)
			}
			of[host], all[string(got)] = string(got), true
		}
	}
	if len(all) < 2 {
		t.Errorf("all hosts get %v", all)
	}
}

// TestRelayTargetDown: a target that is down is left out and told once; with --probe-every it is found to be up again before
// anybody has called it.
func TestRelayTargetDown(t *testing.T) {
	t.Parallel()
	name := socketDir(t) + "/one"
	two := saysServer(t, "2")
	v, address := relaying(t, "127.0.0.1:0", "unix:"+name+","+two, "--probe-every", "20ms", "--no-sandbox")
	for range 5 {
		if c, got := who(t, address); got != "2" {
			t.Errorf("answered %s", got)
		} else {
			c.Close()
		}
	}
	v.err.await(t, `target is down.*`+name)
	nl, err := net.Listen("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, nl, func(c net.Conn) {
		_, _ = io.WriteString(c, "1")
		_, _ = io.Copy(io.Discard, c)
	})
	v.err.await(t, `target is up again.*`+name)
	if _, got := who(t, address); got != "1" {
		t.Errorf("answered %s, although the first is up again", got)
	}
	v.signal(syscall.SIGKILL)
	v.wait()
	for _, told := range []string{"target is down", "target is up again"} {
		if n := strings.Count(v.err.text(), told); n != 1 {
			t.Errorf("%q is told %d times: %s", told, n, v.err.text())
		}
	}
}

// TestRelayTargetsSandboxed: a Unix target that was not there at the start can be called later, without --no-sandbox.
func TestRelayTargetsSandboxed(t *testing.T) {
	t.Parallel()
	name := socketDir(t) + "/one"
	v, address := relaying(t, "127.0.0.1:0", "unix:"+name, "--retry-for", "30s")
	c := talk(t, address)
	v.err.await(t, `target is down`)
	nl, err := net.Listen("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, nl, func(c net.Conn) { _, _ = io.WriteString(c, "here") })
	c.hears("here")
}
