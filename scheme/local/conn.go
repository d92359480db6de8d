package local

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// An end is a conversation with something of this machine: it hears one file, and what is said to it goes to another. It is
// a net.Conn with half-close.
type end struct {
	addr Addr
	in   input
	out  output

	saidEnd atomic.Bool
	closed  atomic.Bool
}

// An input is what an end hears.
type input interface {
	Read(p []byte) (int, error)
	SetReadDeadline(t time.Time) error
	Close() error

	// file is what the kernel can move bytes from by itself; nil if it must not.
	file() *os.File
}

// An output is where what is said to an end goes.
type output interface {
	Write(p []byte) (int, error)
	SetWriteDeadline(t time.Time) error

	// finish closes it when all was written; errors.ErrUnsupported if it cannot be closed by itself.
	finish() error

	// Close closes it at once.
	Close() error

	// file is what the kernel can move bytes to by itself; nil if it must not.
	file() *os.File
}

// newEnd makes an end that hears in and speaks to out, which are then its own. They may be the same file, which then has a
// half-close if it is a socket. A nil in has nothing to say, and ends when the other end has; a nil out takes nothing, as
// onlyRead says.
func newEnd(addr Addr, in, out *os.File) *end {
	e := &end{addr: addr, in: newSilent(), out: &untaken{onlyRead(addr, "")}}
	if in != nil {
		e.in = inputOf(in)
	}
	switch {
	case out == nil:
	case out == in:
		e.out = &shared{outputOf(out), out}
	default:
		e.out = outputOf(out)
	}
	return e
}

// onlyRead is the error of a write to an end that takes nothing; what to do instead may be added.
func onlyRead(addr Addr, instead string) error {
	return fmt.Errorf("%s:%s is only read%s: %w", addr.network, addr.text, instead, errors.ErrUnsupported)
}

func (e *end) Read(p []byte) (int, error) {
	n, err := e.in.Read(p)
	return n, e.fail("read", err)
}

func (e *end) Write(p []byte) (int, error) {
	if e.saidEnd.Load() {
		return 0, e.fail("write", io.ErrClosedPipe)
	}
	n, err := e.out.Write(p)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		e.endSilence() // who waits for its end would wait in vain: nobody says the end to what has failed
	}
	return n, e.fail("write", err)
}

// endSilence ends an end that is only written to. It takes no more.
func (e *end) endSilence() {
	if s, ok := e.in.(*silent); ok {
		s.end()
	}
}

// CloseWrite says the end to what is written: it is closed when all is there.
func (e *end) CloseWrite() error {
	if e.closed.Load() {
		return e.fail("close", net.ErrClosed)
	}
	if e.saidEnd.Swap(true) {
		return nil
	}
	err := e.out.finish()
	if errors.Is(err, errors.ErrUnsupported) {
		e.saidEnd.Store(false)
	} else {
		e.endSilence()
	}
	return e.fail("close", err)
}

// Close closes both files, and ends the calls that wait for them.
func (e *end) Close() error {
	if e.closed.Swap(true) {
		return nil
	}
	err := e.in.Close()
	if !e.saidEnd.Swap(true) {
		err = cmp.Or(err, e.out.Close())
	}
	if errors.Is(err, os.ErrClosed) { // in and out are one
		err = nil
	}
	return err
}

// Files returns the files that the kernel can move bytes from and to; nil where there is none. They stay the end's.
func (e *end) Files() (in, out *os.File) { return e.in.file(), e.out.file() }

func (e *end) LocalAddr() net.Addr  { return e.addr }
func (e *end) RemoteAddr() net.Addr { return e.addr }

func (e *end) SetDeadline(t time.Time) error {
	return cmp.Or(e.SetReadDeadline(t), e.SetWriteDeadline(t))
}

func (e *end) SetReadDeadline(t time.Time) error {
	return e.fail("set", e.in.SetReadDeadline(t))
}

func (e *end) SetWriteDeadline(t time.Time) error {
	if e.saidEnd.Load() && !e.closed.Load() {
		return nil // as on a socket; nothing can wait there any more
	}
	return e.fail("set", e.out.SetWriteDeadline(t))
}

// fail gives an error the form of those of package net.
func (e *end) fail(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	var inFile *os.PathError
	if errors.As(err, &inFile) {
		err = inFile.Err
	}
	switch {
	case e.closed.Load(), errors.Is(err, os.ErrClosed) && !e.saidEnd.Load():
		err = net.ErrClosed
	case errors.Is(err, os.ErrClosed): // by CloseWrite, while a write waited
		err = io.ErrClosedPipe
	}
	return &net.OpError{Op: op, Net: e.addr.network, Addr: e.addr, Err: err}
}
