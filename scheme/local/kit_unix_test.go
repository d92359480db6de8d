//go:build unix

package local

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"parley"
	"parley/parleytest"
)

// lend makes a descriptor one that this process could have been started with, until the test ends.
func lend(t *testing.T, fd int) given {
	t.Helper()
	t.Cleanup(func() {
		inUse.Lock()
		defer inUse.Unlock()
		delete(inUse.by, given(fd))
		syscall.Close(fd)
	})
	return given(fd)
}

// rawPipe returns a pipe as a shell makes it: calls wait, and commands inherit it.
func rawPipe(t *testing.T) (r, w int) {
	t.Helper()
	var p [2]int
	must(t, syscall.Pipe(p[:]))
	return p[0], p[1]
}

// ours makes a file of a descriptor that can be waited for.
func ours(t *testing.T, fd int) *os.File {
	t.Helper()
	syscall.CloseOnExec(fd)
	must(t, syscall.SetNonblock(fd, true))
	f := os.NewFile(uintptr(fd), fmt.Sprintf("descriptor %d", fd))
	t.Cleanup(func() { f.Close() })
	return f
}

// lentPipes returns two descriptors to hear and to speak to, and a conversation with what is beyond them.
func lentPipes(t *testing.T) (in, out given, beyond net.Conn) {
	t.Helper()
	inR, inW := rawPipe(t)
	outR, outW := rawPipe(t)
	return lend(t, inR), lend(t, outW), newEnd(Addr{"beyond", ""}, ours(t, outR), ours(t, inW))
}

func TestPipesOfDescriptors(t *testing.T) {
	var beyond net.Conn
	parleytest.TestScheme(t, parleytest.SchemeTest{
		Address: func(t *testing.T) string {
			var in, out given
			in, out, beyond = lentPipes(t)
			return fmt.Sprintf("fd:%d,%d", in, out)
		},
		Other: func(*testing.T, string) net.Conn { return beyond },
	})
}

func TestStdio(t *testing.T) {
	var in, out given
	var beyond net.Conn
	parleytest.TestScheme(t, parleytest.SchemeTest{
		Config: schemeOf("stdio", func() (net.Conn, error) { return openGiven(Addr{"stdio", ""}, in, out) }),
		Address: func(t *testing.T) string {
			in, out, beyond = lentPipes(t)
			return "-"
		},
		Other: func(*testing.T, string) net.Conn { return beyond },
	})
}

// What the system cannot wait for is read and written in goroutines.
func TestPumpedScheme(t *testing.T) {
	var pumped, beyond net.Conn
	parleytest.TestScheme(t, parleytest.SchemeTest{
		Config: schemeOf("pumped", func() (net.Conn, error) { return pumped, nil }),
		Address: func(t *testing.T) string {
			inR, inW := rawPipe(t)
			outR, outW := rawPipe(t)
			pumped = newEnd(Addr{"pumped", ""}, os.NewFile(uintptr(inR), "in"), os.NewFile(uintptr(outW), "out"))
			beyond = newEnd(Addr{"beyond", ""}, ours(t, outR), ours(t, inW))
			t.Cleanup(func() { pumped.Close() })
			return "pumped:"
		},
		Other: func(*testing.T, string) net.Conn { return beyond },
	})
}

func TestSocketDescriptor(t *testing.T) {
	var beyond int
	parleytest.TestScheme(t, parleytest.SchemeTest{
		Address: func(t *testing.T) string {
			pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
			must(t, err)
			beyond = pair[1]
			return fmt.Sprintf("fd:%d", lend(t, pair[0]))
		},
		Other: func(t *testing.T, _ string) net.Conn {
			f := os.NewFile(uintptr(beyond), "beyond")
			defer f.Close()
			nc, err := net.FileConn(f)
			if err != nil {
				t.Error(err)
			}
			return nc
		},
	})
}

func TestNamedPipes(t *testing.T) {
	var to, from string
	parleytest.TestScheme(t, parleytest.SchemeTest{
		Address: func(t *testing.T) string {
			dir := t.TempDir()
			to, from = filepath.Join(dir, "to"), filepath.Join(dir, "from")
			return "pipe:" + to + "?to=" + from
		},
		Other: func(t *testing.T, _ string) net.Conn {
			c, err := parley.Dial(t.Context(), "pipe:"+from+"?to="+to)
			if err != nil {
				t.Error(err)
				return nil
			}
			return c.NetConn()
		},
	})
}
