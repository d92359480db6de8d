//go:build unix

package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// execs are flags with which serve exec hands its socket over, and with which it carries the bytes itself.
var execs = map[string][]string{"socket": nil, "carried": {"--idle", "1h"}}

// TestExecEnvironment: what programs written for tcpserver find, the same as there.
func TestExecEnvironment(t *testing.T) {
	t.Parallel()
	script := `echo "$PROTO $TCPREMOTEIP $TCPREMOTEPORT $TCPLOCALIP $TCPLOCALPORT"`
	port := freePort(t)
	theirs := start(t, peer(t, "tcpserver", "-1", "-H", "-R", "-l", "0", "127.0.0.1", port, "sh", "-c", script))
	theirs.out.await(t, `(\d+)`)
	for how, flags := range execs {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			args := append(append([]string{"serve", "exec=127.0.0.1:0"}, flags...), "--", "sh", "-c", script+`; echo "$PARLEY_REMOTE_ADDR $PARLEY_LOCAL_ADDR"`)
			_, address := serving1(t, args...)
			c := talk(t, address)
			remote := c.LocalAddr().String()
			c.hears("TCP 127.0.0.1 " + portOf(t, remote) + " 127.0.0.1 " + portOf(t, address) + "\n" + remote + " " + address + "\n")
			c.ended()
			d := talk(t, "127.0.0.1:"+port)
			d.hears("TCP 127.0.0.1 " + portOf(t, d.LocalAddr().String()) + " 127.0.0.1 " + port + "\n")
			d.ended()
		})
	}
}

// TestExecCallers: callers of every kind, many at once, each with a process of its own that it talks with as if alone.
func TestExecCallers(t *testing.T) {
	t.Parallel()
	for how, flags := range execs {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			v, address := serving1(t, append(append([]string{"serve", "exec=127.0.0.1:0"}, flags...), "--", "sh", "-c", `sort; echo careful >&2; exit 3`)...)
			for name := range tcpCallers(t, address) {
				p := start(t, stdin(tcpCallers(t, address)[name](t), "b\nc\na\n"))
				p.leaves(0, ``)
				p.says("a\nb\nc\n")
			}
			v.err.await(t, `(?m)^careful$`)
			v.err.await(t, `caller 127\.0\.0\.1:\d+\): .*exit status 3`)
			v.signal(syscall.SIGTERM)
			v.leaves(0, ``)
		})
	}
}

// TestInetdPrograms: programs made for inetd and tcpserver, unchanged.
func TestInetdPrograms(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/hello.txt", []byte("hello from a file\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for how, flags := range execs {
		exec := func(t *testing.T, command ...string) string {
			need(t, command[0])
			_, address := serving1(t, append(append([]string{"serve", "exec=127.0.0.1:0"}, flags...), append([]string{"--"}, command...)...)...)
			return address
		}
		t.Run("date/"+how, func(t *testing.T) {
			t.Parallel()
			c := talk(t, exec(t, "date", "+%Y"))
			if got := c.rest(); !regexp.MustCompile(`^20\d\d\n$`).MatchString(got) {
				t.Errorf("heard %q", got)
			}
		})
		t.Run("cat/"+how, func(t *testing.T) {
			t.Parallel()
			text := strings.Repeat("all of it comes back\n", 100_000)
			p := start(t, stdin(parley("call", exec(t, "cat")), text))
			p.leaves(0, `^$`)
			if p.out.text() != text {
				t.Errorf("%d bytes came back of %d", len(p.out.text()), len(text))
			}
		})
		t.Run("httpd/"+how, func(t *testing.T) {
			t.Parallel()
			p := start(t, peer(t, "curl", "-sS", "http://"+exec(t, "busybox", "httpd", "-i", "-h", dir)+"/hello.txt"))
			p.leaves(0, `^$`)
			p.says("hello from a file\n")
		})
		t.Run("git/"+how, func(t *testing.T) {
			t.Parallel()
			gitClone(t, func(base string) string {
				return exec(t, "git", "daemon", "--inetd", "--export-all", "--base-path="+base)
			})
		})
		t.Run("rsync/"+how, func(t *testing.T) {
			t.Parallel()
			conf := file(t, "rsyncd.conf", "use chroot = no\n[files]\npath = "+dir+"\n")
			if how == "carried" {
				t.Skip("rsync takes itself for a daemon only where its descriptor 0 is a socket")
			}
			to := t.TempDir()
			address := exec(t, "rsync", "--daemon", "--config="+conf)
			start(t, peer(t, "rsync", "-q", "rsync://"+address+"/files/hello.txt", to+"/")).leaves(0, `^$`)
			if text, err := os.ReadFile(to + "/hello.txt"); err != nil || string(text) != "hello from a file\n" {
				t.Errorf("got %q, %v", text, err)
			}
		})
		t.Run("recordio/"+how, func(t *testing.T) {
			t.Parallel()
			need(t, "recordio")
			v, address := serving1(t, append(append([]string{"serve", "exec=127.0.0.1:0"}, flags...), "--", "recordio", "sh", "-c", `read -r x; echo "you said $x"`)...)
			if got := exchange(t, address, "hello\n"); got != "you said hello\n" {
				t.Errorf("heard %q", got)
			}
			v.err.await(t, `(?m)^\d+ < hello`)
			v.err.await(t, `(?m)^\d+ > you said hello`)
		})
	}
}

