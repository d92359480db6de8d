//go:build unix

package service_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"parley"
	"parley/parleytest"
)

// hears reads until the other end has ended.
func hears(t *testing.T, c *parley.Conn) string {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(c)
	if err != nil {
		t.Errorf("after %d bytes: %v", len(text), err)
	}
	return string(text)
}

// sayAndHear says text and the end, and hears the other end's.
func sayAndHear(t *testing.T, address, text string) string {
	t.Helper()
	c := calls(t, address, parley.Config{})
	var saying sync.WaitGroup
	saying.Go(func() { // or else both ends could wait for the other to hear
		_, err := c.Write([]byte(text))
		if err := cmp.Or(err, c.CloseWrite()); err != nil && text != "" { // who is asked nothing may have left already
			t.Error(err)
		}
	})
	defer saying.Wait()
	return hears(t, c)
}

// Each way that a process can have a conversation: its own socket, pipes, and on the transports that need them.
func TestExec(t *testing.T) {
	large := strings.Repeat("0123456789abcdef", 1<<16)
	for name, test := range map[string]struct {
		address string
		carry   bool
	}{
		"tcp":          {"tcp:0", false},
		"tcp, carried": {"tcp:0", true},
		"unix":         {"unix:" + filepath.Join(t.TempDir(), "s"), false},
		"tls":          {"tls:127.0.0.1:0", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for script, said := range map[string][2]string{
				"cat":                        {large, large},
				"echo hello":                 {"", "hello\n"},
				"read x; echo \"<$x>\"; cat": {"one\ntwo\n", "<one>\ntwo\n"},
				"exec <&-; echo deaf":        {"", "deaf\n"},
				"cat >/dev/null; echo heard": {large, "heard\n"}, // half-close from the caller
				"echo first; exec >&-; cat >/dev/null; echo never >&2": {large, "first\n"},
			} {
				cmd, f := shell(script)
				cmd.Carry = test.carry
				cmd.Stderr = func(*parley.Conn, []byte) {}
				address := answering(t, strings.Replace(test.address, "/s", "/s"+strings.Map(onlyLetters, script), 1), parley.Config{}, cmd.Exec)
				if got := sayAndHear(t, address, said[0]); got != said[1] {
					t.Errorf("%s: heard %.60q, want %.60q", script, got, said[1])
				}
				f.none(t)
			}
		})
	}
}

func onlyLetters(r rune) rune {
	if r < 'a' || r > 'z' {
		return -1
	}
	return r
}

// The process says its end while the caller still speaks: the caller hears it at once.
func TestExecSaysItsEnd(t *testing.T) {
	for name, carry := range map[string]bool{"handed over": false, "carried": true} {
		cmd, f := shell("echo bye; exec >&-; read x; echo $x >&2")
		told := make(chan string, 1)
		cmd.Carry, cmd.Stderr = carry, func(_ *parley.Conn, line []byte) { told <- string(line) }
		c := calls(t, answering(t, "tcp:0", parley.Config{}, cmd.Exec), parley.Config{})
		asked := false
		if carry { // where the process has the socket, its close of one descriptor of it says nothing
			if text := hears(t, c); text != "bye\n" {
				t.Errorf("%s: heard %q", name, text)
			}
			asked = true
		}
		if _, err := c.Write([]byte("still here\n")); err != nil {
			t.Fatal(err)
		}
		if line := <-told; line != "still here" {
			t.Errorf("%s: told %q", name, line)
		}
		if !asked && hears(t, c) != "bye\n" {
			t.Errorf("%s: not heard", name)
		}
		f.none(t)
	}
}

func TestExecFails(t *testing.T) {
	for name, carry := range map[string]bool{"handed over": false, "carried": true} {
		for script, says := range map[string]string{"echo hi; exit 3": "exit status 3", "echo hi; kill -9 $$": "ended by signal killed"} {
			cmd, f := shell(script)
			cmd.Carry = carry
			ended := make(chan error, 1)
			address := answering(t, "tcp:0", parley.Config{}, func(ctx context.Context, c *parley.Conn) error {
				err := cmd.Exec(ctx, c)
				ended <- err
				return err
			})
			if text := sayAndHear(t, address, ""); text != "hi\n" {
				t.Errorf("%s: heard %q", name, text)
			}
			if err := <-ended; err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v, want %q", name, err, says)
			}
			f.only(t, says)
		}
	}
}

