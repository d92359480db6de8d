package parley

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net"
	"os"
	"syscall"

	"parley/frame"
	"parley/internal/inbox"
	"parley/internal/sock"
	"parley/internal/sys"
)

// pipeBuffer is what is taken of a pipe at once. With pipes grown to the same size this is the fastest way in: faster,
// and cheaper, than splice(2) into a socket (bench/, bytes).
const pipeBuffer = 1 << 20

// ReadFrom says all that r holds, as it is, and returns how many bytes that was; nobody else can say anything meanwhile. A
// file goes to a TCP socket within the kernel, where it can (sendfile).
func (c *Conn) ReadFrom(r io.Reader) (int64, error) {
	if err := c.writing.Lock(context.Background()); err != nil {
		return 0, err
	}
	defer c.writing.Unlock()
	size := inbox.BlockSize
	part, ok := r.(*io.LimitedReader) // as net/http says files
	if !ok {
		part = &io.LimitedReader{R: r, N: math.MaxInt64}
	}
	if f, isFile := part.R.(*os.File); isFile {
		if tc, isTCP := c.nc.(*net.TCPConn); isTCP && sys.WayBetween(sys.KindOf(f), sys.Stream) == sys.SendFile {
			return c.sendFile(tc, f, part)
		}
		sys.GrowPipe(f)
		size = pipeBuffer
	}
	return c.copyFrom(r, make([]byte, size))
}

func (c *Conn) sendFile(tc *net.TCPConn, f *os.File, part *io.LimitedReader) (int64, error) {
	defer c.wwait.Store(0)
	c.wwait.Store(now())
	n, err := sock.SendFile(tc, f, &part.N, func(n int64) { c.said.Add(n); c.wwait.Store(now()) })
	return n, c.noteBreak(err)
}

func (c *Conn) copyFrom(r io.Reader, buf []byte) (total int64, err error) {
	o := outboxes.Get().(*outbox)
	defer o.done()
	for {
		n, readErr := r.Read(buf)
		if n > 0 {
			w, err := o.write(context.Background(), c, buf[:n])
			total += int64(w)
			if err != nil {
				return total, err
			}
		}
		if readErr == io.EOF {
			return total, nil
		}
		if readErr != nil {
			return total, readErr
		}
	}
}

// WriteTo hears until the other end has ended and writes it all to w, as it is. To a pipe, a file, and another Conn on a
// socket, the kernel moves the bytes by itself, where it can and where much comes; nobody else can say anything to that
// Conn meanwhile. While WriteTo waits with nothing left to write it holds no memory. It finishes when the Server begins to
// end, unless w has a method ServerEnding() bool that reports true then: it returns ErrServerEnding.
//
// An idle conversation may wait here, so it has little stack; see await.
func (c *Conn) WriteTo(w io.Writer) (total int64, err error) {
	if err := c.reading.Lock(context.Background()); err != nil {
		return 0, err
	}
	way := c.wayTo(w)
	for done := false; !done; {
		much := len(c.in.Data) >= inbox.BlockSize
		n, failed := c.flushTo(w)
		total += n
		err = failed
		switch {
		case err != nil || c.ended.Load():
			done = true
		case way == sys.Splice:
			n, done, err = c.spliceTo(w.(*os.File))
			total += n
		case way == sys.Through && much:
			n, done, err = c.passTo(w)
			total += n
		default:
			err = c.whyNoMore(c.fill(), w)
			done = err != nil
		}
	}
	c.rwait.Store(0)
	c.reading.Unlock()
	return total, c.closedWhy(err)
}

// wayTo is how what is heard gets to w.
func (c *Conn) wayTo(w io.Writer) sys.Way {
	if c.raw == nil {
		return sys.Copy
	}
	switch w := w.(type) {
	case *os.File:
		return sys.WayBetween(sys.Stream, sys.KindOf(w))
	case *Conn:
		if w.raw != nil {
			return sys.WayBetween(sys.Stream, sys.Stream)
		}
	}
	return sys.Copy
}

// passTo has the kernel move what comes to w, a Conn or a file, while much comes.
func (c *Conn) passTo(w io.Writer) (n int64, done bool, err error) {
	m := sys.Moves{Took: c.heards, Gave: func(k int) { n += int64(k) }, Waits: c.waits, Stuck: func() {}}
	if to, ok := w.(*Conn); ok {
		err = c.passToConn(to, m)
	} else {
		err = c.passToFile(w.(*os.File), m)
	}
	return n, err != nil, err
}

