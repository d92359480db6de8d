package local

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

// inputOf finds out how f can be waited for, and makes an input of it.
func inputOf(f *os.File) input {
	switch {
	case f.SetReadDeadline(time.Time{}) == nil:
		return &waited{f}
	case isRegular(f):
		return &regular{f: f}
	}
	return newPumpIn(f)
}

// outputOf is inputOf for what is written.
func outputOf(f *os.File) output {
	switch {
	case f.SetWriteDeadline(time.Time{}) == nil:
		return &waited{f}
	case isRegular(f):
		return &regular{f: f}
	}
	return newPumpOut(f)
}

func isRegular(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode().IsRegular()
}

// waited is a file that the system can wait for: a pipe, a terminal, a socket.
type waited struct{ *os.File }

func (w *waited) finish() error  { return w.Close() }
func (w *waited) file() *os.File { return w.File }

// regular is a file on a disk: it never keeps anybody waiting, so a deadline has only to be looked at.
type regular struct {
	f  *os.File
	by [2]deadline // of reading and of writing
}

func (r *regular) Read(p []byte) (int, error) {
	if r.by[0].hasPassed() {
		return 0, os.ErrDeadlineExceeded
	}
	return r.f.Read(p)
}

func (r *regular) Write(p []byte) (int, error) {
	if r.by[1].hasPassed() {
		return 0, os.ErrDeadlineExceeded
	}
	return r.f.Write(p)
}

func (r *regular) SetReadDeadline(t time.Time) error  { r.by[0].set(t); return nil }
func (r *regular) SetWriteDeadline(t time.Time) error { r.by[1].set(t); return nil }
func (r *regular) Close() error                       { return r.f.Close() }
func (r *regular) finish() error                      { return r.f.Close() }
func (r *regular) file() *os.File                     { return r.f }

// shared is an output whose file is the input too, so that it cannot be closed by itself.
type shared struct {
	output
	f *os.File
}

// finish works on sockets only. One whose other end has gone, as macOS tells it, needs no end.
func (s *shared) finish() error {
	err := shutdownWrite(s.f)
	switch {
	case err == nil, errors.Is(err, syscall.ENOTCONN):
		return nil
	case errors.Is(err, os.ErrClosed):
		return err
	}
	return fmt.Errorf("it is read and written through one descriptor, which has no half-close: %w", errors.ErrUnsupported)
}

// silent is the input of an end that is only written to: it has nothing to say, and ends when the other has, or when it takes
// no more.
type silent struct {
	by     deadline
	ended  chan struct{}
	closed chan struct{}
	once   [2]sync.Once
}

func newSilent() *silent {
	return &silent{ended: make(chan struct{}), closed: make(chan struct{})}
}

func (s *silent) end() { s.once[0].Do(func() { close(s.ended) }) }

func (s *silent) Close() error { s.once[1].Do(func() { close(s.closed) }); return nil }

func (s *silent) Read(p []byte) (int, error) {
	if err := await(s.ended, s.closed, &s.by); err != nil {
		return 0, err
	}
	return 0, io.EOF
}

func (s *silent) SetReadDeadline(t time.Time) error { s.by.set(t); return nil }
func (s *silent) file() *os.File                    { return nil }

// untaken is the output of an end that takes nothing.
type untaken struct{ why error }

func (u *untaken) Write(p []byte) (int, error)      { return 0, u.why }
func (u *untaken) SetWriteDeadline(time.Time) error { return nil }
func (u *untaken) finish() error                    { return nil }
func (u *untaken) Close() error                     { return nil }
func (u *untaken) file() *os.File                   { return nil }
