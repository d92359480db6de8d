//go:build unix

package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// TestGrace: SIGTERM lets those go who are between two messages, and lets the others finish; nobody new is served.
func TestGrace(t *testing.T) {
	t.Parallel()
	v, address := serving1(t, "answer", "127.0.0.1:0", "--grace", "1h", "--", "cat")
	idle, busy := talk(t, address), talk(t, address)
	idle.say("hello\n")
	idle.hears("hello\n")
	busy.say("first\nhal")
	busy.hears("first\n")
	v.signal(syscall.SIGTERM)
	v.err.await(t, `ending; 1 conversation.* up to 1h0m0s`)
	idle.ended()
	if _, err := net.Dial("tcp", address); err == nil {
		t.Error("a new caller is let in")
	}
	busy.say("f of it\n")
	busy.hears("half of it\n")
	busy.ended()
	v.leaves(0, ``)
}

// TestCutOff: a conversation that does not end is cut off after --grace, and that is a failure.
func TestCutOff(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"answer 0 --say yes", "answer 0 --keep -- sleep 1000", "answer 0 -- sleep 1000"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			fields := strings.Fields(args)
			v, address := serving1(t, append([]string{fields[0], "--grace", "200ms"}, fields[1:]...)...)
			c := talk(t, address)
			c.say("hello\nhalf a line")
			if strings.Contains(args, "yes") {
				c.hears("yes\n")
			}
			eventuallyOpen(t, v, address)
			v.signal(syscall.SIGTERM)
			v.leaves(1, `cut off after the grace of 200ms`)
			c.ended()
		})
	}
}

// eventuallyOpen waits until the caller at address has been taken in, seen by one that came after it.
func eventuallyOpen(t *testing.T, v *program, address string) {
	t.Helper()
	v.signal(syscall.SIGUSR1)
	ok := poll(func() bool {
		v.signal(syscall.SIGUSR1)
		return regexp.MustCompile(`\b1 open|\b1 conversation`).MatchString(v.err.text())
	})
	if !ok {
		t.Errorf("no conversation at %s is ever seen", address)
	}
}

// TestCtrlC: graceful as well, but its exit code says that it was interrupted; a second one does not wait.
func TestCtrlC(t *testing.T) {
	t.Parallel()
	v, address := serving1(t, "answer", "0", "--say", "yes")
	c := talk(t, address)
	c.say("hello\n")
	c.hears("yes\n")
	v.interrupt()
	c.ended()
	v.leaves(130, ``)

	v, address = serving1(t, "answer", "0", "--say", "yes", "--grace", "0")
	c = talk(t, address)
	c.say("hello\nhalf")
	c.hears("yes\n")
	v.interrupt()
	v.err.await(t, `ending; 1 .*another Ctrl-C`)
	v.alive()
	v.interrupt()
	v.leaves(130, ``)
}

// TestRenewedCertificate: SIGHUP takes up a new certificate, for new callers. One that cannot be read changes nothing.
func TestRenewedCertificate(t *testing.T) {
	t.Parallel()
	one, two := certify(t, "localhost", nil), certify(t, "localhost", nil)
	name := file(t, "server.pem", contents(t, one.file))
	v, _ := serving1(t, "serve", "echo=tls:127.0.0.1:0?cert="+name)
	address := "127.0.0.1:" + v.err.await(t, `echo on 127\.0\.0\.1:(\d+)`)[1]
	shown := func() (string, *tls.Conn) {
		t.Helper()
		c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c.ConnectionState().PeerCertificates[0].SerialNumber.String(), c
	}
	serial, old := shown()
	if want := one.cert.SerialNumber.String(); serial != want {
		t.Errorf("shown %s, want %s", serial, want)
	}
	replace(t, name, contents(t, two.file))
	v.signal(syscall.SIGHUP)
	v.err.await(t, `certificates have been read again`)
	if serial, _ := shown(); serial != two.cert.SerialNumber.String() {
		t.Errorf("shown %s, want the new one", serial)
	}
	replace(t, name, "no certificate")
	v.signal(syscall.SIGHUP)
	v.err.await(t, `the certificate stays as it was \(service echo\): .*server\.pem`)
	if serial, _ := shown(); serial != two.cert.SerialNumber.String() {
		t.Errorf("shown %s, want the one before", serial)
	}
	c := talkOver(t, old)
	c.say("still here\n")
	c.hears("still here\n")
	v.signal(syscall.SIGTERM)
	v.leaves(0, ``)
}

