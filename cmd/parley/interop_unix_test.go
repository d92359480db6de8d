//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// socketDir returns a directory whose name is short enough for the paths of Unix sockets.
func socketDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "p")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// TestUnixCallers: who calls a parley on a Unix socket, and hears an answer after the end of what it has said.
func TestUnixCallers(t *testing.T) {
	t.Parallel()
	name := fmt.Sprintf("parley-test-%d", os.Getpid())
	tests := []struct {
		name, address string
		caller        func(path string) *exec.Cmd
	}{
		{"socat", "s", func(path string) *exec.Cmd { return peer(t, "socat", "-t40", "-", "UNIX-CONNECT:"+path) }},
		{"nc", "s", func(path string) *exec.Cmd { return peer(t, "nc", "-N", "-U", path) }},
		{"abstract", "@" + name, func(string) *exec.Cmd { return peer(t, "socat", "-t40", "-", "ABSTRACT-CONNECT:"+name) }},
		{"seqpacket", "s?type=seqpacket", func(path string) *exec.Cmd { return peer(t, "socat", "-t40", "-", "UNIX-CONNECT:"+path+",type=5") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.name != "socat" && tt.name != "nc" && runtime.GOOS != "linux" {
				t.Skip("only Linux has it")
			}
			address, dir := tt.address, ""
			if address[0] != '@' {
				dir = socketDir(t) + "/"
			}
			cmd := parley("listen", dir+address, "--once", "--patience", "50ms")
			in := input(t, cmd)
			v, ready := listen(t, cmd)
			p := start(t, stdin(tt.caller(dir+"s"), "b\na\n"))
			v.out.await(t, `b\na\n`)
			v.err.await(t, `waiting .* for the end of standard input`)
			write(t, in, "the answer\n")
			in.Close()
			p.leaves(0, ``)
			p.says("the answer\n")
			v.leaves(0, ``)
			if _, err := os.Stat(dir + "s"); err == nil {
				t.Errorf("the socket of %s is left", ready)
			}
		})
	}
}

func TestUnixListeners(t *testing.T) {
	t.Parallel()
	name := fmt.Sprintf("parley-test-l-%d", os.Getpid())
	tests := []struct {
		name, address, ready string
		listener             func(path string) *exec.Cmd
	}{
		{"socat", "s", `listening on`, func(path string) *exec.Cmd { return peer(t, "socat", "-dd", "-t40", "UNIX-LISTEN:"+path, "EXEC:sort") }},
		{"abstract", "@" + name, `listening on`, func(string) *exec.Cmd { return peer(t, "socat", "-dd", "-t40", "ABSTRACT-LISTEN:"+name, "EXEC:sort") }},
		{"seqpacket", "s?type=seqpacket", `listening on`, func(path string) *exec.Cmd {
			return peer(t, "socat", "-dd", "-t40", "UNIX-LISTEN:"+path+",type=5", "EXEC:sort")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.name != "socat" && runtime.GOOS != "linux" {
				t.Skip("only Linux has it")
			}
			dir := ""
			if tt.address[0] != '@' {
				dir = socketDir(t) + "/"
			}
			start(t, tt.listener(dir+"s")).err.await(t, tt.ready)
			v := start(t, stdin(parley("call", dir+tt.address), "b\na\n"))
			v.leaves(0, `^$`)
			v.says("a\nb\n")
		})
	}
}

// TestUnixNC: nc leaves when its caller has ended, so it speaks before.
func TestUnixNC(t *testing.T) {
	t.Parallel()
	path := filepath.Join(socketDir(t), "s")
	p := start(t, stdin(peer(t, "nc", "-v", "-N", "-U", "-l", path), "hello\n"))
	p.err.await(t, `Listening on`)
	cmd := parley("call", path)
	in := input(t, cmd)
	v := start(t, cmd)
	v.out.await(t, "hello\n")
	write(t, in, "and goodbye\n")
	in.Close()
	v.leaves(0, `^$`)
	p.leaves(0, ``)
	p.says("and goodbye\n")
}

func TestUnixDatagrams(t *testing.T) {
	t.Parallel()
	path := filepath.Join(socketDir(t), "s")
	v, _ := listen(t, parley("listen", path+"?type=datagram", "--count", "2", "--tag"))
	start(t, stdin(peer(t, "socat", "-", "UNIX-SENDTO:"+path), "from socat\n")).leaves(0, ``)
	start(t, stdin(peer(t, "nc", "-u", "-N", "-U", path), "from nc\n"))
	v.leaves(0, ``)
	v.out.await(t, "^1\tfrom socat\n\\d\tfrom nc\n$")
}
