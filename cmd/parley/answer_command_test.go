//go:build unix

package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestAnswerPeers: each line of each peer is answered by a command, in order, also those after which the peer has ended.
func TestAnswerPeers(t *testing.T) {
	t.Parallel()
	v, address := serving1(t, "answer", "0", "--", "tr", "a-z", "A-Z")
	for name := range tcpCallers(t, "127.0.0.1:0") {
		t.Run(name, func(t *testing.T) {
			p := start(t, stdin(tcpCallers(t, address)[name](t), "one\ntwo\nthree\n"))
			p.leaves(0, `^$`)
			p.says("ONE\nTWO\nTHREE\n")
		})
	}
	p := start(t, parley("ask", address, "hello"))
	p.leaves(0, `^$`)
	p.says("HELLO\n")
	v.signal(syscall.SIGTERM)
	v.leaves(0, `^parley: answer on [^\n]*\n$`)
}

// TestAnswerHTTP: a web server is a command, as the help says.
func TestAnswerHTTP(t *testing.T) {
	t.Parallel()
	_, address := serving1(t, "answer", "0", "--frame", "crlf blank line", "--reply-frame", "until close",
		"--", "sh", "-c", `read -r method path version; printf 'HTTP/1.0 200 OK\r\n\r\nyou want %s\n' "$path"`)
	for range 3 {
		p := start(t, peer(t, "curl", "-sS", "http://"+address+"/here"))
		p.leaves(0, `^$`)
		p.says("you want /here\n")
	}
	p := start(t, peer(t, "curl", "-sS", "--http1.1", "-d", strings.Repeat("x", 1<<16), "http://"+address+"/here")) // a body nobody asked for
	p.leaves(0, `^$`)
	p.says("you want /here\n")
}

func TestAnswerSay(t *testing.T) {
	t.Parallel()
	v, address := serving1(t, "answer", "0", "--say", "pong")
	if got := exchange(t, address, "ping\nping\n"); got != "pong\npong\n" {
		t.Errorf("heard %q", got)
	}
	_, empty := serving1(t, "answer", "0", "--say", "")
	if got := exchange(t, empty, "ping\n"); got != "\n" {
		t.Errorf("heard %q", got)
	}
	v.interrupt()
	v.leaves(130, ``)
}

// TestAnswerKeep: one process for each conversation, which counts its messages.
func TestAnswerKeep(t *testing.T) {
	t.Parallel()
	_, address := serving1(t, "answer", "0", "--keep",
		"--", "sh", "-c", `n=0; while read -r line; do n=$((n + 1)); echo "$n $line $TCPREMOTEPORT"; done`)
	callers := []*talker{talk(t, address), talk(t, address), talk(t, address)}
	for n := range 5 {
		for _, c := range callers {
			c.say("hello\n")
			c.hears(strconv.Itoa(n+1) + " hello " + portOf(t, c.LocalAddr().String()) + "\n")
		}
	}
	for _, c := range callers {
		c.end()
		c.ended()
	}
}

