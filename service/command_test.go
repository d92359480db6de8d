//go:build unix

package service_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"parley"
	"parley/frame"
	"parley/service"
)

// need skips a test whose peer is not on this machine. With PARLEY_PEERS=required, as where all peers are known to be
// installed, it fails.
func need(t *testing.T, peers ...string) {
	t.Helper()
	for _, name := range peers {
		if _, err := exec.LookPath(name); err == nil {
			continue
		}
		if os.Getenv("PARLEY_PEERS") == "required" {
			t.Fatalf("%s is missing, and PARLEY_PEERS=required", name)
		}
		t.Skipf("%s is missing", name)
	}
}

// shell is a command that runs a script, and notes its failures.
func shell(script string) (*service.Command, *failures) {
	f := new(failures)
	return &service.Command{Args: []string{"/bin/sh", "-c", script}, Failed: f.add}, f
}

type failures struct {
	mu   sync.Mutex
	list []error
}

func (f *failures) add(_ *parley.Conn, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, err)
}

func (f *failures) all() []error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.list)
}

// only wants exactly one failure, that says words.
func (f *failures) only(t *testing.T, words ...string) *service.CommandError {
	t.Helper()
	all := f.all()
	var failure *service.CommandError
	if len(all) != 1 || !errors.As(all[0], &failure) {
		t.Fatalf("failures %v, want one *CommandError", all)
	}
	for _, w := range words {
		if !strings.Contains(failure.Error(), w) {
			t.Errorf("%q does not say %q", failure, w)
		}
	}
	return failure
}

func (f *failures) none(t *testing.T) {
	t.Helper()
	if all := f.all(); len(all) > 0 {
		t.Errorf("failures: %v", all)
	}
}

func TestCommandAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		script, frame, request, reply string
	}{
		"echo":                {"cat", "line", "hello", "hello"},
		"the text only":       {"wc -c", "line", "hello", "5"},
		"several lines":       {"cat; echo; echo two", `end "."`, "one", "one\ntwo"},
		"newline kept":        {"echo hi", "u32", "x", "hi\n"},
		"newline left out":    {"echo hi", "line", "x", "hi"},
		"CRLF left out":       {`printf 'hi\r\n'`, "line", "x", "hi"},
		"one newline only":    {`printf 'a\n\n'`, "2 blank lines", "x", "a"},
		"right size":          {"echo hello", "5 bytes", "12345", "hello"},
		"nothing":             {"true", "line", "x", ""},
		"stdin never read":    {"exec <&-; echo hi", "line", "x", "hi"},
		"stderr does not mix": {"echo bad >&2; echo good", "line", "x", "good"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd, f := shell(test.script)
			cmd.Stderr = func(*parley.Conn, []byte) {}
			cfg := parley.Config{Frame: frame.MustParse(test.frame)}
			c := calls(t, answering(t, "tcp:0", cfg, cmd.Answer), cfg)
			asks(t, c, test.request, test.reply, test.request, test.reply)
			f.none(t)
		})
	}
}

// A request larger than a pipe is given whole, and may be left unread.
func TestCommandAnswerLargeRequests(t *testing.T) {
	large := strings.Repeat("0123456789", 100_000)
	for script, want := range map[string]string{"wc -c": "1000000", "cat": large, "exec <&-; echo deaf": "deaf", "head -c 5": "01234"} {
		cmd, f := shell(script)
		c := calls(t, answering(t, "tcp:0", parley.Config{}, cmd.Answer), parley.Config{})
		asks(t, c, large, want)
		f.none(t)
	}
}

func TestCommandAnswerUntilClose(t *testing.T) {
	cmd, f := shell("cat; echo; echo more")
	address := answering(t, "tcp:0", parley.Config{Frame: frame.UntilClose(), HearFrame: frame.Line()}, cmd.Answer)
	c := calls(t, address, parley.Config{Frame: frame.Line(), HearFrame: frame.UntilClose()})
	asks(t, c, "one", "one\nmore\n")
	ends(t, c)
	f.none(t)
}

// What goes wrong with a command: the caller gets OnError and the conversation goes on, or it is closed.
var badCommands = map[string]struct {
	script string
	says   []string
	is     error
}{
	"status":         {"echo half; exit 3", []string{"command /bin/sh", "exit status 3"}, nil},
	"signal":         {"echo half; kill -9 $$", []string{"ended by signal killed"}, nil},
	"hangs":          {"echo half; exec sleep 1000", []string{"no reply within 100ms", "ended by signal terminated"}, os.ErrDeadlineExceeded},
	"will not end":   {"trap '' TERM; echo half; while :; do sleep 1000; done", []string{"no reply within 100ms", "ended by signal killed"}, os.ErrDeadlineExceeded},
	"floods":         {"yes", []string{"more than 1000 bytes", "raise the limit"}, frame.ErrTooLong},
	"holds its end":  {`printf 'a\nb'`, []string{"cannot be said", "contains its own end"}, frame.ErrContainsEnd},
	"another's end":  {`printf 'a\n\n'`, []string{"cannot be said"}, frame.ErrContainsEnd},
	"leaves at once": {"exit 1", []string{"exit status 1"}, nil},
}

