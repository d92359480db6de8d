package parley

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"parley/frame"
	"parley/internal/sock"
	"parley/internal/sys"
)

// receive returns the next frame. It needs the lock, and ctx tied to the read deadline.
func (c *Conn) receive(ctx context.Context) ([]byte, error) {
	for {
		if text, err := c.cut(); text != nil || err != nil {
			return text, err
		}
		if c.ended.Load() {
			return c.lastPart()
		}
		if c.ending.Load() && len(c.in.data) == 0 {
			return nil, ErrServerEnding
		}
		if err := c.fill(); err != nil && !c.ended.Load() {
			if err := c.interrupted(ctx, err); err != nil {
				return nil, err
			}
		}
	}
}

// cut takes one whole frame out of the inbox; nil if there is none yet.
func (c *Conn) cut() ([]byte, error) {
	if c.failed != nil {
		return nil, c.failed
	}
	ended := c.ended.Load()
	if len(c.in.data) == 0 && !c.edge && !(ended && c.hear == frame.UntilClose()) {
		return nil, nil
	}
	text, size, err := c.in.scan(c.hear, ended || c.edge)
	switch {
	case err == nil:
		err = c.tooLong(text, size)
	case text == nil && c.edge:
		err = nil
	}
	if err != nil {
		c.failed = err
		return nil, err
	}
	if text == nil && c.edge {
		return c.cutEdge(size)
	}
	if text == nil {
		c.in.grow(size)
		return nil, nil
	}
	return c.take(text, size, ended), nil
}

// take hands out a frame found in the inbox.
func (c *Conn) take(text []byte, size int, ended bool) []byte {
	if ended && c.hear == frame.UntilClose() {
		c.failed = io.EOF // there is exactly one such frame
	}
	own := c.in.cut(text)
	c.in.drop(size)
	c.edge = c.edge && len(c.in.data) > 0
	if c.cfg.Observe != nil {
		c.cfg.observe(Event{Kind: Heard, Conn: c, Addr: c.RemoteAddr(), Data: own, Size: size})
	}
	return own
}

// cutEdge ends a frame at the edge of its datagram, as a datagram without a line end is a line too. If the frame's size
// is known the datagram has fallen short of it.
func (c *Conn) cutEdge(size int) ([]byte, error) {
	rest := c.in.data
	if size > 0 {
		c.in.drop(len(rest))
		c.edge = false
		return nil, fmt.Errorf("a datagram of %d bytes, where the frame has %d: %w", len(rest), size, io.ErrUnexpectedEOF)
	}
	return c.take(rest, len(rest), false), nil
}

// tooLong holds a frame against the limit: one found whole, announced, or not yet ended.
func (c *Conn) tooLong(text []byte, size int) error {
	limit := c.cfg.maxFrame()
	if text == nil {
		size = max(size, len(c.in.data))
	}
	if limit == 0 || size <= limit {
		return nil
	}
	return &frame.TooLongError{
		Limit: limit, Format: c.hear.String(), Size: size,
		Heard: append([]byte(nil), c.in.data[:min(len(c.in.data), 64)]...),
	}
}

// lastPart is what is left when the other end has ended: nothing, or the beginning of a frame.
func (c *Conn) lastPart() ([]byte, error) {
	c.failed = io.EOF
	err := c.unfinished()
	if err == nil {
		return nil, io.EOF
	}
	part := c.in.cut(c.in.data)
	c.in.drop(len(part))
	return part, err
}

// interrupted tells why fill stopped without bytes; nil means to go on.
func (c *Conn) interrupted(ctx context.Context, err error) error {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	cause := ctx.Err()
	if cause == nil && c.ending.Load() && !c.pastDeadline() {
		c.restoreRead() // the Server's nudge; whoever is in mid-frame may finish it
		return nil
	}
	if cause == nil {
		cause = os.ErrDeadlineExceeded
	}
	if n := len(c.in.data); n > 0 {
		return fmt.Errorf("heard %d bytes without %s: %w", n, c.hear.End(), cause)
	}
	return cause
}

// fill waits until more has come and puts it into the inbox. It holds no memory while it waits.
func (c *Conn) fill() (err error) {
	switch {
	case c.edges:
		err = c.fillDatagram()
	case c.raw != nil:
		c.readErr = nil
		if err = c.raw.Read(c.ready); err == nil {
			err = c.readErr
		}
	default:
		c.waits()
		var n int
		n, err = c.nc.Read(c.in.space())
		c.in.put(n)
		c.heard.Add(int64(n))
		c.in.rest()
	}
	c.rwait.Store(0)
	if err == io.EOF {
		c.hearEnd()
	}
	return asRead(err)
}

// readReady is what fill does when the descriptor may be ready; false waits until it is.
func (c *Conn) readReady(fd uintptr) bool {
	n, again, err := sys.Read(fd, c.in.space())
	if again {
		c.in.rest()
		c.waits()
		return false
	}
	if err != nil {
		c.readErr = &net.OpError{Op: "read", Net: c.network(), Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: os.NewSyscallError("read", err)}
	} else if n == 0 {
		c.readErr = io.EOF
	}
	c.in.put(max(n, 0))
	c.in.rest()
	c.heard.Add(int64(max(n, 0)))
	return true
}

// asRead gives the errors of syscall.RawConn the name that package net gives those of Read.
func asRead(err error) error {
	if oe, ok := err.(*net.OpError); ok && oe.Op == "raw-read" {
		oe.Op = "read"
	}
	return err
}

// fillDatagram reads one datagram. One that fills all of the memory may have been cut off by the kernel, and is refused.
func (c *Conn) fillDatagram() error {
	if c.datagram == nil {
		c.datagram = make([]byte, sock.MaxDatagram(c.LocalAddr()))
	}
	c.waits()
	n, err := c.nc.Read(c.datagram)
	if err != nil {
		return err
	}
	if n == len(c.datagram) {
		return &frame.TooLongError{Limit: n - 1, Format: c.hear.String(), Size: n, Heard: append([]byte(nil), c.datagram[:64]...)}
	}
	c.in.data, c.edge = c.datagram[:n], true
	c.heard.Add(int64(n))
	return nil
}

// waits notes for State that nothing can be done before the other end speaks.
func (c *Conn) waits() {
	c.part.Store(int64(len(c.in.data)))
	c.rwait.Store(now())
}

func (c *Conn) hearEnd() {
	if !c.ended.Swap(true) {
		c.cfg.observe(Event{Kind: HeardEnd, Conn: c, Addr: c.RemoteAddr()})
	}
}
