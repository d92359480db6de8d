package parley

import (
	"context"
	"errors"
	"io"
	"iter"
	"net"
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
	if err := c.reading.Lock(context.Background()); err != nil {
		return 0, err
	}
	defer c.reading.Unlock()
	for {
		if n, err := c.read(p); !c.nudged(err) {
			return n, c.closedWhy(err)
		}
	}
}

// read needs the lock.
func (c *Conn) read(p []byte) (int, error) {
	if len(c.in.Data) > 0 {
		n := copy(p, c.in.Data)
		c.drop(n)
		return n, nil
	}
	if c.raw == nil || len(p) == 0 {
		c.waits()
		n, err := c.nc.Read(p)
		return n, c.heardMore(n, err)
	}
	c.into = p
	err := c.await()
	n := len(c.into)
	c.into = nil
	if err != nil {
		return 0, err
	}
	return n, nil
}

// Receive returns the next frame's text, which is then the caller's. io.EOF: the other end has ended, between frames.
// io.ErrUnexpectedEOF: it ended in the middle of a frame, whose beginning is returned. *frame.TooLongError: the frame
// exceeds Config.MaxFrame. When ctx ends first, what was heard of the frame is kept for the next call.
func (c *Conn) Receive(ctx context.Context) ([]byte, error) {
	if err := c.reading.Lock(ctx); err != nil {
		return nil, c.fail("receive", err)
	}
	defer c.reading.Unlock()
	text, err := c.receive(ctx)
	return text, c.fail("receive", err)
}

// Frames returns the frames as they come, until the other end has ended. An error is the last thing it yields; it
// yields none for a clean end. It can be ranged over again, and goes on where it stopped.
func (c *Conn) Frames(ctx context.Context) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) { c.eachFrame(ctx, yield) }
}

// eachFrame takes the lock for each frame anew, so that a loop body may ask or read. It keeps its stack small; see await.
func (c *Conn) eachFrame(ctx context.Context, yield func(Frame, error) bool) {
	for {
		if err := c.reading.Lock(ctx); err != nil {
			c.yieldLast(nil, err, yield)
			return
		}
		text, err := c.receive(ctx)
		c.reading.Unlock()
		if err != nil {
			c.yieldLast(text, err, yield)
			return
		}
		if !yield(Frame{Data: text, From: c.nc.RemoteAddr(), Conn: c}, nil) {
			return
		}
	}
}

func (c *Conn) yieldLast(part []byte, err error, yield func(Frame, error) bool) {
	if err != io.EOF {
		yield(Frame{Data: part, From: c.nc.RemoteAddr(), Conn: c}, c.fail("receive", err))
	}
}