func TestCommandAnswerFails(t *testing.T) {
	for name, test := range badCommands {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd, f := shell(`read x; [ "$x" = well ] && { echo well; exit; }; ` + test.script)
			cmd.MaxReply, cmd.OnError = 1000, []byte("sorry")
			cmd.Timeout = time.Minute
			if test.is == os.ErrDeadlineExceeded {
				cmd.Timeout = 100 * time.Millisecond
			}
			c := calls(t, answering(t, "tcp:0", parley.Config{}, cmd.Answer), parley.Config{})
			asks(t, c, "ill", "sorry")
			if err := f.only(t, test.says...); test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("%v is not %v", err, test.is)
			}
			if cmd.Timeout == time.Minute {
				asks(t, c, "well", "well")
			}
		})
	}
}

func TestCommandAnswerFailsAndCloses(t *testing.T) {
	cmd, f := shell("exit 3")
	ended := make(chan error, 1)
	c := calls(t, answering(t, "tcp:0", parley.Config{}, func(ctx context.Context, c *parley.Conn) error {
		err := cmd.Answer(ctx, c)
		ended <- err
		return err
	}), parley.Config{})
	if err := c.Send(inTime(t), []byte("x")); err != nil {
		t.Fatal(err)
	}
	ends(t, c)
	if failure := f.only(t, "exit status 3"); failure.Status != 3 || failure != <-ended {
		t.Errorf("%+v is not the handler's error", failure)
	}
}

// The reply is there when the process has ended, whoever still holds its output.
func TestCommandAnswerLeavesProcessesBehind(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	cmd, f := shell("sleep 1000 & echo $! >" + file + "; echo hi")
	c := calls(t, answering(t, "tcp:0", parley.Config{}, cmd.Answer), parley.Config{})
	asks(t, c, "x", "hi")
	f.none(t)
	endProcess(t, file)
}

// endProcess ends the process whose number is in file.
func endProcess(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	var pid int
	if _, scanErr := fmt.Sscan(string(text), &pid); err != nil || scanErr != nil {
		t.Fatalf("%q: %v, %v", text, err, scanErr)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Errorf("process %d: %v", pid, err)
	}
}

func TestCommandStderr(t *testing.T) {
	cmd, f := shell(`echo one >&2; printf 'crlf\r\n\nlast' >&2; head -c 5000 /dev/zero | tr '\0' x >&2; echo ok`)
	var lines []string
	cmd.Stderr = func(_ *parley.Conn, line []byte) { lines = append(lines, string(line)) }
	c := calls(t, answering(t, "tcp:0", parley.Config{}, cmd.Answer), parley.Config{})
	asks(t, c, "x", "ok")
	f.none(t)
	long := "last" + strings.Repeat("x", 5000)
	if want := []string{"one", "crlf", "", long[:4096], long[4096:]}; !slices.Equal(lines, want) {
		t.Errorf("heard %q, want %q", lines, want)
	}
}

func TestCommandCheck(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"tool": 0o755, "text": 0o644} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\npwd\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		cmd  *service.Command
		says string // empty: it can be run
	}{
		"in PATH":           {&service.Command{Args: []string{"sh"}}, ""},
		"absolute":          {&service.Command{Args: []string{"/bin/sh"}}, ""},
		"relative to Dir":   {&service.Command{Args: []string{"./tool"}, Dir: dir}, ""},
		"on a terminal":     {&service.Command{Args: []string{"sh"}, Pty: true}, ""},
		"none":              {&service.Command{}, "no program is named"},
		"not in PATH":       {&service.Command{Args: []string{"no-such-program"}}, "command no-such-program: cannot be run: executable file not found in $PATH; install it, or give its path"},
		"no such file":      {&service.Command{Args: []string{"/no/such"}}, "no such file"},
		"not executable":    {&service.Command{Args: []string{"./text"}, Dir: dir}, "permission denied"},
		"a directory":       {&service.Command{Args: []string{dir}}, "cannot be run"},
		"no such Dir":       {&service.Command{Args: []string{"sh"}, Dir: "/no/such"}, "cannot run in /no/such: no such file"},
		"Dir is a file":     {&service.Command{Args: []string{"sh"}, Dir: "/bin/sh"}, "it is no directory"},
		"not relative here": {&service.Command{Args: []string{"./tool"}}, "no such file"},
	} {
		err := test.cmd.Check()
		var failure *service.CommandError
		switch {
		case test.says == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case test.says != "" && (!errors.As(err, &failure) || !strings.Contains(err.Error(), test.says)):
			t.Errorf("%s: %v, want %q", name, err, test.says)
		}
	}
}