// Whoever ends the conversation ends its process, and the process's own.
func TestExecIsEnded(t *testing.T) {
	for name, test := range map[string]struct {
		address string
		carry   bool
		script  string
		end     func(cancel func(), c *parley.Conn)
	}{
		"context":             {"tcp:0", false, "", func(cancel func(), _ *parley.Conn) { cancel() }},
		"context, carried":    {"tcp:0", true, "", func(cancel func(), _ *parley.Conn) { cancel() }},
		"closed":              {"tcp:0", false, "", func(_ func(), c *parley.Conn) { c.Close() }},
		"closed, carried":     {"tcp:0", true, "", func(_ func(), c *parley.Conn) { c.Close() }},
		"closed, TLS":         {"tls:127.0.0.1:0", false, "", func(_ func(), c *parley.Conn) { c.Close() }},
		"closed, will not":    {"tcp:0", false, "trap '' TERM; ", func(_ func(), c *parley.Conn) { c.Close() }},
		"timed out":           {"tcp:0", false, "", func(_ func(), c *parley.Conn) { _ = c.SetWriteDeadline(time.Now()) }},
		"with its own sleeps": {"tcp:0", false, "sleep 1000 & sleep 1000 & ", func(cancel func(), _ *parley.Conn) { cancel() }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd, f := shell(test.script + "echo started >&2; while :; do sleep 1000; done")
			started := make(chan struct{})
			cmd.Carry, cmd.Stderr = test.carry, func(*parley.Conn, []byte) { close(started) }
			ended := make(chan error, 1)
			address := answering(t, test.address, parley.Config{}, func(ctx context.Context, c *parley.Conn) error {
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				go func() {
					<-started
					test.end(cancel, c)
				}()
				err := cmd.Exec(ctx, c)
				ended <- err
				return nil
			})
			c := calls(t, address, parley.Config{})
			if _, err := c.Write(nil); err != nil {
				t.Fatal(err)
			}
			if err := <-ended; err == nil || !strings.Contains(err.Error(), "was ended") {
				t.Errorf("%v", err)
			}
			f.none(t)
		})
	}
}

// What a process leaves behind keeps neither the conversation nor the handler.
func TestExecLeavesProcessesBehind(t *testing.T) {
	for name, carry := range map[string]bool{"handed over": false, "carried": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "pid")
			cmd, f := shell("sleep 1000 & echo $! >" + file + "; echo hi")
			cmd.Carry = carry
			ended := make(chan error, 1)
			address := answering(t, "tcp:0", parley.Config{}, func(ctx context.Context, c *parley.Conn) error {
				err := cmd.Exec(ctx, c)
				ended <- err
				return err
			})
			c := calls(t, address, parley.Config{})
			if err := <-ended; err != nil {
				t.Error(err)
			}
			endProcess(t, file) // which has the socket, and so the end, where it was handed over
			if text := hears(t, c); text != "hi\n" {
				t.Errorf("heard %q", text)
			}
			f.none(t)
		})
	}
}

// A process may say its end and work on.
func TestExecShutsDownAndGoesOn(t *testing.T) {
	t.Parallel()
	need(t, "python3")
	cmd, f := shell("")
	cmd.Args = []string{"python3", "-c", `
import socket, sys, time
s = socket.socket(fileno=0)
s.send(b"hi")
s.shutdown(socket.SHUT_WR)
time.sleep(1.5) # longer than it takes to look after the conversation
print(s.recv(10).decode(), file=sys.stderr)`}
	last := make(chan string, 9)
	cmd.Stderr = func(_ *parley.Conn, line []byte) { last <- string(line) }
	ended := make(chan error, 1)
	c := calls(t, answering(t, "tcp:127.0.0.1:0", parley.Config{}, func(ctx context.Context, c *parley.Conn) error {
		err := cmd.Exec(ctx, c)
		ended <- err
		return err
	}), parley.Config{})
	if text := hears(t, c); text != "hi" {
		t.Errorf("heard %q", text)
	}
	if _, err := c.Write([]byte("late")); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	close(last)
	if line := <-last; line != "late" {
		t.Errorf("the process heard %q", line)
	}
	f.none(t)
}

