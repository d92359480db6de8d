//go:build unix

package systemd

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"parley/parleytest"
)

func TestMain(m *testing.M) { os.Exit(parleytest.CheckLeaks(m)) }

// childVariable names the test that runs in a child process, to which sockets have been handed over.
const childVariable = "SYSTEMD_TEST"

// inChild hands files over, as systemd does, to a process of its own that runs this test again, and reports false; in that
// process it reports true.
func inChild(t *testing.T, names string, files ...*os.File) bool {
	t.Helper()
	if isChild(t) {
		return true
	}
	// The shell knows the number of the process, which stays the same when it becomes the test.
	cmd := exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), childVariable+"="+t.Name(),
		"LISTEN_FDS="+strconv.Itoa(len(files)), "LISTEN_FDNAMES="+names, "GORACE=atexit_sleep_ms=0")
	cmd.ExtraFiles = files
	out := new(strings.Builder)
	cmd.Stdout, cmd.Stderr = out, out
	err := cmd.Start()
	for _, f := range files {
		f.Close()
	}
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil || !strings.Contains(out.String(), "PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

func isChild(t *testing.T) bool { return os.Getenv(childVariable) == t.Name() }

// opened makes the files to hand over, which only the parent does.
func opened(t *testing.T, open ...func(t *testing.T) *os.File) (files []*os.File) {
	t.Helper()
	if isChild(t) {
		return nil
	}
	for _, o := range open {
		files = append(files, o(t))
	}
	return files
}

// many repeats open.
func many(n int, open func(t *testing.T) *os.File) (all []func(t *testing.T) *os.File) {
	for range n {
		all = append(all, open)
	}
	return all
}

func tcpSocket(t *testing.T) *os.File {
	ln, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	return fileOf(t, ln)
}

func udpSocket(t *testing.T) *os.File {
	pc, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	return fileOf(t, pc)
}

func unixSocket(network string) func(t *testing.T) *os.File {
	return func(t *testing.T) *os.File {
		ln, err := net.ListenUnix(network, &net.UnixAddr{Net: network, Name: socketPath(t)})
		must(t, err)
		ln.SetUnlinkOnClose(false)
		return fileOf(t, ln)
	}
}

func unixDatagrams(t *testing.T) *os.File {
	pc, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: socketPath(t)})
	must(t, err)
	return fileOf(t, pc)
}

func devNull(t *testing.T) *os.File {
	f, err := os.Open(os.DevNull)
	must(t, err)
	return f
}

// oneCaller is what a unit with Accept=yes hands over.
func oneCaller(t *testing.T) *os.File {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer ln.Close()
	nc, err := net.Dial("tcp", ln.Addr().String())
	must(t, err)
	return fileOf(t, nc.(*net.TCPConn))
}

// fileOf closes socket.
func fileOf(t *testing.T, socket interface {
	File() (*os.File, error)
	Close() error
}) *os.File {
	t.Helper()
	f, err := socket.File()
	must(t, err)
	must(t, socket.Close())
	return f
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// socketPath is short, as the paths of sockets must be.
func socketPath(t *testing.T) string {
	dir, err := os.MkdirTemp("", "parley")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}
