package local

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// hold returns a name that means the same pipe even when its path does not any more: one by proc(5), or else the path.
func hold(path string) (held string, unhold func()) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return path, func() {}
	}
	return "/proc/self/fd/" + strconv.Itoa(fd), func() { unix.Close(fd) }
}
