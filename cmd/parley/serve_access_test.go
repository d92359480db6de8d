//go:build unix

package main

import (
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
)

// talkFrom is talk from another address of this machine.
func talkFrom(t *testing.T, from, address string) *talker {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("127.0.0.2 is not of this machine without further ado")
	}
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: tooLong}
	nc, err := dialer.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return talkOver(t, nc)
}

// isLetIn reports whether a caller from an address is served.
func isLetIn(t *testing.T, from, address string) bool {
	t.Helper()
	c := talkFrom(t, from, address)
	defer c.Close()
	if _, err := c.Write([]byte("hello\n")); err != nil {
		return false
	}
	got, err := c.buf.ReadString('\n')
	return err == nil && got == "hello\n"
}

// TestAllowDeny: the most specific rule decides, and with any rule that allows, only those are let in.
func TestAllowDeny(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		args    []string
		in, out []string
	}{
		{"one denied", []string{"--deny", "127.0.0.2"}, []string{"127.0.0.1", "127.0.0.3"}, []string{"127.0.0.2"}},
		{"one allowed", []string{"--allow", "127.0.0.2"}, []string{"127.0.0.2"}, []string{"127.0.0.1"}},
		{"network", []string{"--allow", "127.0.0.0/8", "--deny", "127.0.0.0/30"}, []string{"127.0.0.4"}, []string{"127.0.0.1", "127.0.0.3"}},
		{"host in network", []string{"--deny", "127.0.0.0/8", "--allow", "127.0.0.7"}, []string{"127.0.0.7"}, []string{"127.0.0.1"}},
		{"name", []string{"--allow", "localhost"}, []string{"127.0.0.1"}, []string{"127.0.0.2"}},
		{"equal", []string{"--allow", "127.0.0.1", "--deny", "127.0.0.1"}, nil, []string{"127.0.0.1"}},
		{"all denied", []string{"--deny", "all", "--allow", "127.0.0.1"}, []string{"127.0.0.1"}, []string{"127.0.0.2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v, address := serving1(t, append([]string{"serve", "echo=tcp:127.0.0.1:0"}, tt.args...)...)
			for _, from := range tt.in {
				if !isLetIn(t, from, address) {
					t.Errorf("%s is not let in", from)
				}
			}
			for _, from := range tt.out {
				if isLetIn(t, from, address) {
					t.Errorf("%s is let in", from)
				}
			}
			v.err.await(t, `refused \(service echo, caller `+tt.out[0]+`:\d+\): `)
		})
	}
}

// TestRulesChange: a file of rules is read again when it changes, by a new file in its place as editors do it, and by SIGHUP.
// What cannot be understood or read changes nothing, and is told.
func TestRulesChange(t *testing.T) {
	t.Parallel()
	rules := file(t, "rules", "allow 127.0.0.1\n")
	v, address := serving1(t, "serve", "echo=tcp:127.0.0.1:0", "--rules", rules)
	there := talkFrom(t, "127.0.0.1", address)
	there.say("hello\n")
	there.hears("hello\n")
	expect := func(what, told string, one, two bool) {
		t.Helper()
		v.err.await(t, told)
		if isLetIn(t, "127.0.0.1", address) != one || isLetIn(t, "127.0.0.2", address) != two {
			t.Errorf("%s: want 127.0.0.1 %v, 127.0.0.2 %v", what, one, two)
		}
	}
	expect("first", ``, true, false)
	replace(t, rules, "# somebody else\nallow 127.0.0.2 # this one\n")
	expect("changed", `(?s)the rules have been read again`, false, true)
	there.say("still here\n") // who is in stays in
	there.hears("still here\n")
	replace(t, rules, "allow 127.0.0.1\nallow 999.0.0.1/77\n")
	expect("bad line", `(?m)the rules stay as they were: .*rules:2: .*999\.0\.0\.1/77`, false, true)
	rewrite(t, rules, "")
	expect("emptied", `the rules stay as they were: there are none in`, false, true)
	if err := os.Remove(rules); err != nil {
		t.Fatal(err)
	}
	expect("gone", `the rules stay as they were: open .*rules: no such file or directory`, false, true)
	replace(t, rules, "deny 127.0.0.2\n")
	expect("back", `(?s)no such file.*the rules have been read again`, true, false)
	v.signal(syscall.SIGHUP)
	v.err.await(t, `(?s)no such file.*the rules have been read again.*the rules have been read again`)
	expect("SIGHUP", ``, true, false)
	v.signal(syscall.SIGTERM)
	v.leaves(0, ``)
}

// replace puts a new file in the place of an old one at once.
func replace(t *testing.T, name, text string) {
	t.Helper()
	rewrite(t, name+".new", text)
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
}

// TestRulesAtStart: at the start a mistake is a reason not to begin.
func TestRulesAtStart(t *testing.T) {
	t.Parallel()
	start(t, parley("serve", "echo=0", "--rules", "/no/such/file")).leaves(1, `^parley: --rules: open /no/such/file: no such file or directory`)
	start(t, parley("serve", "echo=0", "--rules", file(t, "rules", "allow all\n\nlet in everybody\n"))).leaves(2, `rules:3: `)
	start(t, parley("serve", "echo=0", "--allow", "10.0.0.0/33")).leaves(2, `10\.0\.0\.0/33`)
	start(t, parley("serve", "echo=0", "--deny", "")).leaves(2, ``)
}

// TestRulesForAnswer: the same holds for answer, and for datagrams.
func TestRulesForAnswer(t *testing.T) {
	t.Parallel()
	v, address := serving1(t, "answer", "udp:127.0.0.1:0", "--deny", "127.0.0.1", "--allow", "127.0.0.2", "--", "cat")
	c := talk(t, address)
	c.say("hello\n")
	v.err.await(t, `refused \(service answer, caller 127\.0\.0\.1:\d+\): `)
}

// TestRulesKeepAmplifiersShut: what can be used against others needs somebody who may use it, also when the rules change.
func TestRulesKeepAmplifiersShut(t *testing.T) {
	t.Parallel()
	rules := file(t, "rules", "allow 127.0.0.2\n")
	v, _ := serving1(t, "serve", "echo=udp::0", "--rules", rules)
	replace(t, rules, "deny 10.0.0.1\n")
	v.err.await(t, `the rules stay as they were: .*names nobody who may use echo at udp::0`)
	v.signal(syscall.SIGTERM)
	v.leaves(0, ``)
}
