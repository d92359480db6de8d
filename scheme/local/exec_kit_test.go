//go:build unix

package local_test

import (
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"parley/parleytest"
)

// bridge is the variable that makes the test binary the other end of an exec address: it carries bytes between its standard
// input and output and the Unix socket at this path.
const bridge = "PARLEY_TEST_BRIDGE"

// TestExecBridge is that other end. As a command that has something to finish, it carries on after SIGTERM what it is still
// told.
func TestExecBridge(t *testing.T) {
	path := os.Getenv(bridge)
	if path == "" {
		t.Skip("it is run by TestExecScheme")
	}
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	nc, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan bool)
	go func() {
		_, _ = io.Copy(os.Stdout, nc)
		closeOutput()
		close(heard)
	}()
	_, _ = io.Copy(nc, os.Stdin)
	_ = nc.(*net.UnixConn).CloseWrite()
	select {
	case <-heard:
	case <-terminated:
	}
	os.Exit(0)
}

// closeOutput says the end, be it a pipe or a socket.
func closeOutput() {
	_ = syscall.Shutdown(1, syscall.SHUT_WR)
	os.Stdout.Close()
}

func TestExecScheme(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, params := range map[string]string{"pipes": "", "socket": "&socket"} {
		t.Run(name, func(t *testing.T) {
			var ln *net.UnixListener
			parleytest.TestScheme(t, parleytest.SchemeTest{
				Address: func(t *testing.T) string {
					path := socketPath(t)
					if ln, err = net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"}); err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { ln.Close() })
					return "exec:'" + self + "' -test.run=^TestExecBridge$?env=GORACE=atexit_sleep_ms=0," + bridge + "=" + path + params
				},
				Patience: time.Minute, // a test binary takes its time to start
				Other: func(t *testing.T, _ string) net.Conn {
					_ = ln.SetDeadline(time.Now().Add(20 * time.Second)) // nobody comes if dialling has failed
					nc, err := ln.Accept()
					if err != nil {
						t.Error(err)
						return nil
					}
					return nc
				},
			})
		})
	}
}

// socketPath returns a path for a socket; its length is limited to a hundred bytes or so, which t.TempDir may exceed.
func socketPath(t *testing.T) string {
	dir, err := os.MkdirTemp("", "parley")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}
