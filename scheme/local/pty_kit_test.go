//go:build linux

package local

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"parley/parleytest"
)

// The other end is the terminal, opened as any program would open it.
func TestPTYScheme(t *testing.T) {
	var link string
	parleytest.TestScheme(t, parleytest.SchemeTest{
		NoHalfClose: "a terminal in raw mode has no end to say",
		LossyClose:  "the kernel throws away what nobody has read from a terminal that is hung up",
		Address: func(t *testing.T) string {
			link = filepath.Join(t.TempDir(), "terminal")
			return "pty:?link=" + link
		},
		Other: func(t *testing.T, _ string) net.Conn {
			for t.Context().Err() == nil {
				f, err := os.OpenFile(link, os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
				if err == nil {
					return newTerminalEnd(Addr{"tty", link}, f)
				}
			}
			return nil
		},
	})
}
