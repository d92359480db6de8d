//go:build !linux && !darwin && !freebsd && !netbsd && !openbsd && !dragonfly && !windows

package sys

// SetOption is not for this system: an error that wraps [errors.ErrUnsupported].
func SetOption(fd uintptr, family int, o Option, value int) error {
	return unsupported("socket options")
}

// SetBacklog is not for this system: an error that wraps [errors.ErrUnsupported].
func SetBacklog(fd uintptr, n int) error { return unsupported("a backlog of one's own") }
