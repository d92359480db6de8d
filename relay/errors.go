package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"

	"parley"
	"parley/internal/sys"
	"parley/transcript"
)

// ErrSelf means that a conversation was to be joined to itself.
var ErrSelf = errors.New("a conversation cannot be joined to itself")

var errMissing = errors.New("a conversation to be joined is missing")

// refuse closes what Join cannot join, and says why.
func refuse(a, b *parley.Conn) error {
	why := ErrSelf
	for _, c := range [2]*parley.Conn{a, b} {
		if c == nil {
			why = errMissing
			continue
		}
		c.Close()
	}
	return why
}

// isWrite reports whether err, of a copy, came of writing.
func isWrite(err error) bool {
	var file *fs.PathError
	var socket *net.OpError
	var named *parley.Error
	switch {
	case err == nil:
		return false
	case errors.As(err, &file):
		return file.Op != "read"
	case errors.As(err, &socket):
		return socket.Op == "write" || socket.Op == "readfrom" // the latter as package net calls sendfile(2)
	case errors.As(err, &named):
		return named.Op == "send"
	}
	return sys.NoReader.Is(err)
}

// isGone reports whether err, of writing, means that the end takes no more, whatever is said to it; it may still say
// something itself.
func isGone(err error) bool {
	var file *fs.PathError
	var socket *net.OpError
	var size interface{ DatagramSize() int }
	switch {
	case errors.Is(err, net.ErrClosed), errors.Is(err, os.ErrClosed), errors.Is(err, os.ErrDeadlineExceeded):
		return false // it was our own doing
	case errors.As(err, &size), sys.TooLong.Is(err), sys.Refused.Is(err):
		return false // of one datagram
	}
	return errors.As(err, &socket) || errors.As(err, &file) || sys.Broken.Is(err)
}

// place says which end i is.
func (j *joint) place(i int) string { return "the " + j.Roles[i] + " " + j.address(i) }

func (j *joint) address(i int) string {
	if a := j.ends[i].RemoteAddr(); a != nil {
		if text := a.String(); text != "" && text != "@" { // how package net writes a socket without a name on Linux
			return text
		}
		return a.Network() + " caller"
	}
	return "caller"
}

// named says which end err is about.
func (j *joint) named(i int, op string, err error) error {
	if named, ok := err.(*parley.Error); ok {
		err = named.Err
	}
	return &parley.Error{Op: op, Addr: j.address(i), Err: fmt.Errorf("%s: %w", j.Roles[i], err)}
}

// explained adds to the cause what was lost by it.
func (j *joint) explained() error {
	named, ok := j.cause.(*parley.Error)
	if !ok || !j.cut {
		return j.cause
	}
	told := *named
	switch untaken := j.state[j.causeAt].untaken; {
	case untaken > 0:
		told.Err = fmt.Errorf("%w; nobody took %d bytes that were said to it", named.Err, untaken)
	case j.leaving, named.Op == "send" && isGone(named.Err):
		told.Err = fmt.Errorf("%w; what was said to it last may be lost", named.Err)
	}
	if j.deaf {
		told.Err = fmt.Errorf("%w; its last words were not heard by %s, which spoke on", told.Err, j.place(1-j.causeAt))
	}
	return &told
}

// tellTap says how both ends have let go.
func (j *joint) tellTap() {
	for i, s := range j.state {
		how := transcript.HowClean
		if j.cause != nil && (s.failed || !s.heardEnd) {
			how = howOf(j.cause)
		}
		j.tapped.closed(i, how, s.untaken)
	}
}

// howOf is a transcript's word for err.
func howOf(err error) string {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, parley.ErrServerEnding), errors.Is(err, context.Canceled):
		return transcript.HowInterrupted
	case errors.Is(err, io.ErrUnexpectedEOF):
		return transcript.HowTruncated
	case errors.Is(err, parley.ErrIdle), errors.As(err, &timeout) && timeout.Timeout():
		return transcript.HowTimeout
	}
	return transcript.HowReset
}
