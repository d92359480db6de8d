package parley

import (
	"cmp"
	"context"
	"sync"
	"time"

	"parley/internal/sock"
)

// deadlines are what the user has set, and whether a context that has ended, or a Server that ends, overrides it for the
// call under way: so both can use the one mechanism of net.Conn, and neither undoes the other.
type deadlines struct {
	mu   sync.Mutex
	user *[2]time.Time // of reading and of writing; nil until one is set
	past [2]bool       // overridden
}

const reading, writing = 0, 1 // the sides of deadlines

// setDeadline changes the user's deadlines, and applies them where they are not overridden.
func (c *Conn) setDeadline(t time.Time, sides ...int) (err error) {
	d := &c.deadlines
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.user == nil {
		d.user = new([2]time.Time)
	}
	for _, side := range sides {
		d.user[side] = t
		err = cmp.Or(err, c.applyDeadline(side))
	}
	return err
}

// override ends the calls of one side that wait, until restore.
func (c *Conn) override(side int, past bool) error {
	c.deadlines.mu.Lock()
	defer c.deadlines.mu.Unlock()
	c.deadlines.past[side] = past
	return c.applyDeadline(side)
}

// applyDeadline needs the lock.
func (c *Conn) applyDeadline(side int) error {
	var t time.Time
	switch d := &c.deadlines; {
	case d.past[side]:
		t = sock.Past
	case d.user != nil:
		t = d.user[side]
	}
	if side == reading {
		return c.nc.SetReadDeadline(t)
	}
	return c.nc.SetWriteDeadline(t)
}

// SetDeadline sets both deadlines, as net.Conn has it.
func (c *Conn) SetDeadline(t time.Time) error { return c.setDeadline(t, reading, writing) }

// SetReadDeadline sets when hearing gives up: Read, and Receive, Frames and Ask whatever their context allows.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.setDeadline(t, reading) }

// SetWriteDeadline sets when saying gives up.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.setDeadline(t, writing) }

// pastDeadline reports whether the user's own read deadline has gone by.
func (c *Conn) pastDeadline() bool {
	d := &c.deadlines
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.user != nil && !d.user[reading].IsZero() && !time.Now().Before(d.user[reading])
}

// cannotEnd reports whether the end of ctx need not be told to a call that waits: it never comes, or it is the end of the
// Server, or of the loop, that holds the conversation and closes it then. So an idle conversation of a server costs no
// context, and a message no registration with one.
func (c *Conn) cannotEnd(ctx context.Context) bool {
	return ctx.Done() == nil || ctx == c.held
}

// arm makes ctx end the waiting of one side until undo is called. It needs that side's lock.
func (c *Conn) arm(ctx context.Context, side int) (undo func()) {
	return sock.CancelOn(ctx,
		func(time.Time) error { return c.override(side, true) },
		func() { _ = c.override(side, false) })
}
