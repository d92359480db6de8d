package parley

import (
	"context"
	"sync"
	"time"

	"parley/internal/sock"
)

// deadlines remembers what the user has set, so that a context can use the same mechanism for one call and undo it.
type deadlines struct {
	mu          sync.Mutex
	read, write time.Time
}

// set changes what is remembered and the conversation alike.
func (c *Conn) setDeadline(change func(*deadlines), apply func(time.Time) error, t time.Time) error {
	d := c.deadline.Load()
	if d == nil {
		c.deadline.CompareAndSwap(nil, new(deadlines))
		d = c.deadline.Load()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	change(d)
	return apply(t)
}

// SetDeadline sets both deadlines, as net.Conn has it.
func (c *Conn) SetDeadline(t time.Time) error {
	return c.setDeadline(func(d *deadlines) { d.read, d.write = t, t }, c.nc.SetDeadline, t)
}

// SetReadDeadline sets when hearing gives up: Read, and Receive, Frames and Ask whatever their context allows.
func (c *Conn) SetReadDeadline(t time.Time) error {
	return c.setDeadline(func(d *deadlines) { d.read = t }, c.nc.SetReadDeadline, t)
}

// SetWriteDeadline sets when saying gives up.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	return c.setDeadline(func(d *deadlines) { d.write = t }, c.nc.SetWriteDeadline, t)
}

// restoreRead puts back the user's deadline.
func (c *Conn) restoreRead() {
	d := c.deadline.Load()
	if d == nil {
		_ = c.nc.SetReadDeadline(time.Time{})
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	_ = c.nc.SetReadDeadline(d.read)
}

func (c *Conn) restoreWrite() {
	d := c.deadline.Load()
	if d == nil {
		_ = c.nc.SetWriteDeadline(time.Time{})
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	_ = c.nc.SetWriteDeadline(d.write)
}

// pastDeadline reports whether the user's own read deadline has gone by.
func (c *Conn) pastDeadline() bool {
	d := c.deadline.Load()
	if d == nil {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.read.IsZero() && !time.Now().Before(d.read)
}

// cannotEnd reports whether the end of ctx needs no messenger: it never comes, or it is the end of the Server that holds
// the conversation, which closes it then. So an idle conversation of a server costs no context, and a message no
// registration with one.
func (c *Conn) cannotEnd(ctx context.Context) bool {
	return ctx.Done() == nil || ctx == c.held
}

// armRead makes ctx end the reads until undo is called.
func (c *Conn) armRead(ctx context.Context) (undo func()) {
	if c.cannotEnd(ctx) {
		return nothing
	}
	return sock.CancelOn(ctx, c.nc.SetReadDeadline, c.restoreRead)
}

// armWrite makes ctx end the writes until undo is called.
func (c *Conn) armWrite(ctx context.Context) (undo func()) {
	if c.cannotEnd(ctx) {
		return nothing
	}
	return sock.CancelOn(ctx, c.nc.SetWriteDeadline, c.restoreWrite)
}

func nothing() {}
