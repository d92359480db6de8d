//go:build unix

package local_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley"
	"parley/parleytest"
	"parley/scheme/local"
)

// inTime bounds what ought to come to an end by itself.
func inTime(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// runs dials the address of a command.
func runs(t *testing.T, address string) *parley.Conn {
	t.Helper()
	c, err := parley.Dial(inTime(t), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// script is the address of a script for sh.
func script(text, params string) string {
	text = strings.NewReplacer("%", "%25", "?", "%3F", "&", "%26").Replace(text)
	return "exec:" + text + "?shell" + params
}

// saysAll says text and the end.
func saysAll(t *testing.T, c *parley.Conn, text string) {
	t.Helper()
	if text != "" { // to write nothing would fail, too, where nobody hears
		writes(t, c, text)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
}

// hearsAll returns all there is to hear.
func hearsAll(t *testing.T, c *parley.Conn) string {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	text, err := io.ReadAll(c)
	if err != nil {
		t.Fatalf("heard %q, then %v", text, err)
	}
	return string(text)
}

// hearsLine returns the next line.
func hearsLine(t *testing.T, c *parley.Conn) string {
	t.Helper()
	line, err := c.Receive(inTime(t))
	if err != nil {
		t.Fatalf("heard %q, then %v", line, err)
	}
	return string(line)
}

// waits is Wait of the command behind c.
func waits(ctx context.Context, c *parley.Conn) error {
	return c.NetConn().(interface{ Wait(context.Context) error }).Wait(ctx)
}

// until waits for what another process brings about.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for ctx := inTime(t); !is(); {
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func TestExec(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("NOTIFY_SOCKET", "/not/yours")
	t.Setenv("INHERITED", "old")
	for _, test := range []struct{ address, says, hears string }{
		{"exec:cat", "hello", "hello"},
		{"exec:sort -r", "a\nc\nb\n", "c\nb\na\n"},
		{`exec:printf '<%25s>' 'a b' "c\"d" e\ f ''`, "", `<a b><c"d><e f><>`},
		{"exec:echo $HOME * ~ | cat", "", "$HOME * ~ | cat\n"},
		{"exec:echo why%3F", "", "why?\n"},
		{"exec:true", "", ""},
		{"exec:echo $((1+2)) | tr 3 4?shell", "", "4\n"},
		{"exec:pwd?dir=" + dir, "", dir + "\n"},
		{"exec:printenv ONE TWO INHERITED?env=ONE=1,TWO=a\\,b,INHERITED=new", "", "1\na,b\nnew\n"},
		{"exec:echo $INHERITED-$NOTIFY_SOCKET-?shell", "", "old--\n"},
		{"exec:echo out; echo err >%262?shell&stderr=merge", "", "out\nerr\n"},
		{"exec:echo out; echo err >%262?shell&stderr=null", "", "out\n"},
		{"exec:test -p /dev/stdin && echo pipe?shell", "", "pipe\n"},
		{"exec:test -S /dev/stdin && test -S /dev/stdout && echo socket?shell&socket", "", "socket\n"},
		{"exec:cat?socket", "hello", "hello"},
		{"exec:sort?socket=yes", "b\na\n", "a\nb\n"},
		{"exec:cat?socket=no&pty=no&shell=no", "hello", "hello"},
	} {
		t.Run(test.address, func(t *testing.T) {
			parleytest.Leaks(t)
			c := runs(t, test.address)
			saysAll(t, c, test.says)
			if text := hearsAll(t, c); text != test.hears {
				t.Errorf("heard %q, want %q", text, test.hears)
			}
			if err := c.WaitTaken(inTime(t)); err != nil {
				t.Errorf("WaitTaken: %v", err)
			}
			if err := waits(inTime(t), c); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestExecNames(t *testing.T) {
	for _, address := range []string{"exec:cat -u", "exec:cat -u?socket"} {
		c := runs(t, address)
		for _, a := range []net.Addr{c.LocalAddr(), c.RemoteAddr()} {
			if a.Network() != "exec" || a.String() != "cat -u" {
				t.Errorf("%s: the address is %s of %s", address, a, a.Network())
			}
		}
	}
}

// A relative path begins where the command runs.
func TestExecRelative(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine"), []byte("#!/bin/sh\necho mine\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if text := hearsAll(t, runs(t, "exec:./mine?dir="+dir)); text != "mine\n" {
		t.Errorf("heard %q", text)
	}
}

func TestExecMistakes(t *testing.T) {
	parleytest.Leaks(t)
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, []byte("no program\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		address string
		words   []string
		usage   bool // an *AddressError
		is      error
	}{
		{"exec:", []string{"no command is named", "exec:cat"}, true, nil},
		{"exec:''", []string{"no command is named"}, true, nil},
		{"exec:?shell", []string{"no command is named"}, true, nil},
		{"exec:echo 'a", []string{"a quote ' that is not closed"}, true, nil},
		{"exec:cat?stderr=out", []string{"stderr=out", "inherit, null or merge"}, true, nil},
		{"exec:cat?socket=perhaps", []string{"socket=perhaps", "socket=yes"}, true, nil},
		{"exec:cat?socket&pty", []string{"socket and pty"}, true, nil},
		{"exec:cat?size=80x24", []string{"size=80x24", "add the param pty"}, true, nil},
		{"exec:cat?pty&size=80", []string{"size=80", "COLUMNSxLINES, as in 80x24"}, true, nil},
		{"exec:cat?pty&size=0x0", []string{"size=0x0"}, true, nil},
		{"exec:cat?pty&size=80x70000", []string{"size=80x70000"}, true, nil},
		{"exec:cat?env=PATH", []string{`"PATH" is not NAME=VALUE`}, true, nil},
		{"exec:cat?env=A=1,B", []string{`"B" is not NAME=VALUE`, `\,`}, true, nil},
		{"exec:cat?enviroment=A=1", []string{"unknown param", "enviroment"}, true, nil},
		{"exec:no-such-command", []string{"command no-such-command cannot be run", "not found in $PATH", "give its path"}, false, exec.ErrNotFound},
		{"exec:/no/such/command", []string{"/no/such/command", "no such file"}, false, os.ErrNotExist},
		{"exec:" + plain, []string{plain, "permission denied"}, false, os.ErrPermission},
		{"exec:cat?dir=/no/such", []string{"cat cannot run in /no/such", "no such file"}, false, os.ErrNotExist},
		{"exec:cat?dir=" + plain, []string{"cannot run in " + plain, "no directory"}, false, nil},
	} {
		c, err := parley.Dial(inTime(t), test.address)
		if err == nil {
			c.Close()
			t.Errorf("%s: no error", test.address)
			continue
		}
		for _, word := range test.words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %v; want %q in it", test.address, err, word)
			}
		}
		var usage *parley.AddressError
		if errors.As(err, &usage) != test.usage {
			t.Errorf("%s: %v; an *AddressError: %v, want %v", test.address, err, !test.usage, test.usage)
		}
		if test.is != nil && !errors.Is(err, test.is) {
			t.Errorf("%s: %v is not %v", test.address, err, test.is)
		}
	}
}

// A program that the system does not take for one.
func TestExecNotStarted(t *testing.T) {
	parleytest.Leaks(t)
	file := filepath.Join(t.TempDir(), "garbage")
	if err := os.WriteFile(file, []byte("\x7fELF but no more"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, params := range []string{"", "?socket", "?pty"} {
		c, err := parley.Dial(inTime(t), "exec:"+file+params)
		if err == nil {
			c.Close()
			t.Fatal("started garbage")
		}
		if !errors.Is(err, syscall.ENOEXEC) || !strings.Contains(err.Error(), "cannot start "+file) {
			t.Errorf("%s: %v", params, err)
		}
	}
}

func TestExecDialCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, address := range []string{"exec:cat", "pty:"} {
		if _, err := parley.Dial(ctx, address); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestExecStatus(t *testing.T) {
	for _, test := range []struct {
		script string
		want   *local.ExitError
		text   string
	}{
		{"exit 0", nil, ""},
		{"exit 3", &local.ExitError{Command: "sh", Status: 3}, "command sh: exit status 3"},
		{"exit 255", &local.ExitError{Command: "sh", Status: 255}, "command sh: exit status 255"},
		{"kill -9 $$", &local.ExitError{Command: "sh", Status: -1, Signal: "killed"}, "command sh: ended by signal: killed"},
		{"kill -TERM $$", &local.ExitError{Command: "sh", Status: -1, Signal: "terminated"}, "command sh: ended by signal: terminated"},
	} {
		for _, params := range []string{"", "&socket"} {
			c := runs(t, script(test.script, params))
			hearsAll(t, c)
			for range 2 { // it can be asked again, and after Close
				failsAs(t, test.script, waits(inTime(t), c), test.want, test.text)
			}
			c.Close()
			failsAs(t, test.script, waits(inTime(t), c), test.want, test.text)
		}
	}
}

func failsAs(t *testing.T, what string, err error, want *local.ExitError, text string) {
	t.Helper()
	var got *local.ExitError
	switch {
	case want == nil && err != nil:
		t.Errorf("%s: %v, want no error", what, err)
	case want != nil && (!errors.As(err, &got) || *got != *want || err.Error() != text):
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// A command may go on working when it has said all: Wait waits for it, and a context ends the waiting only.
func TestExecOutlivesItsOutput(t *testing.T) {
	flag := filepath.Join(t.TempDir(), "flag")
	c := runs(t, script(`echo said; exec >&-; while [ ! -e `+flag+` ]; do sleep .01; done; exit 5`, ""))
	if text := hearsAll(t, c); text != "said\n" {
		t.Errorf("heard %q", text)
	}
	why := errors.New("no time")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if err := waits(ctx, c); err != why {
		t.Errorf("Wait under a context that has ended: %v", err)
	}
	if err := os.WriteFile(flag, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	failsAs(t, "Wait", waits(inTime(t), c), &local.ExitError{Command: "sh", Status: 5}, "command sh: exit status 5")
}

// A command that hears no more is told as a pipe tells it, and goes on being heard.
func TestExecClosesItsInput(t *testing.T) {
	flag := filepath.Join(t.TempDir(), "flag")
	c := runs(t, script(`exec <&-; echo ready; while [ ! -e `+flag+` ]; do sleep .01; done; echo end`, ""))
	if line := hearsLine(t, c); line != "ready" {
		t.Fatalf("heard %q", line)
	}
	if _, err := c.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("write: %v, want EPIPE", err)
	}
	if err := os.WriteFile(flag, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if text := hearsAll(t, c); text != "end\n" {
		t.Errorf("then heard %q", text)
	}
	if err := waits(inTime(t), c); err != nil {
		t.Error(err)
	}
}

// running reports whether a process is there, and does not only wait to be reaped by its parent, who may be anybody.
func running(t *testing.T, pid string) bool {
	t.Helper()
	out, err := exec.Command("ps", "-o", "stat=", "-p", pid).Output()
	state := strings.TrimSpace(string(out))
	return err == nil && state != "" && !strings.HasPrefix(state, "Z")
}

// Close and Abort end the whole group, those too that hold on to the pipes when the command itself is gone.
func TestExecEndsTheGroup(t *testing.T) {
	for name, text := range map[string]string{
		"a command and its child":           `sleep 1000 & echo $$ $!; wait`,
		"a child whose command has ended":   `sleep 1000 & echo $$ $!`,
		"a child's child":                   `(sleep 1000 & echo $$ $!; wait)`,
		"who has stopped":                   `sleep 1000 & echo $$ $!; kill -STOP $$`,
		"who writes what nobody hears":      `yes >&2 & echo $$ $!; wait`,
		"who has closed input and output":   `sleep 1000 & echo $$ $!; exec <&- >&-; wait`,
		"a child without input and output":  `sleep 1000 <&- >&- & echo $$ $!; wait`,
		"a child left by one who has ended": `sleep 1000 <&- >&- & echo $$ $!`,
	} {
		for _, params := range []string{"&stderr=null", "&socket&stderr=null", "&pty"} {
			for _, abort := range []bool{false, true} {
				t.Run(fmt.Sprint(name, params, abort), func(t *testing.T) {
					parleytest.Leaks(t)
					c := runs(t, script(text, params))
					pids := strings.Fields(hearsLine(t, c))
					endsReading(t, c, abort)
					areGone(t, pids)
				})
			}
		}
	}
}

// areGone fails t unless a command and its child have ended, and the command has been reaped.
func areGone(t *testing.T, pids []string) {
	t.Helper()
	if len(pids) != 2 {
		t.Fatalf("heard %q, which are not two processes", pids)
	}
	for _, pid := range pids {
		until(t, "process "+pid+" has ended", func() bool { return !running(t, pid) })
	}
	if n, err := strconv.Atoi(pids[0]); err != nil || !errors.Is(syscall.Kill(n, 0), syscall.ESRCH) {
		t.Errorf("process %s has not been reaped", pids[0])
	}
}

// endsReading closes or aborts c, while somebody reads.
func endsReading(t *testing.T, c *parley.Conn, abort bool) {
	t.Helper()
	reading := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, io.MultiReader(c)) // not by WriteTo
		reading <- err
	}()
	if abort {
		c.NetConn().(interface{ Abort() }).Abort()
	}
	if err := c.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := <-reading; err != nil && !errors.Is(err, net.ErrClosed) { // nil: it had ended already
		t.Errorf("Read: %v, want net.ErrClosed", err)
	}
}

// SIGTERM comes first, so that a command can put its things in order. SIGHUP would mean something else to many.
func TestExecIsAskedFirst(t *testing.T) {
	for _, params := range []string{"", "&socket"} {
		told := filepath.Join(t.TempDir(), "told")
		c := runs(t, script(`trap 'echo TERM >>`+told+`; exit 0' TERM; trap 'echo HUP >>`+told+`' HUP; echo ready; while :; do sleep .01; done`, params+"&stderr=null"))
		hearsLine(t, c)
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if text, err := os.ReadFile(told); string(text) != "TERM\n" || err != nil {
			t.Errorf("%s: the command was told %q, %v", params, text, err)
		}
	}
}

// Who does not heed SIGTERM is killed. Close is once, and who comes second waits for the first.
func TestExecKills(t *testing.T) {
	parleytest.Leaks(t)
	c := runs(t, script("trap '' TERM; sleep 1000 & echo $$ $!; wait", "&stderr=null"))
	pids := strings.Fields(hearsLine(t, c))
	nc := c.NetConn()
	closed := make(chan error, 3)
	for range 3 {
		go func() { closed <- nc.Close() }()
	}
	for range 3 {
		if err := <-closed; err != nil {
			t.Error(err)
		}
	}
	areGone(t, pids)
	failsAs(t, "Wait", waits(inTime(t), c), &local.ExitError{Command: "sh", Status: -1, Signal: "killed"}, "command sh: ended by signal: killed")
}

// Neither descriptors nor processes are left, whatever becomes of a command.
func TestExecLeavesNothing(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("no /proc to count in")
	}
	parleytest.Leaks(t)
	round := func() {
		for _, text := range []string{"cat", "true", "exit 1", "kill -9 $$", "exec <&-; echo hi", "yes | head -c 100000", "sleep 1000 & echo"} {
			for _, params := range []string{"", "&socket", "&pty", "&stderr=null", "&stderr=merge", "&dir=/no/such"} {
				c, err := parley.Dial(inTime(t), script(text, params))
				if err != nil {
					continue
				}
				_, _ = c.Write([]byte("hello\n"))
				_ = c.CloseWrite()
				_, _ = c.Read(make([]byte, 1000))
				c.Close()
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

// The kernel can move bytes through pipes by itself, and only there.
func TestExecFiles(t *testing.T) {
	for address, want := range map[string]bool{"exec:cat": true, "exec:cat?socket": false, "exec:cat?pty": false} {
		in, out := runs(t, address).NetConn().(interface{ Files() (in, out *os.File) }).Files()
		if got := in != nil; got != want || (out != nil) != want {
			t.Errorf("%s: files %v, %v, want them: %v", address, in, out, want)
		}
	}
}

// Several commands at once, much both ways.
func TestExecMuch(t *testing.T) {
	parleytest.Leaks(t)
	text := strings.Repeat("0123456789abcdef\n", 200_000)
	heard := make(chan string, 4)
	for _, params := range []string{"", "?socket", "", "?socket"} {
		c := runs(t, "exec:cat"+params)
		go func() { saysAll(t, c, text) }()
		go func() { heard <- hearsAll(t, c) }()
	}
	for range 4 {
		if got := <-heard; got != text {
			t.Errorf("heard %d bytes, or others than were said, want %d", len(got), len(text))
		}
	}
}