// TestAnswerFails: what a caller gets, and what is told on standard error, when a command fails. A part of a reply is never
// sent, and what the command writes to its standard error is no part of it.
func TestAnswerFails(t *testing.T) {
	t.Parallel()
	const who = `\((?:service answer, )?caller 127\.0\.0\.1:\d+\): `
	tests := []struct {
		name, script string
		flags        string
		told         string
	}{
		{"status", `echo half; exit 3`, "", `failed ` + who + `command sh: exit status 3`},
		{"signal", `echo half; kill -9 $$`, "", `failed ` + who + `command sh: ended by signal killed`},
		{"core", `echo half; kill -SEGV $$`, "", `failed ` + who + `command sh: ended by signal segmentation fault`},
		{"hangs", `echo half; sleep 1000`, "--command-timeout 200ms", `failed ` + who + `.*200ms`},
		{"hangs deaf", `trap '' TERM; echo half; sleep 1000`, "--command-timeout 200ms", `failed ` + who + `.*200ms`},
		{"left behind", `sleep 1000 & echo half; exit 4`, "", `failed ` + who + `command sh: .*exit status 4`},
		{"endless", `exec yes`, "", `failed ` + who + `.*1048576.*too long`},
		{"10 GB", `exec head -c 10000000000 /dev/zero`, "", `failed ` + who + `.*1048576.*too long`},
		{"two lines", `echo one; echo two`, "", `failed ` + who + `.*contains its own end`},
		{"standard error", `echo oh dear >&2; exit 1`, "", `(?s)the command says ` + who + `oh dear\n.*failed ` + who + `command sh: exit status 1`},
		{"keep status", `read x; echo half >&2; exit 3`, "--keep", `failed ` + who + `command sh: exit status 3`},
		{"keep half", `read x; printf half; exit 3`, "--keep", `failed ` + who + `command sh: exit status 3`},
		{"keep silent", `exit 0`, "--keep", `failed ` + who + `command sh: it ended without a reply`},
		{"keep signal", `read x; kill -9 $$`, "--keep", `failed ` + who + `command sh: ended by signal killed`},
		{"keep hangs", `sleep 1000`, "--keep --command-timeout 200ms", `failed ` + who + `.*200ms`},
		{"keep endless", `read x; exec tr '\0' x </dev/zero`, "--keep", `failed ` + who + `.*too long.*1048576`},
	}
	for _, tt := range tests {
		for _, onError := range []string{"closes", "answers"} {
			t.Run(tt.name+"/"+onError, func(t *testing.T) {
				t.Parallel()
				args := append([]string{"answer", "0"}, strings.Fields(tt.flags)...)
				if onError == "answers" {
					args = append(args, "--on-error", "sorry")
				}
				v, address := serving1(t, append(args, "--", "sh", "-c", tt.script)...)
				c, failures := talk(t, address), 1
				c.say("hello\n")
				if onError == "answers" {
					c.hears("sorry\n")
					c.say("again\n")
					failures++
					c.hears("sorry\n")
					c.end()
				}
				c.ended()
				v.err.await(t, tt.told)
				checkMemory(t, v)
				v.signal(syscall.SIGTERM)
				v.leaves(0, ``)
				checkToldOnce(t, v, failures)
			})
		}
	}
}

// checkToldOnce: a failure is told once, and not as one of calling somebody.
func checkToldOnce(t *testing.T, v *program, times int) {
	t.Helper()
	text := v.err.text()
	if got := strings.Count(text, "fail"); got != times {
		t.Errorf("told of %d failures, want %d: %s", got, times, clip(text))
	}
	if strings.Contains(text, "nobody answers") {
		t.Errorf("advice for somebody else: %s", clip(text))
	}
}

// TestAnswerSucceeds: what is no failure.
func TestAnswerSucceeds(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1<<20-1) // no pipe holds it
	tests := []struct {
		name, script, flags, say, want, told string
	}{
		{"reads nothing", `echo done`, "", long, "done\n", ``},
		{"closes early", `exec <&-; echo done`, "", long, "done\n", ``},
		{"reads and says all", `cat`, "", long, long + "\n", ``},
		{"says nothing", `true`, "", "hello", "\n", ``},
		{"no line end", `printf hello`, "", "x", "hello\n", ``},
		{"warns", `echo careful >&2; echo done`, "", "x", "done\n", `the command says \(caller 127\.0\.0\.1:\d+\): careful\n`},
		{"warns without end", `printf careful >&2; echo done`, "", "x", "done\n", `the command says \(caller 127\.0\.0\.1:\d+\): careful\n`},
		{"leaves one behind", `sleep 1000 >/dev/null 2>&1 & echo done`, "", "x", "done\n", ``},
		{"keep", `while read -r x; do echo "$x!"; done`, "--keep", "hello", "hello!\n", ``},
		{"keep long", `cat`, "--keep", long, long + "\n", ``},
		{"keep warns", `while read -r x; do echo careful >&2; echo "$x"; done`, "--keep", "x", "x\n", `the command says \(caller 127\.0\.0\.1:\d+\): careful\n`},
		{"keep frames", `while read -r x; do printf '4:yes!,'; done`, "--keep --reply-frame netstring", "really?", "4:yes!,", ``},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v, address := serving1(t, append(append([]string{"answer", "0"}, strings.Fields(tt.flags)...), "--", "sh", "-c", tt.script)...)
			c := talk(t, address)
			for range 2 {
				go func() { _, _ = io.WriteString(c, tt.say+"\n") }()
				c.hears(tt.want)
			}
			c.end()
			c.ended()
			v.err.await(t, tt.told)
			v.signal(syscall.SIGTERM)
			v.leaves(0, ``)
			if strings.Contains(v.err.text(), "fail") {
				t.Errorf("told of a failure: %s", v.err.text())
			}
		})
	}
}

