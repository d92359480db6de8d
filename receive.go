package parley

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"runtime"
	"syscall"

	"parley/frame"
	"parley/internal/sock"
	"parley/internal/sys"
)

// receive returns the next frame. It needs the lock.
func (c *Conn) receive(ctx context.Context) ([]byte, error) {
	for {
		if text, err := c.cut(); text != nil || err != nil {
			return text, err
		}
		if c.ended.Load() {
			return c.lastPart(c.unfinished())
		}
		if c.ending.Load() && len(c.in.Data) == 0 && !c.edge() && !c.asking {
			if err := c.lastLook(); err != nil {
				return nil, err
			}
			continue
		}
		if err := c.more(ctx); err != nil {
			return c.failedPart(err)
		}
	}
}

// more waits until more has come, or ctx ends. Only here does ctx come into play, so that frames that are there already
// cost no registration with it, and so that its end finds nobody's call but this one.
func (c *Conn) more(ctx context.Context) error {
	if ctx.Err() != nil {
		return c.midFrame(ctx.Err())
	}
	var err error
	if c.cannotEnd(ctx) {
		err = c.fill()
	} else {
		err = c.fillUntil(ctx)
	}
	if err == nil || c.ended.Load() {
		return nil
	}
	return c.interrupted(ctx, err)
}

func (c *Conn) fillUntil(ctx context.Context) error {
	undo := c.arm(ctx, reading)
	defer undo()
	return c.fill()
}

// cut takes one whole frame out of the inbox; nil if there is none yet.
func (c *Conn) cut() ([]byte, error) {
	if c.failed != nil {
		return nil, c.failed
	}
	if c.edge() {
		return c.cutDatagram()
	}
	ended := c.ended.Load()
	if len(c.in.Data) == 0 && !(ended && c.hear == frame.UntilClose()) {
		return nil, nil
	}
	text, size, err := c.in.Scan(c.hear, ended)
	if err == nil {
		err = frame.CheckLimit(c.hear, c.in.Data, text, size, c.cfg.maxFrame())
	}
	if err != nil {
		c.failed = err
		return nil, err
	}
	if text == nil {
		return nil, nil
	}
	return c.take(text, size, ended), nil
}

// cutDatagram takes one frame out of a datagram. One that is no frame is thrown away, and the next may be better.
func (c *Conn) cutDatagram() ([]byte, error) {
	text, size, err := c.cfg.scanDatagram(c.hear, c.in.Data)
	if err != nil {
		c.drop(len(c.in.Data))
		return nil, err
	}
	return c.take(text, size, false), nil
}

// scanDatagram is frame.ScanDatagram within the limit.
func (cfg *Config) scanDatagram(f frame.Format, data []byte) ([]byte, int, error) {
	text, size, err := frame.ScanDatagram(f, data)
	if err == nil {
		err = frame.CheckLimit(f, data, text, size, cfg.maxFrame())
	}
	return text, size, err
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
	if c.plain != nil {
		c.plain.there = len(c.in.Data) > 0
	}
}

// lastPart is what is left when no more will come: nothing, or the beginning of a frame and why it has no end.
func (c *Conn) lastPart(why error) ([]byte, error) {
	c.failed = io.EOF
	if why == nil {
		return nil, io.EOF
	}
	part := c.in.Cut(c.in.Data)
	c.drop(len(part))
	return part, why
}

// failedPart returns the beginning of a frame with an error that says that the stream was cut off, as TLS can tell.
func (c *Conn) failedPart(err error) ([]byte, error) {
	if errors.Is(err, io.ErrUnexpectedEOF) && len(c.in.Data) > 0 {
		return c.lastPart(err)
	}
	return nil, err
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
	return c.midFrame(cmp.Or(cause, os.ErrDeadlineExceeded))
}

// midFrame adds to err what was heard of a frame, if one has begun.
func (c *Conn) midFrame(err error) error {
	if n := len(c.in.Data); n > 0 {
		return fmt.Errorf("heard %d bytes without %s: %w", n, c.hear.End(), err)
	}
	return err
}

// nudged reports whether err is only the nudge of a Server that ends, and takes it back: who is not between two frames may
// go on.
func (c *Conn) nudged(err error) bool {
	if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) || !c.ending.Load() && !c.outlasts.Load() || c.deadlines.Passed() {
		return false
	}
	_ = c.override(reading, false)
	return true
}

// fill waits until more has come and puts it into the inbox. On a socket it holds no memory while it waits.
func (c *Conn) fill() error {
	if c.raw != nil {
		return c.await()
	}
	return c.fillPlain()
}

// plain is what a conversation needs besides, on a transport that is more than a socket, where it cannot wait without
// memory.
type plain struct {
	edges  bool   // the transport keeps the edges of what is said
	there  bool   // the inbox holds a datagram, perhaps an empty one
	burst  bool   // the last read filled what it had
	memory []byte // for a datagram, or for the first bytes that come
}

// firstRead is what such a conversation holds while it waits for a stream, in bytes.
const firstRead = 2 << 10

