//go:build !linux

package sys

import (
	"os"
	"syscall"
)

// Autobind is Linux's: here an error that wraps [errors.ErrUnsupported].
func Autobind(fd uintptr) error { return unsupported("a unix socket named by the kernel") }

// PortHolder is not known here: it returns "".
func PortHolder(network string, port int) string { return "" }

// SpliceOut is Linux's: here handled is false, and the caller copies.
func SpliceOut(pipe *os.File, sock syscall.RawConn, progress func(n int)) (n int64, handled bool, err error) {
	return 0, false, nil
}

// GrowPipe does nothing here: a pipe's size is the system's business.
func GrowPipe(f *os.File) {}

// SetMode does nothing here: the file of a Unix socket gets its permissions once it is there.
func SetMode(fd uintptr, mode os.FileMode) error { return nil }
