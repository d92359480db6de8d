//go:build unix

package main

import (
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestRelayExits: the exit codes of two ends that are joined once.
func TestRelayExits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	resets := serve(t, func(c *net.TCPConn) {
		_, _ = io.ReadFull(c, make([]byte, 6))
		_ = c.SetLinger(0)
	})
	for _, tt := range []struct {
		name string
		code int
		args []string
		told string
	}{
		{"well", 0, []string{"exec:cat"}, `^$`},
		{"status", 1, []string{"exec:sh -c 'cat >/dev/null; false'"}, `status 1`},
		{"other status", 1, []string{"exec:sh -c 'cat >/dev/null; exit 7'"}, `status 7`},
		{"signal", 1, []string{"exec:sh -c 'cat >/dev/null; kill -9 $$'"}, `(?i)(signal|killed)`},
		{"refused", 4, []string{"127.0.0.1:" + freePort(t)}, `connection refused; nobody listens there`},
		{"refused datagram", 4, []string{"udp:127.0.0.1:" + freePort(t)}, `connection refused`},
		{"no socket", 4, []string{dir + "/none"}, `no such file or directory`},
		{"no host", 4, []string{"nosuch.invalid:80"}, `no such host`},
		{"timeout", 5, []string{fullListener(t), "--connect-timeout", "200ms"}, `(--connect-timeout|200ms)`},
		{"max-time", 5, []string{serve(t, stubborn(t)), "--max-time", "200ms"}, `--max-time 200ms`},
		{"reset", 6, []string{resets}, `(reset|broken pipe|not connected)`},
		{"file missing", 1, []string{"file:" + dir + "/none"}, `none: no such file or directory`},
		{"file in no directory", 1, []string{"file:" + dir + "/no/where?write"}, `no such file or directory`},
		{"directory", 1, []string{"file:" + dir}, `director`},
		{"only read", 1, []string{"file:" + file(t, "in", "text")}, `only read; to keep what is said to it, add \?to=FILE`},
		{"no command", 1, []string{"exec:no-such-command"}, `no-such-command`},
		{"not open", 1, []string{"fd:77"}, `descriptor 77 is not open`},
		{"truncated", 7, []string{"exec:sh -c 'cat >/dev/null; echo 100:half'", "--frame", "line", "--frame-b", "netstring"}, `(incomplete|malformed|stopped)`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := start(t, stdin(parley(append([]string{"relay", "-"}, tt.args...)...), "hello\n"))
			p.leaves(tt.code, tt.told)
			if text := p.err.text(); strings.Count(text, "\n") > 1 && tt.code != 2 {
				t.Errorf("more than one line: %s", text)
			}
		})
	}
}

// TestRelayCommandFails: a command that fails without hearing what is said to it has failed all the same.
func TestRelayCommandFails(t *testing.T) {
	t.Parallel()
	start(t, parley("relay", "-", "exec:false")).leaves(1, `false: .*status 1`)
	t.Run("unheard", func(t *testing.T) {
		start(t, stdin(parley("relay", "-", "exec:false"), strings.Repeat("x", 1<<20))).leaves(1, `false: .*status 1`)
	})
}

// TestRelayDiskFull: what is written to a full disk is an error of ours, with the file's name.
func TestRelayDiskFull(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here")
	}
	defer full.Close()
	t.Run("standard output", func(t *testing.T) {
		cmd := stdin(parley("relay", "-", "exec:cat"), "hello\n")
		cmd.Stdout = full
		start(t, cmd).leaves(1, `no space left on device`)
	})
	t.Run("descriptor", func(t *testing.T) {
		cmd := stdin(parley("relay", "-", "fd:3"), "hello\n")
		cmd.ExtraFiles = []*os.File{full}
		start(t, cmd).leaves(1, `no space left on device`)
	})
	t.Run("file", func(t *testing.T) {
		disk := smallDisk(t)
		start(t, stdin(parley("relay", "-", "file:"+disk+"/out?write"), strings.Repeat("x", 1<<20))).leaves(1, `out: .*no space left on device`)
		if info, err := os.Stat(disk + "/out"); err != nil || info.Size() == 0 {
			t.Errorf("%v, %v", info, err)
		}
	})
}

// smallDisk is a directory with 64 KiB.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=64k", "none", dir).CombinedOutput(); err != nil {
		t.Skipf("no small disk can be made: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	return dir
}

// TestRelayPipeUnread: a named pipe whose reader has left is an error, and not waited for.
func TestRelayPipeUnread(t *testing.T) {
	t.Parallel()
	need(t, "head", "mkfifo")
	name := t.TempDir() + "/fifo"
	if out, err := exec.Command("mkfifo", name).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p := start(t, stdin(parley("relay", "-", "pipe:"+name+"?write"), strings.Repeat("x", 1<<20)))
	start(t, exec.Command("head", "-c10", name)).leaves(0, ``)
	p.leaves(6, `fifo: .*(broken pipe|nobody)`)
}

// TestRelayTapNowhere: a transcript that cannot be begun is a reason not to begin.
func TestRelayTapNowhere(t *testing.T) {
	t.Parallel()
	start(t, parley("relay", "127.0.0.1:0", "127.0.0.1:1", "--tap", t.TempDir()+"/no/where")).leaves(1, `--tap: open .*/no/where: no such file or directory`)
}