// fillPlain is fill on such a transport. It takes much memory only while much comes.
func (c *Conn) fillPlain() error {
	if c.plain.edges {
		return c.fillDatagram()
	}
	if c.plain.memory == nil {
		c.plain.memory = make([]byte, firstRead)
	}
	p := c.plain.memory
	if c.plain.burst {
		p = c.in.Space()
	}
	c.waits()
	n, err := c.nc.Read(p)
	if c.plain.burst {
		c.in.Put(n)
		c.in.Rest()
	} else {
		c.in.Add(p[:n])
	}
	c.plain.burst = n == len(p)
	return c.heardMore(n, err)
}

// heardMore counts what a read brought.
func (c *Conn) heardMore(n int, err error) error {
	c.heards(n)
	if err == io.EOF {
		err = c.endOrBreak()
	}
	if err == io.EOF {
		c.hearEnd()
	}
	return c.noteBreak(err)
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
	return c.readDone(c.raw.Read(c.ready))
}

// readDone tells what came of a read by reader.
func (c *Conn) readDone(err error) error {
	if err == nil {
		err, c.readErr = c.readErr, nil
	}
	c.rwait.Store(0)
	if err == io.EOF {
		c.hearEnd() // not in reader, which holds the descriptor: an observer may close the conversation
	}
	return sock.AsNet(err)
}

// lastLooks is how many datagrams of one sender are still heard when the Server ends: all that can wait.
const lastLooks = 64

// lastLook takes, without waiting, what had come when the Server began to end; then, and if nothing had, it is
// ErrServerEnding. Of TLS nobody knows what has come before it is read.
func (c *Conn) lastLook() error {
	c.looked++
	if s, ok := c.nc.(*sock.Sender); ok && c.looked <= lastLooks {
		if data, ok := s.Next(); ok {
			c.in.Data, c.plain.there = data, true
			return c.heardMore(len(data), nil)
		}
	}
	if c.raw == nil || c.looked > 1 {
		return ErrServerEnding
	}
	_ = c.override(reading, false)
	err := c.raw.Read(func(fd uintptr) bool { c.ready(fd); return true })
	if err = c.readDone(err); err != nil && err != io.EOF {
		return err
	}
	return nil
}

// reader returns what reads what has come; false waits until something has. It is no method, as a call of one through a
// variable takes more of the stack.
func (c *Conn) reader() func(fd uintptr) bool {
	return func(fd uintptr) bool {
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
}

// took notes what reader has read.
func (c *Conn) took(n int, err error) {
	switch {
	case err != nil:
		c.readErr = c.opError("read", err)
		c.in.Rest()
	case n == 0:
		c.readErr = c.endOrBreak()
		c.in.Rest()
	case c.into != nil:
		c.into = c.into[:n]
	default:
		c.in.Put(n)
	}
	c.heards(n)
}

// endOrBreak is what reading nothing means: the end, or a reset that the kernel has told somebody else of already, such as
// a write. EPIPE is no reset: it follows an end that was heard in order.
func (c *Conn) endOrBreak() error {
	if broken := c.broken.Load(); broken != nil && !errors.Is(*broken, syscall.EPIPE) {
		return *broken
	}
	return io.EOF
}

// noteBreak remembers the first error that loses what was said. EPIPE may come of our own CloseWrite.
func (c *Conn) noteBreak(err error) error {
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.ETIMEDOUT) || errors.Is(err, syscall.EPIPE) && !c.saidEnd.Load() {
		kept := err // so that only an error costs an allocation
		c.broken.CompareAndSwap(nil, &kept)
	}
	return err
}

// opError names a failed system call as package net does.
func (c *Conn) opError(op string, err error) error {
	c.noteBreak(err)
	return &net.OpError{Op: op, Net: c.network(), Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

// netError names an error of the system as package net does.
func (c *Conn) netError(op string, err error) error {
	if _, ofSystem := err.(*os.SyscallError); ofSystem {
		return c.opError(op, err)
	}
	return sock.AsNet(err)
}

// edge reports whether the inbox ends where a datagram does.
func (c *Conn) edge() bool { return c.KeepsEdges() && c.plain.there }

// fillDatagram reads one datagram. One that fills all of the memory may have been cut off by the kernel, and is refused.
func (c *Conn) fillDatagram() error {
	d := c.plain
	if s, ok := c.nc.(*sock.Sender); ok {
		return c.fillFrom(s)
	}
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

// fillFrom is fillDatagram for one sender of many, whose datagrams lie in memory already.
func (c *Conn) fillFrom(s *sock.Sender) error {
	c.waits()
	data, err := s.ReadDatagram()
	if err := c.heardMore(len(data), err); err != nil {
		return err
	}
	c.in.Data, c.plain.there = data, true
	return nil
}

// waits notes for State that nothing can be done before the other end speaks.
func (c *Conn) waits() {
	c.part.Store(int32(min(len(c.in.Data), math.MaxInt32)))
	c.rwait.Store(now())
}

// heards counts n bytes. The wait is over before they count, or State would show them, and not what is unfinished of them.
func (c *Conn) heards(n int) {
	c.rwait.Store(0)
	c.heard.Add(int64(n))
}

func (c *Conn) hearEnd() {
	if !c.ended.Swap(true) {
		c.cfg.observe(Event{Kind: HeardEnd, Conn: c, Addr: c.RemoteAddr()})
	}
}