// Who did not check gets the failure of each request.
func TestCommandMissing(t *testing.T) {
	for how, handler := range map[string]func(*service.Command) parley.Handler{
		"answer": func(cmd *service.Command) parley.Handler { return cmd.Answer },
		"keep":   func(cmd *service.Command) parley.Handler { return cmd.Keep },
	} {
		f := new(failures)
		cmd := &service.Command{Args: []string{"/no/such"}, OnError: []byte("sorry"), Failed: f.add}
		c := calls(t, answering(t, "tcp:0", parley.Config{}, handler(cmd)), parley.Config{})
		asks(t, c, "x", "sorry")
		if f.only(t, "/no/such", "no such file").Status != -1 {
			t.Errorf("%s: a status of a command that was never started", how)
		}
	}
}

func TestCommandExecMissing(t *testing.T) {
	f := new(failures)
	cmd := &service.Command{Args: []string{"/no/such"}, Failed: f.add}
	c := calls(t, answering(t, "tcp:0", parley.Config{}, cmd.Exec), parley.Config{})
	ends(t, c)
	f.only(t, "/no/such")
}

// A process is ended when the conversation that it works for is closed, whatever its own time.
func TestCommandAnswerConversationClosed(t *testing.T) {
	for name, tls := range map[string]bool{"tcp": false, "tls": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd, f := shell("echo started >&2; exec sleep 1000")
			cmd.Stderr = func(c *parley.Conn, _ []byte) { c.Close() }
			ended := make(chan error, 1)
			address, cfg := "tcp:127.0.0.1:0", parley.Config{}
			if tls {
				address = "tls:127.0.0.1:0"
			}
			c := calls(t, answering(t, address, cfg, func(ctx context.Context, c *parley.Conn) error {
				err := cmd.Answer(ctx, c)
				ended <- err
				return nil
			}), cfg)
			if err := c.Send(inTime(t), []byte("x")); err != nil {
				t.Fatal(err)
			}
			if err := <-ended; err == nil || !strings.Contains(err.Error(), "was ended") {
				t.Errorf("%v", err)
			}
			f.none(t)
		})
	}
}

func TestCommandDatagrams(t *testing.T) {
	cmd, f := shell("tr a-z A-Z")
	c := calls(t, answering(t, "udp:127.0.0.1:0", parley.Config{}, cmd.Answer), parley.Config{})
	asks(t, c, "one", "ONE", "two\n", "TWO\n")
	f.none(t)
}

// A command that fails costs one datagram its reply, and not the others theirs.
func TestCommandDatagramsGoOn(t *testing.T) {
	cmd, f := shell(`read x; echo "$x"; [ "$x" != bad ]`)
	keep, kept := shell(`while read x; do [ "$x" != bad ] || exit 1; echo "$x"; done`)
	for name, test := range map[string]struct {
		h parley.Handler
		f *failures
	}{"answer": {cmd.Answer, f}, "keep": {keep.Keep, kept}} {
		s := &sender{port: 40000, said: [][]byte{[]byte("bad\n"), []byte("one\n"), []byte("bad\n"), []byte("two\n")}}
		err := test.h(t.Context(), parley.NewConn(s, &parley.Config{Frame: frame.Line()}))
		var failure *service.CommandError
		if !errors.As(err, &failure) || failure.Status != 1 {
			t.Errorf("%s: the handler returned %v, want the failure", name, err)
		}
		if got := string(bytes.Join(s.answered, nil)); got != "one\ntwo\n" {
			t.Errorf("%s: answered %q", name, got)
		}
		if n := len(test.f.all()); n != 2 {
			t.Errorf("%s: told of %d failures, want 2", name, n)
		}
	}
}

func TestCommandDatagramTooLarge(t *testing.T) {
	cmd, f := shell("head -c 70000 /dev/zero")
	cmd.OnError = []byte("sorry")
	c := calls(t, answering(t, "udp:127.0.0.1:0", parley.Config{}, cmd.Answer), parley.Config{})
	asks(t, c, "x", "sorry")
	f.only(t, "cannot be said", "too long")
}
