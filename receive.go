package parley

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"runtime"
	"strings"

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
		if c.ending.Load() && len(c.in.Data) == 0 && !c.asking {
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
	if len(c.in.Data) == 0 && !c.edge() && !(ended && c.hear == frame.UntilClose()) {
		return nil, nil
	}
	text, size, err := c.in.Scan(c.hear, ended || c.edge())
	switch {
	case err == nil:
		err = c.cfg.tooLong(c.hear, c.in.Data, text, size)
	case text == nil && c.edge():
		err = nil
	}
	if err != nil {
		c.failed = err
		return nil, err
	}
	if text == nil && c.edge() {
		return c.cutEdge(size)
	}
	if text == nil {
		return nil, nil
	}
	return c.take(text, size, ended), nil
}

// take hands out a frame found in the inbox.
func (c *Conn) take(text []byte, size int, ended bool) []byte {
	if ended && c.hear == frame.UntilClose() {
		c.failed = io.EOF // there is exactly one such frame
	}
	own := c.in.Cut(text)
	c.drop(size)
	if c.cfg.Observe != nil {
		c.observeFrame(Heard, own, size)
	}
	return own
}

// drop takes n bytes out of the inbox. With its last byte a datagram is gone.
func (c *Conn) drop(n int) {
	c.in.Drop(n)
	if c.packets != nil {
		c.packets.there = len(c.in.Data) > 0
	}
}

// cutEdge ends a frame at the edge of its datagram, as a datagram without a line end is a line too. If the frame's size
// is known the datagram has fallen short of it.
func (c *Conn) cutEdge(size int) ([]byte, error) {
	rest := c.in.Data
	if size > 0 {
		c.drop(len(rest))
		return nil, fmt.Errorf("a datagram of %d bytes, where the frame has %d: %w", len(rest), size, io.ErrUnexpectedEOF)
	}
	return c.take(rest, len(rest), false), nil
}

// tooLong holds the frame at the start of data against the limit: one found whole, announced, or not yet ended.
func (cfg *Config) tooLong(f frame.Format, data, text []byte, size int) error {
	limit := cfg.maxFrame()
	if text == nil {
		size = max(size, len(data))
	}
	if limit == 0 || size <= limit {
		return nil
	}
	return &frame.TooLongError{
		Limit: limit, Format: f.String(), Size: size,
		Heard: append([]byte(nil), data[:min(len(data), 64)]...),
	}
}

// lastPart is what is left when the other end has ended: nothing, or the beginning of a frame.
func (c *Conn) lastPart() ([]byte, error) {
	c.failed = io.EOF
	err := c.unfinished()
	if err == nil {
		return nil, io.EOF
	}
	part := c.in.Cut(c.in.Data)
	c.in.Drop(len(part))
	return part, err
}

// interrupted tells why fill stopped without bytes; nil means to go on.
func (c *Conn) interrupted(ctx context.Context, err error) error {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	cause := ctx.Err()
	if cause == nil && c.nudged(err) {
		return nil
	}
	if cause == nil {
		cause = os.ErrDeadlineExceeded
	}
	if n := len(c.in.Data); n > 0 {
		return fmt.Errorf("heard %d bytes without %s: %w", n, c.hear.End(), cause)
	}
	return cause
}

// nudged reports whether err is only the nudge of a Server that ends, and takes it back: who is not between two frames may
// go on.
func (c *Conn) nudged(err error) bool {
	if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) || !c.ending.Load() || c.pastDeadline() {
		return false
	}
	c.restoreRead()
	return true
}

// fill waits until more has come and puts it into the inbox. On a socket it holds no memory while it waits.
func (c *Conn) fill() error {
	if c.raw != nil {
		return c.await()
	}
	return c.fillPlain()
}

// fillPlain is fill for transports that are more than a socket.
func (c *Conn) fillPlain() error {
	if c.packets != nil {
		return c.fillDatagram()
	}
	c.waits()
	n, err := c.nc.Read(c.in.Space())
	c.in.Put(n)
	c.in.Rest()
	return c.heardMore(n, err)
}

// heardMore counts what a read brought.
func (c *Conn) heardMore(n int, err error) error {
	c.rwait.Store(0)
	c.heard.Add(int64(n))
	if err == io.EOF {
		c.hearEnd()
	}
	return err
}

// await reads once something has come, into c.into or else the inbox.
//
// An idle conversation waits here, so this and what leads here must need little stack: a goroutine that outgrows its
// first 2 KiB costs twice as much for good. That is why there is no defer, and why so little is done in each function.
//
// It lets the others go first: by the time it is this conversation's turn again, what it waits for has often come, and then
// neither the read that finds nothing nor the wait has to be paid for. In bench's echo that is worth 15 % with 10 to 1,000
// conversations, and costs nothing with one.
func (c *Conn) await() error {
	runtime.Gosched()
	err := c.raw.Read(c.ready)
	if err == nil {
		err, c.readErr = c.readErr, nil
	}
	c.rwait.Store(0)
	return asNet(err)
}

// readReady reads what has come; false waits until something has.
func (c *Conn) readReady(fd uintptr) bool {
	p := c.into
	if p == nil {
		p = c.in.Space()
	}
	n, again, err := sys.Read(fd, p)
	if again {
		c.in.Rest()
		c.waits()
		return false
	}
	c.took(n, err)
	return true
}

// took notes what readReady has read.
func (c *Conn) took(n int, err error) {
	switch {
	case err != nil:
		c.readErr = c.opError("read", err)
		c.in.Rest()
	case n == 0:
		c.readErr = io.EOF
		c.in.Rest()
		c.hearEnd()
	case c.into != nil:
		c.into = c.into[:n]
	default:
		c.in.Put(n)
	}
	c.heard.Add(int64(n))
}

// opError names a failed system call as package net does.
func (c *Conn) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: c.network(), Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

// asNet gives the errors of syscall.RawConn the names that package net gives those of Read and Write.
func asNet(err error) error {
	if oe, ok := err.(*net.OpError); ok {
		oe.Op = strings.TrimPrefix(oe.Op, "raw-")
	}
	return err
}

// datagrams is what a conversation needs besides, where the transport keeps edges.
type datagrams struct {
	memory []byte // for one
	there  bool   // the inbox holds one, perhaps an empty one
}

// edge reports whether the inbox ends where a datagram does.
func (c *Conn) edge() bool { return c.packets != nil && c.packets.there }

// fillDatagram reads one datagram. One that fills all of the memory may have been cut off by the kernel, and is refused.
func (c *Conn) fillDatagram() error {
	d := c.packets
	if d.memory == nil {
		d.memory = make([]byte, sock.MaxDatagram(c.LocalAddr()))
	}
	c.waits()
	n, err := c.nc.Read(d.memory)
	if err := c.heardMore(n, err); err != nil {
		return err
	}
	if n == len(d.memory) {
		return &frame.TooLongError{Limit: n - 1, Format: c.hear.String(), Size: n, Heard: append([]byte(nil), d.memory[:64]...)}
	}
	c.in.Data, d.there = d.memory[:n], true
	return nil
}

// waits notes for State that nothing can be done before the other end speaks.
func (c *Conn) waits() {
	c.part.Store(int32(min(len(c.in.Data), math.MaxInt32)))
	c.rwait.Store(now())
}

func (c *Conn) hearEnd() {
	if !c.ended.Swap(true) {
		c.cfg.observe(Event{Kind: HeardEnd, Conn: c, Addr: c.RemoteAddr()})
	}
}