// Each datagram is one write, and each write one datagram.
func TestExecDatagrams(t *testing.T) {
	cmd, f := shell(`while read x; do echo "<$x>"; [ "$x" != end ] || exit 0; done`)
	c := calls(t, answering(t, "udp:127.0.0.1:0", parley.Config{}, cmd.Exec), parley.Config{})
	asks(t, c, "one\n", "<one>\n", "two\n", "<two>\n", "end\n", "<end>\n")
	f.none(t)
}

// When the Server begins to end, a process that hears datagrams has heard all: what it then still says is said.
func TestExecDatagramsServerEnds(t *testing.T) {
	for _, pty := range []bool{false, true} {
		cmd, f := shell(`cat; exit 0`)
		cmd.Pty = pty
		if err := cmd.Check(); err != nil {
			t.Skip(err)
		}
		ctx, end := context.WithCancel(t.Context())
		ln, err := parley.Listen(ctx, "udp:127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- (&parley.Server{Handler: cmd.Exec, Grace: time.Minute}).Serve(ctx, ln) }()
		c := calls(t, ln.Address(), parley.Config{})
		if err := c.Send(inTime(t), []byte("hi\n")); err != nil {
			t.Fatal(err)
		}
		if text, err := c.Receive(inTime(t)); !bytes.HasPrefix(text, []byte("hi")) || err != nil {
			t.Errorf("heard %q, %v", text, err)
		}
		end()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-inTime(t).Done():
			t.Fatal("the process has no end of its input")
		}
		f.none(t)
	}
}

// What was read before belongs to the process too.
func TestExecAfterReading(t *testing.T) {
	cmd, f := shell("cat")
	address := answering(t, "tcp:0", parley.Config{}, func(ctx context.Context, c *parley.Conn) error {
		if first, err := c.Receive(ctx); string(first) != "HELO" || err != nil {
			t.Errorf("heard %q, %v", first, err)
		}
		return cmd.Exec(ctx, c)
	})
	if text := sayAndHear(t, address, "HELO\none\ntwo\n"); text != "one\ntwo\n" {
		t.Errorf("heard %q", text)
	}
	f.none(t)
}

func TestExecPty(t *testing.T) {
	cmd, f := shell(`tty; stty size; [ -t 2 ] && echo terminal; read x; echo "<$x>"`)
	cmd.Pty = true
	if err := cmd.Check(); err != nil {
		if errors.Is(err, errors.ErrUnsupported) {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	c := calls(t, answering(t, "tcp:0", parley.Config{}, cmd.Exec), parley.Config{})
	if _, err := c.Write([]byte("hello\n")); err != nil {
		t.Fatal(err)
	}
	text := hears(t, c)
	for _, want := range []string{"/dev/", "24 80\r\n", "terminal\r\n", "hello\r\n", "<hello>\r\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("heard %q, want %q in it", text, want)
		}
	}
	f.none(t)
}

// Neither descriptors nor processes are left, whatever becomes of a command.
func TestCommandsLeaveNothing(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("no /proc to count in")
	}
	parleytest.Leaks(t)
	round := func() {
		for _, script := range []string{"cat", "true", "exit 1", "kill -9 $$", "exec <&-; echo hi", "yes | head -c 100000"} {
			for _, kind := range []string{"answer", "keep", "exec", "carry", "pty"} {
				cmd, _ := shell(script)
				cmd.MaxReply = 1000
				cmd.Stderr = func(*parley.Conn, []byte) {}
				cmd.Carry, cmd.Pty = kind == "carry", kind == "pty"
				h := map[string]parley.Handler{"answer": cmd.Answer, "keep": cmd.Keep}[kind]
				if h == nil {
					h = cmd.Exec
				}
				talkToOne(t, h)
			}
		}
	}
	round() // the first opens what stays open, such as the poller
	before := descriptors(t)
	round()
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors, before that %d", after, before)
	}
	if left := children(t); left != "" {
		t.Errorf("processes left: %s", left)
	}
}

