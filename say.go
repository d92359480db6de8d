package parley

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"parley/frame"
	"parley/internal/sock"
)

// outboxes hold a frame while it is written; those that a long frame has blown up are not kept.
var outboxes = sync.Pool{New: func() any { return new([]byte) }}

const keptOutbox = 64 << 10

// Send says p as one frame, which adds its end mark; p stays the caller's. A text that contains its own end is an error
// (frame.ErrContainsEnd) and nothing is said. When ctx ends in the middle of the frame, the conversation is out of step
// and says nothing more. A frame that ends with the close says the end too.
func (c *Conn) Send(ctx context.Context, p []byte) error {
	if err := c.writing.acquire(ctx); err != nil {
		return c.fail("send", err)
	}
	defer c.writing.release()
	return c.fail("send", c.send(ctx, p))
}

// send needs the lock.
func (c *Conn) send(ctx context.Context, p []byte) error {
	if c.sendLost {
		return fmt.Errorf("%w: an earlier frame was said in part only", ErrOutOfStep)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	out := outboxes.Get().(*[]byte)
	defer putOutbox(out)
	var err error
	if *out, err = c.say.Append((*out)[:0], p); err != nil {
		return err
	}
	if err := c.sayWhole(ctx, *out); err != nil {
		return err
	}
	if c.cfg.Observe != nil {
		c.cfg.observe(Event{Kind: Said, Conn: c, Addr: c.RemoteAddr(), Data: p, Size: len(*out)})
	}
	if c.say == frame.UntilClose() {
		return c.CloseWrite()
	}
	return nil
}

func putOutbox(out *[]byte) {
	if cap(*out) <= keptOutbox {
		outboxes.Put(out)
	}
}

// sayWhole writes all of wire, or marks the conversation if it wrote a part.
func (c *Conn) sayWhole(ctx context.Context, wire []byte) error {
	undo := sock.CancelOn(ctx, c.nc.SetWriteDeadline, c.restoreWrite)
	n, err := c.write(wire)
	undo()
	if err == nil {
		return nil
	}
	c.sendLost = n > 0
	if ctx.Err() != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("said %d of %d bytes: %w", n, len(wire), ctx.Err())
	}
	return err
}

// Ask says p as a frame and returns the next one heard, which is then the caller's. If it fails after it has begun to
// speak, the reply may still come and be taken for another's: every later Ask is then ErrOutOfStep. So it is if
// something was heard before the question. io.ErrUnexpectedEOF means that the other end has ended without a reply.
func (c *Conn) Ask(ctx context.Context, p []byte) ([]byte, error) {
	if err := c.reading.acquire(ctx); err != nil {
		return nil, c.fail("ask", err)
	}
	defer c.reading.release()
	if c.askLost {
		return nil, c.fail("ask", fmt.Errorf("%w: an earlier question has no reply yet", ErrOutOfStep))
	}
	if n := len(c.in.data); n > 0 {
		return nil, c.fail("ask", fmt.Errorf("%w: %d bytes were heard before the question; receive them first", ErrOutOfStep, n))
	}
	said := c.said.Load()
	if err := c.Send(ctx, p); err != nil {
		c.askLost = c.said.Load() != said
		return nil, c.fail("ask", err)
	}
	undo := sock.CancelOn(ctx, c.nc.SetReadDeadline, c.restoreRead)
	defer undo()
	reply, err := c.receive(ctx)
	c.askLost = err != nil
	if err == io.EOF {
		err = fmt.Errorf("the other end has ended without a reply: %w", io.ErrUnexpectedEOF)
	}
	return reply, c.fail("ask", err)
}

// pastDeadline reports whether the user's own read deadline has gone by.
func (c *Conn) pastDeadline() bool {
	c.deadline.mu.Lock()
	defer c.deadline.mu.Unlock()
	return !c.deadline.read.IsZero() && !time.Now().Before(c.deadline.read)
}