func (c *Conn) passToConn(to *Conn, m sys.Moves) error {
	if err := to.writing.Lock(context.Background()); err != nil {
		return err
	}
	defer to.writing.Unlock()
	defer to.wwait.Store(0)
	count := m.Gave
	m.Gave = func(n int) { count(n); to.said.Add(int64(n)); to.wwait.Store(0) }
	m.Stuck = func() { to.wwait.Store(now()) }
	fromErr, toErr := sys.PassThrough(c.raw, to.raw, m)
	if toErr != nil {
		return to.netError("write", toErr)
	}
	return c.whyNoMore(c.netError("read", fromErr), to)
}

func (c *Conn) passToFile(f *os.File, m sys.Moves) error {
	to, err := f.SyscallConn()
	if err != nil {
		return err
	}
	fromErr, toErr := sys.PassThrough(c.raw, to, m)
	if toErr != nil {
		return &fs.PathError{Op: "write", Path: f.Name(), Err: toErr}
	}
	return c.whyNoMore(c.netError("read", fromErr), f)
}

// whyNoMore is what WriteTo does about an error of fill, or none: nil means to go on.
func (c *Conn) whyNoMore(err error, w io.Writer) error {
	switch {
	case err == io.EOF:
		return nil // WriteTo sees that
	case !c.nudged(err):
		return err
	}
	if e, ok := w.(interface{ ServerEnding() bool }); ok && e.ServerEnding() {
		return ErrServerEnding
	}
	return nil
}

// spliceTo has the kernel move what comes to f, if it is a pipe, until the other end has ended. If it is none, or a Server
// begins to end, it is not done.
func (c *Conn) spliceTo(f *os.File) (n int64, done bool, err error) {
	c.waits()
	n, handled, err := sys.SpliceOut(f, c.raw, func(n int) { c.heard.Add(int64(n)) })
	if !handled {
		err := c.fill()
		if err != nil {
			err = c.whyNoMore(err, f)
		}
		return n, err != nil, err
	}
	if c.nudged(err) {
		return n, false, nil
	}
	if err == nil {
		if err = c.endOrBreak(); err == io.EOF {
			c.hearEnd()
			err = nil
		}
	}
	if errors.Is(err, syscall.ECONNRESET) { // EPIPE is the pipe's
		err = c.opError("read", err)
	}
	return n, true, sock.AsNet(err)
}

// flushTo writes what is in the inbox.
func (c *Conn) flushTo(w io.Writer) (int64, error) {
	if len(c.in.Data) == 0 {
		return 0, nil
	}
	n, err := w.Write(c.in.Data)
	c.drop(n)
	return int64(n), err
}

// WriteFramesTo hears until the other end has ended and writes it to w as it is, whole frames at a time: no write begins or
// ends in the middle of one, so that several conversations can share w. io.ErrUnexpectedEOF means that the other end
// stopped in mid-frame, *frame.TooLongError that a frame exceeds Config.MaxFrame; what was heard of that frame is left
// for Read.
func (c *Conn) WriteFramesTo(w io.Writer) (total int64, err error) {
	if err := c.reading.Lock(context.Background()); err != nil {
		return 0, err
	}
	defer c.reading.Unlock()
	for {
		whole, err := c.wholeFrames()
		if whole > 0 {
			n, err := w.Write(c.in.Data[:whole])
			total += int64(n)
			c.drop(n)
			if err != nil {
				return total, err
			}
		}
		switch {
		case err != nil:
			return total, c.fail("receive", err)
		case c.ended.Load():
			return total, c.unfinished()
		}
		c.in.Seen = len(c.in.Data)
		if err := c.fill(); err != nil && err != io.EOF && !c.nudged(err) {
			return total, c.fail("receive", err)
		}
	}
}

// wholeFrames returns how many bytes of the inbox are whole frames.
func (c *Conn) wholeFrames() (int, error) {
	atEnd := c.ended.Load() && c.hear == frame.UntilClose()
	if c.edge() || atEnd {
		return len(c.in.Data), nil
	}
	return frame.Whole(c.hear, c.in.Data, c.in.Seen, c.cfg.maxFrame())
}

// unfinished is the error for what is left in the inbox at the end.
func (c *Conn) unfinished() error {
	if len(c.in.Data) == 0 {
		return nil
	}
	return &Error{"receive", c.peer(), fmt.Errorf("the other end stopped after %d bytes without %s: %w",
		len(c.in.Data), c.hear.End(), io.ErrUnexpectedEOF)}
}
