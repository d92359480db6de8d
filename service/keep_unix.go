//go:build unix

package service

import (
	"io"
	"os"
	"syscall"
)

// quiet asks whether something lies in a pipe, in one system call that never waits.
type quiet struct {
	pipe syscall.RawConn
	look func(fd uintptr) bool
	err  error
}

func (q *quiet) of(f *os.File) {
	q.pipe, q.err = f.SyscallConn()
	q.look = q.read
}

func (q *quiet) check() error {
	if q.pipe == nil {
		return q.err
	}
	if err := q.pipe.Read(q.look); err != nil {
		return err
	}
	return q.err
}

func (q *quiet) read(fd uintptr) bool {
	var one [1]byte
	switch n, err := syscall.Read(int(fd), one[:]); {
	case n > 0:
		q.err = errUnasked
	case err == nil:
		q.err = io.EOF
	case err == syscall.EAGAIN || err == syscall.EINTR:
		q.err = nil
	default:
		q.err = err
	}
	return true
}
