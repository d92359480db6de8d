package cli

import (
	"cmp"
	"context"
	"net"

	"parley"
)

// maxSenders bounds how many senders of datagrams are remembered by number; the oldest is forgotten first.
const maxSenders = 10_000

// hearDatagrams is listen on a transport without conversations: each sender is a caller with a number.
func (v *listening) hearDatagrams(ctx context.Context, pc *parley.PacketConn) error {
	defer pc.Close()
	defer v.rec.closeSenders()
	if err := v.announce(pc.Address(), pc.Addr()); err != nil {
		return err
	}
	v.callers.answer(ctx, v)
	senders := map[string]*caller{}
	var heard int
	for f, err := range pc.Frames(ctx) {
		if err != nil {
			v.complain(v.sender(senders, pc, f.From), err)
			continue
		}
		c := v.sender(senders, pc, f.From)
		v.callers.heard(c)
		if err := v.show.frame(c, f.Data); err != nil {
			return err
		}
		if heard++; heard == v.count {
			return cmp.Or(v.awaitAll(ctx), v.worst)
		}
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return v.worst
}

// awaitAll waits until the last senders have the answers they are owed.
func (v *listening) awaitAll(ctx context.Context) error {
	if !v.answers() {
		return nil
	}
	for _, c := range v.callers.all() {
		if err := v.callers.awaitAnswers(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func (v *listening) sender(senders map[string]*caller, pc *parley.PacketConn, from net.Addr) *caller {
	key := addrText(from)
	if c, ok := senders[key]; ok {
		return c
	}
	c := v.callers.add(&caller{from: from, via: pc})
	senders[key] = c
	if len(senders) > maxSenders {
		oldest := v.callers.all()[0]
		delete(senders, addrText(oldest.from))
		v.callers.leave(oldest)
	}
	return c
}
