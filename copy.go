package parley

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"syscall"

	"parley/frame"
	"parley/internal/inbox"
	"parley/internal/sock"
	"parley/internal/sys"
)

// copyStep is how much of a file the kernel is asked to move at once. State is brought up to date after each.
const copyStep = 256 << 10

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
		if tc, isTCP := c.nc.(*net.TCPConn); isTCP && isRegular(f) {
			return c.sendFile(tc, f, part)
		}
		sys.GrowPipe(f)
		size = pipeBuffer
	}
	return c.copyFrom(r, make([]byte, size))
}

func isRegular(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode().IsRegular()
}

func (c *Conn) sendFile(tc *net.TCPConn, f *os.File, part *io.LimitedReader) (total int64, err error) {
	defer c.wwait.Store(0)
	for {
		c.wwait.Store(now())
		n, err := tc.ReadFrom(io.LimitReader(f, min(copyStep, part.N)))
		c.said.Add(n)
		part.N -= n
		total += n
		if err != nil || n == 0 {
			return total, c.noteBreak(err)
		}
	}
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

// WriteTo hears until the other end has ended and writes it all to w, as it is. To a pipe the kernel moves the bytes by
// itself, where it can. While it waits with nothing left to write it holds no memory. It finishes when the Server
// begins to end, unless w has a method ServerEnding() bool that reports true then: it returns ErrServerEnding.
//
// An idle conversation may wait here, so it has little stack; see await.
func (c *Conn) WriteTo(w io.Writer) (total int64, err error) {
	if err := c.reading.Lock(context.Background()); err != nil {
		return 0, err
	}
	for {
		var n int64
		n, err = c.flushTo(w)
		total += n
		if err != nil || c.ended.Load() {
			break
		}
		if f, ok := w.(*os.File); ok && c.raw != nil {
			var done bool
			n, done, err = c.spliceTo(f)
			total += n
			if done {
				break
			}
			continue
		}
		if err = c.fill(); err != nil {
			if err = c.whyNoMore(err, w); err != nil {
				break
			}
		}
	}
	c.rwait.Store(0)
	c.reading.Unlock()
	return total, c.closedWhy(err)
}

// whyNoMore is what WriteTo does about an error of fill: nil means to go on.
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
