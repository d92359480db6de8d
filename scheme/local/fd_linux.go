package local

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// reopen opens what the descriptor is of once more, as proc(5) allows: so it can be waited for, while those who share the
// descriptor go on as before. It is nil where that cannot be: the pipe is another user's, its other end has gone, there is no
// /proc. Opening /dev/ptmx once more would make another terminal.
func (d *descriptor) reopen(access int) *os.File {
	path := "/proc/self/fd/" + strconv.Itoa(int(d.given))
	if name, err := os.Readlink(path); err != nil || strings.HasSuffix(name, "ptmx") {
		return nil
	}
	f, err := os.OpenFile(path, access|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil
	}
	return f
}

// replace makes fd a copy of from.
func replace(from, fd int) error {
	flags := unix.O_CLOEXEC
	if fd <= 2 {
		flags = 0
	}
	return unix.Dup3(from, fd, flags)
}
