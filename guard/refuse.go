package guard

import (
	"context"
	"io"
	"time"

	"parley"
)

const (
	refusalPatience = time.Second // for all that a refused caller still gets
	maxRefusals     = 100         // that are said at once
	maxUnread       = 256 << 10   // bytes a refused caller may still say
)

// refuse turns c away. It returns why, unless Refused was told.
func (g *Guard) refuse(ctx context.Context, c *parley.Conn, why error) error {
	if g.Refused != nil {
		g.Refused(c, why)
		why = nil
	}
	switch {
	case c.KeepsEdges():
		ignore(ctx, c)
	case g.Refusal != nil:
		g.sayRefusal(ctx, c)
	}
	c.Close()
	return why
}

// ignore throws away what a sender of datagrams says, until it has been silent for long or ctx ends. To close would not stop
// it: its next datagram would begin another conversation, to be refused, and reported, again.
func ignore(ctx context.Context, c *parley.Conn) {
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	_, _ = c.WriteTo(deafEar{})
}

// A deafEar throws away what it is given, and does not mind when the Server ends; see [parley.Conn.WriteTo].
type deafEar struct{}

func (deafEar) Write(p []byte) (int, error) { return len(p), nil }
func (deafEar) ServerEnding() bool          { return true }

// sayRefusal says the refusal and the end so that both arrive: it hears what the caller has said and nobody has read, as to
// close with that unread would be a reset, which may overtake the text.
func (g *Guard) sayRefusal(ctx context.Context, c *parley.Conn) {
	defer g.refusals.Add(-1)
	if g.refusals.Add(1) > maxRefusals {
		return
	}
	if c.SetDeadline(time.Now().Add(refusalPatience)) != nil || c.Send(ctx, g.Refusal) != nil || c.CloseWrite() != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, c, maxUnread)
}
