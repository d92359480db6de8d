//go:build unix

package local

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// makePipe makes a FIFO with just these permissions, whatever the umask.
func makePipe(path string, mode fs.FileMode) error {
	if err := syscall.Mkfifo(path, uint32(mode)); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}

// wakerOf returns a func that ends a wait for the other end of a pipe, by being that end for a moment: nothing else can, as
// the system waits within open(2). It reports false if it cannot, as the pipe is gone. done is called when all is over.
func wakerOf(path string, how int) (wake func() bool, done func()) {
	other := os.O_WRONLY
	if how == os.O_WRONLY {
		other = os.O_RDONLY
	}
	held, unhold := hold(path)
	var f *os.File
	wake = func() bool {
		if f != nil {
			return true
		}
		var err error
		f, err = os.OpenFile(held, other|syscall.O_NONBLOCK, 0)
		return err == nil || errors.Is(err, syscall.ENXIO)
	}
	return wake, func() {
		if f != nil {
			f.Close()
		}
		unhold()
	}
}