// talkToOne serves one caller, who says a line.
func talkToOne(t *testing.T, h parley.Handler) {
	t.Helper()
	ln, err := parley.Listen(t.Context(), "tcp:127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		nc, err := ln.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		defer nc.Close()
		_ = h(inTime(t), nc.(*parley.Conn))
	}()
	nc, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	_, _ = nc.Write([]byte("hello\n"))
	_ = nc.(*net.TCPConn).CloseWrite()
	_, _ = io.Copy(io.Discard, nc)
	<-done
}

func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// children returns the processes that this one has and has not reaped.
func children(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil || len(files) == 0 {
		t.Skip("children are not listed here")
	}
	var all bytes.Buffer
	for _, file := range files {
		text, _ := os.ReadFile(file) // a thread may have ended
		all.Write(text)
	}
	return all.String()
}

// Programs made for tcpserver and inetd run unchanged.
func TestExecPeers(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte("static"), 0o644); err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(dir, "rsyncd.conf")
	if err := os.WriteFile(conf, []byte("use chroot = no\nlog file = /dev/null\n[mod]\npath = "+dir+"\ncomment = a module\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	get := "GET /index.html HTTP/1.0\r\n\r\n"
	for name, test := range map[string]struct {
		args        []string
		say, expect string
	}{
		"recordio": {[]string{"recordio", "cat"}, "hello\n", "hello\n"},
		"addcr":    {[]string{"addcr"}, "a\nb\n", "a\r\nb\r\n"},
		"fixcrio":  {[]string{"fixcrio", "cat"}, "a\n", "a\r\n"},
		"busybox":  {[]string{"busybox", "httpd", "-i", "-h", dir}, get, "static"},
		"rsync":    {[]string{"rsync", "--daemon", "--config=" + conf}, "@RSYNCD: 27.0\n#list\n", "a module"},
		"sh":       {[]string{"sh", "-c", "echo $PROTO $TCPREMOTEIP"}, "", "TCP 127.0.0.1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			need(t, test.args[0])
			cmd, _ := shell("")
			cmd.Args = test.args
			cmd.Stderr = func(*parley.Conn, []byte) {}
			if text := sayAndHear(t, answering(t, "tcp:127.0.0.1:0", parley.Config{}, cmd.Exec), test.say); !strings.Contains(text, test.expect) {
				t.Errorf("heard %q, want %q in it", text, test.expect)
			}
		})
	}
}

func TestExecGitDaemon(t *testing.T) {
	need(t, "git")
	dir := t.TempDir()
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", args...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
			"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
		text, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %s: %v\n%s", args, err, text)
		}
		return string(text)
	}
	repo := filepath.Join(dir, "repo")
	git("init", "-q", repo)
	git("-C", repo, "commit", "-q", "--allow-empty", "-m", "first")
	cmd, f := shell("")
	cmd.Args = []string{"git", "daemon", "--inetd", "--export-all", "--base-path=" + dir}
	cmd.Env = []string{"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"}
	cmd.Stderr = func(*parley.Conn, []byte) {}
	address := answering(t, "tcp:127.0.0.1:0", parley.Config{}, cmd.Exec)
	git("clone", "-q", "git://"+strings.TrimPrefix(address, "tcp:")+"/repo", filepath.Join(dir, "copy"))
	if log := git("-C", filepath.Join(dir, "copy"), "log", "--format=%s"); log != "first\n" {
		t.Errorf("the copy has %q", log)
	}
	f.none(t)
}
