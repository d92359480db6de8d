package parley

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"parley/frame"
	"parley/internal/inbox"
	"parley/internal/sock"
	"parley/internal/sys"
)

// An outbox is what a write needs while it lasts: memory for a frame, and how far it has got.
type outbox struct {
	frame []byte
	c     *Conn
	ctx   context.Context
	undo  func() // of armWrite, if the write had to wait
	rest  []byte // not yet written
	err   error
	ready func(uintptr) bool // writeReady
}

// outboxes are shared by all conversations, as most write nothing most of the time.
var outboxes = sync.Pool{New: func() any {
	o := new(outbox)
	o.ready = o.writeReady
	return o
}}

// keptFrame is the largest memory for a frame that an outbox keeps, in bytes.
const keptFrame = 64 << 10

func (o *outbox) done() {
	if cap(o.frame) > keptFrame {
		o.frame = nil
	}
	o.c, o.ctx, o.undo, o.rest, o.err = nil, nil, nil, nil, nil
	outboxes.Put(o)
}

// Write says p as it is, without an end mark.
func (c *Conn) Write(p []byte) (int, error) {
	if err := c.writing.Lock(context.Background()); err != nil {
		return 0, err
	}
	defer c.writing.Unlock()
	o := outboxes.Get().(*outbox)
	defer o.done()
	n, err := o.write(context.Background(), c, p)
	return n, c.closedWhy(err)
}

// write writes p, until ctx ends. It needs c's lock.
func (o *outbox) write(ctx context.Context, c *Conn, p []byte) (int, error) {
	if c.raw == nil || len(p) == 0 {
		return c.writePlain(ctx, p)
	}
	o.c, o.ctx, o.rest = c, ctx, p
	err := c.raw.Write(o.ready)
	if o.undo != nil {
		o.undo()
	}
	if c.wwait.Load() != 0 {
		c.wwait.Store(0)
	}
	if err == nil {
		err = o.err
	}
	return len(p) - len(o.rest), sock.AsNet(err)
}

// writeReady writes what the kernel takes; false waits until it takes more. Only then does ctx come into play, so that a
// write that need not wait, as nearly all, costs no more than the system call.
func (o *outbox) writeReady(fd uintptr) bool {
	for len(o.rest) > 0 {
		n, again, err := sys.Write(fd, o.rest)
		if again {
			o.waits()
			return false
		}
		if err != nil {
			o.err = o.c.opError("write", err)
			return true
		}
		o.rest = o.rest[n:]
		o.c.said.Add(int64(n))
	}
	return true
}

func (o *outbox) waits() {
	if o.undo == nil && !o.c.cannotEnd(o.ctx) {
		o.undo = o.c.arm(o.ctx, writing)
	}
	o.c.wwait.Store(now())
}

// writePlain is write for transports that are more than a socket. Streams are written piece by piece, so that State, and a
// Server's idle limit, see a slow one move.
func (c *Conn) writePlain(ctx context.Context, p []byte) (total int, err error) {
	if !c.cannotEnd(ctx) {
		undo := c.arm(ctx, writing)
		defer undo()
	}
	defer c.wwait.Store(0)
	for {
		piece := p[total:]
		if !c.KeepsEdges() {
			piece = piece[:min(len(piece), inbox.BlockSize)]
		}
		c.wwait.Store(now())
		n, err := c.nc.Write(piece)
		c.said.Add(int64(n))
		if total += n; err != nil || total == len(p) {
			return total, c.noteBreak(sock.ExplainSize(err, len(piece), c.nc))
		}
	}
}

// Send says p as one frame, which adds its end mark; p stays the caller's. A text that contains its own end is an error
// (frame.ErrContainsEnd) and nothing is said. When ctx ends in the middle of the frame, the conversation is out of step
// and says nothing more. A frame that ends with the close says the end too.
func (c *Conn) Send(ctx context.Context, p []byte) error {
	if err := c.writing.Lock(ctx); err != nil {
		return c.fail("send", err)
	}
	o := outboxes.Get().(*outbox)
	err := o.send(ctx, c, p)
	o.done()
	c.writing.Unlock()
	return c.fail("send", err)
}

// send says a frame. It needs c's lock.
func (o *outbox) send(ctx context.Context, c *Conn, p []byte) (err error) {
	if c.sendLost {
		return errSendLost
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if o.frame, err = c.say.Append(o.frame[:0], p); err != nil {
		return err
	}
	if n, err := o.write(ctx, c, o.frame); err != nil {
		return c.sendFailed(ctx, n, len(o.frame), err)
	}
	if c.cfg.Observe != nil {
		c.observeFrame(Said, p, len(o.frame))
	}
	if c.say == frame.UntilClose() {
		return c.CloseWrite()
	}
	return nil
}

var errSendLost = fmt.Errorf("%w: an earlier frame was said in part only", ErrOutOfStep)

// sendFailed remembers a frame that was said in part.
func (c *Conn) sendFailed(ctx context.Context, n, size int, err error) error {
	c.sendLost = n > 0
	if ctx.Err() != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("said %d of %d bytes: %w", n, size, ctx.Err())
	}
	return err
}

// Ask says p as a frame and returns the next one heard, which is then the caller's. If it fails after it has begun to
// speak, the reply may still come and be taken for another's: every later Ask is then ErrOutOfStep. So it is if
// something was heard before the question. io.ErrUnexpectedEOF means that the other end has ended without a reply.
func (c *Conn) Ask(ctx context.Context, p []byte) ([]byte, error) {
	if err := c.reading.Lock(ctx); err != nil {
		return nil, c.fail("ask", err)
	}
	defer c.reading.Unlock()
	if c.askLost {
		return nil, c.fail("ask", fmt.Errorf("%w: an earlier question has no reply yet", ErrOutOfStep))
	}
	if n := len(c.in.Data); n > 0 {
		return nil, c.fail("ask", fmt.Errorf("%w: %d bytes were heard before the question; receive them first", ErrOutOfStep, n))
	}
	said := c.said.Load()
	if err := c.Send(ctx, p); err != nil {
		c.askLost = c.said.Load() != said
		return nil, c.fail("ask", err)
	}
	c.asking = true
	reply, err := c.receive(ctx)
	c.asking = false
	c.askLost = err != nil
	if err == io.EOF {
		err = fmt.Errorf("the other end has ended without a reply: %w", io.ErrUnexpectedEOF)
	}
	return reply, c.fail("ask", err)
}
