package parley

import (
	"context"
	"time"

	"parley/internal/sock"
)

const reading, writing = sock.Reading, sock.Writing // the sides of Conn.deadlines

// override ends the calls of one side that wait, until it is taken back.
func (c *Conn) override(side int, past bool) error { return c.deadlines.Override(c.nc, side, past) }

// SetDeadline sets both deadlines, as net.Conn has it.
func (c *Conn) SetDeadline(t time.Time) error { return c.deadlines.Set(c.nc, t, reading, writing) }

// SetReadDeadline sets when hearing gives up: Read, and Receive, Frames and Ask whatever their context allows.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.deadlines.Set(c.nc, t, reading) }

// SetWriteDeadline sets when saying gives up.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.deadlines.Set(c.nc, t, writing) }

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
