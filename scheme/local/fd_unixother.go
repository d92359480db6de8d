//go:build unix && !linux

package local

import (
	"os"

	"golang.org/x/sys/unix"
)

// reopen is for Linux only: elsewhere /dev/fd is a copy that shares everything.
func (d *descriptor) reopen(int) *os.File { return nil }

// replace makes fd a copy of from.
func replace(from, fd int) error {
	err := unix.Dup2(from, fd)
	if err == nil && fd > 2 {
		unix.CloseOnExec(fd)
	}
	return err
}
