package parley

import (
	"context"
	"errors"
	"io"
	"iter"
	"net"

	"parley/internal/sock"
)

// A Frame is one whole message, as heard.
type Frame struct {
	Data []byte   // its text, without the end mark; it belongs to the receiver
	From net.Addr // who said it
	Conn *Conn    // the conversation it came on; nil for a datagram without one

	packets *PacketConn // for Reply, if Conn is nil
}

// Reply says p to whoever said f. The error is an *Error.
func (f Frame) Reply(ctx context.Context, p []byte) error {
	if f.Conn != nil {
		return f.Conn.Send(ctx, p)
	}
	if f.packets == nil {
		return &Error{"send", "nobody", errors.New("this frame came from no conversation")}
	}
	return f.packets.Send(ctx, p, f.From)
}

// Read hears bytes as they come, whatever frames they are of. io.EOF: the other end has ended.
func (c *Conn) Read(p []byte) (int, error) {
	if err := c.reading.acquire(context.Background()); err != nil {
		return 0, err
	}
	defer c.reading.release()
	if len(c.in.data) > 0 {
		n := copy(p, c.in.data)
		c.in.drop(n)
		return n, nil
	}
	c.rwait.Store(now())
	n, err := c.nc.Read(p)
	c.rwait.Store(0)
	c.heard.Add(int64(n))
	if err == io.EOF {
		c.hearEnd()
	}
	return n, err
}

// Receive returns the next frame's text, which is then the caller's. io.EOF: the other end has ended, between frames.
// io.ErrUnexpectedEOF: it ended in the middle of a frame, whose beginning is returned. *frame.TooLongError: the frame
// exceeds Config.MaxFrame. When ctx ends first, what was heard of the frame is kept for the next call.
func (c *Conn) Receive(ctx context.Context) ([]byte, error) {
	if err := c.reading.acquire(ctx); err != nil {
		return nil, c.fail("receive", err)
	}
	defer c.reading.release()
	undo := sock.CancelOn(ctx, c.nc.SetReadDeadline, c.restoreRead)
	defer undo()
	text, err := c.receive(ctx)
	return text, c.fail("receive", err)
}

// Frames returns the frames as they come, until the other end has ended. An error is the last thing it yields; it
// yields none for a clean end. It can be ranged over again, and goes on where it stopped.
func (c *Conn) Frames(ctx context.Context) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		undo := sock.CancelOn(ctx, c.nc.SetReadDeadline, c.restoreRead)
		defer undo()
		from := c.RemoteAddr()
		for {
			text, err := c.next(ctx)
			if err == io.EOF {
				return
			}
			if !yield(Frame{Data: text, From: from, Conn: c}, c.fail("receive", err)) || err != nil {
				return
			}
		}
	}
}

// next is receive with the lock taken for one frame, so that a loop body may ask or read.
func (c *Conn) next(ctx context.Context) ([]byte, error) {
	if err := c.reading.acquire(ctx); err != nil {
		return nil, err
	}
	defer c.reading.release()
	return c.receive(ctx)
}
