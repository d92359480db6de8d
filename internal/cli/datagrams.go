package cli

import (
	"context"
	"net"

	"parley"
)

// maxSenders bounds how many senders of datagrams are remembered by number; the oldest is forgotten first.
const maxSenders = 10_000

// hearDatagrams is listen on a transport without conversations: each sender is a caller with a number.
func (v *listening) hearDatagrams(ctx context.Context, pc *parley.PacketConn) error {
	defer pc.Close()
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
		if err := v.show.frame(v.sender(senders, pc, f.From), f.Data); err != nil {
			return err
		}
		if heard++; heard == v.count {
			return v.worst
		}
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return v.worst
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