// TestAnswerNotThere: a command that does not exist is a mistake on the command line; one that goes away later fails.
func TestAnswerNotThere(t *testing.T) {
	t.Parallel()
	start(t, parley("answer", "0", "--", "no-such-command")).leaves(2, `no-such-command: cannot be run: executable file not found in \$PATH; install it, or give its path`)
	start(t, parley("answer", "0", "--", "/no/such/command")).leaves(2, `/no/such/command.*no such file`)
	start(t, parley("answer", "0", "--", file(t, "plain", "text"))).leaves(2, `plain.*permission denied`)

	script := file(t, "script", "#!/bin/sh\nexec cat\n")
	if err := os.Chmod(script, 0o700); err != nil {
		t.Fatal(err)
	}
	v, address := serving1(t, "answer", "0", "--", script)
	c := talk(t, address)
	c.say("hello\n")
	c.hears("hello\n")
	if err := os.Remove(script); err != nil {
		t.Fatal(err)
	}
	c.say("hello\n")
	c.ended()
	v.err.await(t, `failed .*`+filepath.Base(script)+`: .*no such file`)
	rewrite(t, script, "#!/bin/sh\nexec tr a-z A-Z\n")
	if err := os.Chmod(script, 0o700); err != nil {
		t.Fatal(err)
	}
	if got := exchange(t, address, "back\n"); got != "BACK\n" {
		t.Errorf("heard %q", got)
	}
}

// TestAnswerFormats: messages that are no lines.
func TestAnswerFormats(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ frame, reply, say, want string }{
		{"netstring", "", "5:hello,2:yo,", "5:HELLO,2:YO,"},
		{"nul", "", "he\nllo\x00yo\x00", "HE\nLLO\x00YO\x00"},
		{"crlf", "line", "hello\r\nyo\r\n", "HELLO\nYO\n"},
		{`end "END REQUEST"`, "u16", "a\nb\nEND REQUEST\n", "\x00\x03A\nB"},
		{"3 bytes", "line", "abcdef", "ABC\nDEF\n"},
		{"until close", "until close", "all\nof it", "ALL\nOF IT"},
	} {
		t.Run(tt.frame, func(t *testing.T) {
			t.Parallel()
			args := []string{"answer", "0", "--frame", tt.frame}
			if tt.reply != "" {
				args = append(args, "--reply-frame", tt.reply)
			}
			_, address := serving1(t, append(args, "--", "tr", "a-z", "A-Z")...)
			if got := exchange(t, address, tt.say); got != tt.want {
				t.Errorf("heard %q, want %q", got, tt.want)
			}
		})
	}
}

// TestAnswerAtOnce: a slow command for one caller holds up no other.
func TestAnswerAtOnce(t *testing.T) {
	t.Parallel()
	fifo := t.TempDir() + "/fifo"
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	_, address := serving1(t, "answer", "0", "--", "sh", "-c", `read x; case $x in slow) cat "`+fifo+`";; *) echo "$x";; esac`)
	slow, quick := talk(t, address), talk(t, address)
	slow.say("slow\n")
	for range 3 {
		quick.say("quick\n")
		quick.hears("quick\n")
	}
	p := start(t, exec.Command("sh", "-c", `echo at last >"`+fifo+`"`))
	slow.hears("at last\n")
	p.leaves(0, ``)
}
