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

// refuse turns c away. It returns why, unless Refused was told. A sender of datagrams is refused anew with each of them: to
// remember him would cost a place that somebody else should have, and anybody can forge senders.
func (g *Guard) refuse(ctx context.Context, c *parley.Conn, why error) error {
	if g.Refused != nil {
		g.Refused(c, why)
		why = nil
	}
	if g.Refusal != nil && !c.KeepsEdges() {
		g.sayRefusal(ctx, c)
	}
	c.Close()
	return why
}

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