// gitClone clones a repository from where daemon serves its parent directory.
func gitClone(t *testing.T, daemon func(base string) (address string)) {
	t.Helper()
	need(t, "git")
	base, to := t.TempDir(), t.TempDir()
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "init.defaultBranch=main"}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_CONFIG_COUNT=1",
			"GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", cmd, err, out)
		}
	}
	git("init", "-q", base+"/project")
	rewrite(t, base+"/project/file", "kept by git\n")
	git("-C", base+"/project", "add", "file")
	git("-C", base+"/project", "commit", "-q", "-m", "one file")
	git("clone", "-q", "git://"+daemon(base)+"/project", to+"/clone")
	if text, err := os.ReadFile(to + "/clone/file"); err != nil || string(text) != "kept by git\n" {
		t.Errorf("cloned %q, %v", text, err)
	}
}

// TestExecSocket: without a reason to carry the bytes, descriptors 0 and 1 are the caller's socket itself.
func TestExecSocket(t *testing.T) {
	t.Parallel()
	need(t, "readlink")
	script := `readlink /proc/self/fd/0; readlink /proc/self/fd/1`
	_, address := serving1(t, "serve", "exec=127.0.0.1:0", "--", "sh", "-c", script)
	if got := exchange(t, address, ""); !regexp.MustCompile(`^socket:\[(\d+)\]\nsocket:\[(\d+)\]\n$`).MatchString(got) {
		t.Errorf("heard %q", got)
	}
	for _, flags := range []string{"--idle 1h", "--first-frame-within 1h", "--stats"} {
		_, address := serving1(t, append(append([]string{"serve", "exec=127.0.0.1:0"}, strings.Fields(flags)...), "--", "sh", "-c", script)...)
		if got := exchange(t, address, "x"); !strings.HasPrefix(got, "pipe:") {
			t.Errorf("%s: heard %q", flags, got)
		}
	}
}

func TestExecPty(t *testing.T) {
	t.Parallel()
	_, address := serving1(t, "serve", "exec=127.0.0.1:0", "--pty", "--", "sh", "-c", `tty; read x; echo "you said $x"; exec cat >/dev/null`)
	c := talk(t, address)
	if got := c.line(); !strings.HasPrefix(got, "/dev/pts/") {
		t.Errorf("tty says %q", got)
	}
	c.say("hello\n")
	if got, want := c.line()+"\n"+c.line(), "hello\r\nyou said hello\r"; got != want { // a terminal echoes
		t.Errorf("heard %q, want %q", got, want)
	}
	c.say("\x03") // Ctrl-C ends the command
	c.rest()
}

// TestExecTLS: a command behind TLS, as openssl sees it.
func TestExecTLS(t *testing.T) {
	t.Parallel()
	cert := certify(t, "localhost", nil)
	_, address := serving1(t, "serve", "exec=tls:127.0.0.1:0?cert="+cert.file, "--", "sed", "-u", "s/.*/\\U&/")
	port := portOf(t, address[:strings.IndexByte(address+"?", '?')])
	cmd := peer(t, "openssl", "s_client", "-quiet", "-verify_return_error", "-CAfile", cert.authority, "-connect", "127.0.0.1:"+port)
	in := input(t, cmd)
	p := start(t, cmd)
	write(t, in, "hello\n")
	in.Close()
	p.out.await(t, "HELLO\n")
}

// TestExecUnix: a command on a Unix socket finds out who calls.
func TestExecUnix(t *testing.T) {
	t.Parallel()
	path := filepath.Join(socketDir(t), "s")
	_, _ = serving(t, "serve", "exec="+path, "--", "sh", "-c", `echo "$PROTO $IPCLOCALPATH ${TCPREMOTEIP-none}"; cat`)
	p := start(t, stdin(peer(t, "nc", "-N", "-U", path), "hello\n"))
	p.leaves(0, ``)
	p.says("IPC " + path + " none\nhello\n")
}

// TestExecEndsWithServer: processes get what remains of the grace, and then the end; none is left.
func TestExecEndsWithServer(t *testing.T) {
	t.Parallel()
	for how, flags := range execs {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			v, address := serving1(t, append(append([]string{"serve", "exec=127.0.0.1:0", "--grace", "300ms"}, flags...),
				"--", "sh", "-c", `trap '' TERM; echo $$; while :; do sleep 0.1; done`)...)
			c := talk(t, address)
			pid := c.line()
			v.signal(syscall.SIGTERM)
			v.leaves(1, `cut off after the grace of 300ms`)
			c.ended()
			if isRunning(pid) {
				t.Errorf("process %s is left", pid)
			}
		})
	}
}

func isRunning(pid string) bool {
	return exec.Command("kill", "-0", pid).Run() == nil
}

// TestExecCallerGone: a caller that hangs up ends its process in the way that a pipe does, and no other.
func TestExecCallerGone(t *testing.T) {
	t.Parallel()
	for how, flags := range execs {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			_, address := serving1(t, append(append([]string{"serve", "exec=127.0.0.1:0"}, flags...), "--", "sh", "-c", `echo $$; exec cat`)...)
			stays, goes := talk(t, address), talk(t, address)
			stays.line()
			pid := goes.line()
			_ = goes.Conn.(*net.TCPConn).SetLinger(0) // a reset
			goes.Close()
			if !poll(func() bool { return !isRunning(pid) }) {
				t.Errorf("process %s is left", pid)
			}
			stays.say("still here\n")
			stays.hears("still here\n")
		})
	}
}
