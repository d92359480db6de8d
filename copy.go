package parley

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"

	"parley/frame"
	"parley/internal/sys"
)

// copyStep is how much of a file the kernel is asked to move at once. State is brought up to date after each.
const copyStep = 4 << 20

// ReadFrom says all that r holds, as it is, and returns how many bytes that was. From a pipe or a file to a socket the
// kernel moves the bytes by itself, where it can (splice, sendfile).
func (c *Conn) ReadFrom(r io.Reader) (int64, error) {
	if err := c.writing.acquire(context.Background()); err != nil {
		return 0, err
	}
	defer c.writing.release()
	defer c.wwait.Store(0)
	if f, ok := r.(*os.File); ok {
		if n, handled, err := c.splice(f); handled {
			return n, err
		}
		if tc, ok := c.nc.(*net.TCPConn); ok && isRegular(f) {
			return c.sendFile(tc, f)
		}
	}
	return c.copyFrom(r)
}

func (c *Conn) splice(pipe *os.File) (n int64, handled bool, err error) {
	rc := rawOf(c.nc)
	if rc == nil {
		return 0, false, nil
	}
	return sys.SpliceIn(rc, pipe, func(n int) { c.said.Add(int64(n)) })
}

func isRegular(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode().IsRegular()
}

func (c *Conn) sendFile(tc *net.TCPConn, f *os.File) (total int64, err error) {
	for {
		c.wwait.Store(now())
		n, err := tc.ReadFrom(io.LimitReader(f, copyStep))
		c.said.Add(n)
		total += n
		if err != nil || n == 0 {
			return total, err
		}
	}
}

func (c *Conn) copyFrom(r io.Reader) (total int64, err error) {
	block := blocks.Get().(*[blockSize]byte)
	defer blocks.Put(block)
	for {
		n, readErr := r.Read(block[:])
		if n > 0 {
			w, err := c.write(block[:n])
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
// itself, where it can.
func (c *Conn) WriteTo(w io.Writer) (total int64, err error) {
	if err := c.reading.acquire(context.Background()); err != nil {
		return 0, err
	}
	defer c.reading.release()
	defer c.rwait.Store(0)
	for {
		n, err := c.flushTo(w)
		total += n
		if err != nil || c.ended.Load() {
			return total, err
		}
		if f, ok := w.(*os.File); ok && c.raw != nil {
			c.rwait.Store(now())
			n, handled, err := sys.SpliceOut(f, c.raw, func(n int) { c.heard.Add(int64(n)) })
			if handled {
				if err == nil {
					c.hearEnd()
				}
				return total + n, asRead(err)
			}
		}
		if err := c.fill(); err != nil && err != io.EOF {
			return total, err
		}
	}
}

// flushTo writes what is in the inbox.
func (c *Conn) flushTo(w io.Writer) (int64, error) {
	if len(c.in.data) == 0 {
		return 0, nil
	}
	n, err := w.Write(c.in.data)
	c.in.drop(n)
	c.edge = false
	return int64(n), err
}

// WriteFramesTo hears until the other end has ended and writes it to w as it is, whole frames at a time: no write begins or
// ends in the middle of one, so that several conversations can share w. io.ErrUnexpectedEOF means that the other end
// stopped in mid-frame, *frame.TooLongError that a frame exceeds Config.MaxFrame; what was heard of that frame is left
// for Read.
func (c *Conn) WriteFramesTo(w io.Writer) (total int64, err error) {
	if err := c.reading.acquire(context.Background()); err != nil {
		return 0, err
	}
	defer c.reading.release()
	for {
		whole, err := c.wholeFrames()
		if whole > 0 {
			n, err := w.Write(c.in.data[:whole])
			total += int64(n)
			c.in.drop(n)
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
		c.in.seen = len(c.in.data)
		if err := c.fill(); err != nil && err != io.EOF {
			return total, c.fail("receive", err)
		}
	}
}

// wholeFrames returns how many bytes of the inbox are whole frames.
func (c *Conn) wholeFrames() (int, error) {
	atEnd := c.ended.Load() && c.hear == frame.UntilClose()
	if c.edge || atEnd {
		c.edge = false
		return len(c.in.data), nil
	}
	return frame.Whole(c.hear, c.in.data, c.in.seen, c.cfg.maxFrame())
}

// unfinished is the error for what is left in the inbox at the end.
func (c *Conn) unfinished() error {
	if len(c.in.data) == 0 {
		return nil
	}
	return &Error{"receive", c.peer(), fmt.Errorf("the other end stopped after %d bytes without %s: %w",
		len(c.in.data), c.hear.End(), io.ErrUnexpectedEOF)}
}