func contents(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestStatus: SIGUSR1 prints who parley is, who is there and what they wait for.
func TestStatus(t *testing.T) {
	t.Parallel()
	v, address := serving1(t, "serve", "chat=0")
	c := talk(t, address)
	c.until("you are")
	told := poll(func() bool { // it is in the list as soon as it waits
		v.signal(syscall.SIGUSR1)
		return strings.Contains(v.err.text(), "chat with "+c.LocalAddr().String()+": waits to hear")
	})
	if !told {
		t.Errorf("the status does not tell who waits: %s", v.err.text())
	}
	v.err.await(t, fmt.Sprintf(`\b%d\b`, v.cmd.Process.Pid))
	v.err.await(t, `chat.*\b1 (open|conversation)`)
	v.alive()
	c.say("hello\n")
	v.out.await(t, `hello`)
}

// TestLog: --log writes a line for each conversation, in words that programs read.
func TestLog(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			cmd := parley("answer", "0", "--log", format, "--", "sh", "-c", `read x; echo "oh \"dear\"" >&2; case $x in bad) exit 3;; *) echo "$x";; esac`)
			v, at := startServing(t, cmd)
			first := talk(t, at[0])
			good := first.LocalAddr().String()
			first.say("hello\n")
			first.hears("hello\n")
			first.Close()
			c := talk(t, at[0])
			c.say("bad\n")
			c.ended()
			v.signal(syscall.SIGTERM)
			v.leaves(0, ``)
			of := map[string]string{} // the messages about each caller, whose ends may come late
			for _, line := range v.err.lines() {
				if !strings.HasPrefix(line, "parley: ") { // what people are told at the beginning
					caller, message := logged(t, format, line)
					of[caller] += message + ","
				}
			}
			for caller, want := range map[string]string{
				good:                   "opened,the command says,closed,",
				c.LocalAddr().String(): "opened,the command says,the command failed,closed,",
			} {
				if of[caller] != want {
					t.Errorf("logged %s of %s, want %s", of[caller], caller, want)
				}
			}
		})
	}
}

// logged returns whom a line of the log is about, and its message.
func logged(t *testing.T, format, line string) (caller, message string) {
	t.Helper()
	if format == "text" {
		m := regexp.MustCompile(`^time=\S+ level=(?:INFO|WARN) msg=(?:"([^"]+)"|(\S+)) .*caller=(127\.0\.0\.1:\d+)`).FindStringSubmatch(line)
		if m == nil {
			t.Errorf("line %q", line)
			return "", ""
		}
		return m[3], m[1] + m[2]
	}
	var entry struct{ Time, Level, Msg, Caller string }
	if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Time == "" || entry.Caller == "" {
		t.Errorf("line %q: %v", line, err)
	}
	return entry.Caller, entry.Msg
}

// TestLogDiskFull: callers are served although nothing can be logged, and in the end it is told by the exit code.
func TestLogDiskFull(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	cmd := parley("answer", "0", "--say", "yes", "--log", "json")
	cmd.Stderr = full
	v, at := startServing(t, cmd)
	for range 3 {
		if got := exchange(t, at[0], "hello\n"); got != "yes\n" {
			t.Errorf("heard %q", got)
		}
	}
	v.signal(syscall.SIGTERM)
	v.leaves(1, ``)
}

// TestMetrics: what Prometheus reads, as its own tool judges it.
func TestMetrics(t *testing.T) {
	t.Parallel()
	need(t, "promtool", "curl")
	v, at := serving(t, "answer", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--deny", "127.0.0.2", "--", "sh", "-c", `read x; [ "$x" = bad ] || echo "$x"; [ "$x" != bad ]`)
	metrics := v.err.await(t, `metrics at (http://127\.0\.0\.1:\d+/metrics)`)[1]
	if got := exchange(t, at[0], "hello\nyou\n"); got != "hello\nyou\n" {
		t.Errorf("heard %q", got)
	}
	bad := talk(t, at[0])
	bad.say("bad\n")
	bad.ended()
	there, refused := talk(t, at[0]), talkFrom(t, "127.0.0.2", at[0])
	there.say("here\n")
	there.hears("here\n")
	refused.ended()
	var text string
	counted := func(pattern string) {
		t.Helper()
		ok := poll(func() bool {
			out, err := peer(t, "curl", "-sS", metrics).Output()
			if err != nil {
				t.Fatal(err)
			}
			text = string(out)
			return regexp.MustCompile(`(?m)^` + pattern + `$`).MatchString(text)
		})
		if !ok {
			t.Errorf("no %s in\n%s", pattern, text)
		}
	}
	for _, line := range []string{
		`conversations_open{service="answer"} 1`, `conversations_total{service="answer"} 3`,
		`refused_total{service="answer",reason="\w+"} 1`, `errors_total{service="answer",kind="command"} 1`,
		`frames_total{service="answer",direction="heard"} 4`, `frames_total{service="answer",direction="said"} 3`,
		`bytes_total{service="answer",direction="heard"} 19`, `bytes_total{service="answer",direction="said"} 15`,
		`reply_seconds_count{service="answer"} 3`,
	} {
		counted(`parley_` + line)
	}
	p := start(t, stdin(peer(t, "promtool", "check", "metrics"), text))
	p.leaves(0, `^$`)
}

// TestStats: --stats tells people at the end what was served.
func TestStats(t *testing.T) {
	t.Parallel()
	v, address := serving1(t, "answer", "0", "--stats", "--say", "yes")
	exchange(t, address, "one\ntwo\n")
	exchange(t, address, "three\n")
	v.signal(syscall.SIGTERM)
	v.leaves(0, `(?s)answer.*2 conversations.*3 (frames|messages).*14 bytes`)
}
