package parleytest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"parley"
)

// packetRules are those of datagrams without a conversation.
var packetRules = []rule{
	{"packet-address", "an address with a free place listens there, and Address says what to dial", (*kit).checkPacketAddress},
	{"packet-nobody", "dialling where nobody listens is an *parley.Error that names the address, and soon", (*kit).checkPacketNobody},
	{"unknown-param", "a param that the scheme does not know is refused by name, never ignored", (*kit).checkUnknownParam},
	{"datagrams", "a datagram is a frame: whole, in order, and never joined with another", (*kit).checkDatagrams},
	{"empty", "an empty datagram is an empty frame, not the end", (*kit).checkEmpty},
	{"too-long", "a datagram that is too long is an error of Send, not cut; the conversation goes on", (*kit).checkTooLong},
	{"reply", "Reply reaches the one who asked, among several", (*kit).checkReply},
	{"packet-deadline", "a context that ends Receive leaves the conversation as it was", (*kit).checkPacketDeadline},
	{"packet-close", "Close ends a waiting Receive with net.ErrClosed", (*kit).checkPacketClose},
	{"packet-closed", "after Close every call is net.ErrClosed", (*kit).checkPacketClosed},
}

func (k *kit) listenPacket() *parley.PacketConn {
	k.Helper()
	address := k.Address(k.T)
	pc, err := k.config(nil).ListenPacket(k.ctx, address)
	k.check("listen on "+address, err)
	k.Cleanup(func() { pc.Close() })
	return pc
}

func (k *kit) dialPacket(pc *parley.PacketConn) *parley.Conn {
	k.Helper()
	address := k.callTo(pc.Address())
	c, err := k.config(nil).Dial(k.ctx, address)
	k.check("dial "+address+", which is what PacketConn.Address said", err)
	k.Cleanup(func() { c.Close() })
	return c
}

// hearsDatagram fails the test unless the next datagram is want.
func (k *kit) hearsDatagram(pc *parley.PacketConn, want []byte) parley.Frame {
	k.Helper()
	f, err := pc.Receive(k.ctx)
	k.check(fmt.Sprintf("receive a datagram of %d bytes", len(want)), err)
	if !bytes.Equal(f.Data, want) {
		k.broken("said %s, heard %s", brief(want), brief(f.Data))
	}
	return f
}

// answers fails the test unless a datagram and its reply pass between c and pc.
func (k *kit) answers(c *parley.Conn, pc *parley.PacketConn) {
	k.Helper()
	k.says(c, []byte("are you there?"))
	f := k.hearsDatagram(pc, []byte("are you there?"))
	k.check("reply", f.Reply(k.ctx, []byte("yes")))
	k.hears(c, []byte("yes"))
}

func (k *kit) checkPacketAddress() {
	pc := k.listenPacket()
	if pc.Addr() == nil || pc.Addr().Network() == "" || pc.Addr().String() == "" {
		k.broken("PacketConn.Addr is %v, which says not where", pc.Addr())
	}
	k.answers(k.dialPacket(pc), pc)
}

func (k *kit) checkPacketNobody() {
	if k.NoRefusal != "" {
		k.Skip(k.NoRefusal)
	}
	pc := k.listenPacket()
	address := k.callTo(pc.Address())
	pc.Close()
	c, err := k.config(nil).Dial(k.ctx, address)
	if err == nil {
		c.Close()
		k.broken("dialled %s, where nobody listens any more", address)
	}
	k.named("dial", err)
}

func (k *kit) checkDatagrams() {
	pc := k.listenPacket()
	c := k.dialPacket(pc)
	// Few enough to wait in any kernel's buffer, so that none is dropped.
	var texts [][]byte
	for i := range 8 {
		texts = append(texts, fmt.Appendf(nil, "datagram %d\nof two lines", i))
	}
	for _, text := range texts {
		k.says(c, text)
	}
	for _, text := range texts {
		k.hearsDatagram(pc, text)
	}
	for _, size := range []int{1, 1000, 1400, 8000} {
		k.says(c, letters(size))
		f := k.hearsDatagram(pc, letters(size))
		k.check("reply", f.Reply(k.ctx, letters(size)))
		k.hears(c, letters(size))
	}
}

func (k *kit) checkEmpty() {
	pc := k.listenPacket()
	c := k.dialPacket(pc)
	k.says(c, nil)
	f := k.hearsDatagram(pc, nil)
	k.check("reply", f.Reply(k.ctx, nil))
	k.hears(c, nil)
	k.answers(c, pc)
}

func (k *kit) checkTooLong() {
	pc := k.listenPacket()
	c := k.dialPacket(pc)
	if err := c.Send(k.ctx, letters(4<<20)); err == nil {
		k.broken("sent a datagram of 4 MiB, and got no error")
	}
	k.says(c, []byte("short"))
	f := k.hearsDatagram(pc, []byte("short"))
	if err := f.Reply(k.ctx, letters(4<<20)); err == nil {
		k.broken("replied with a datagram of 4 MiB, and got no error")
	}
	k.answers(c, pc)
}

func (k *kit) checkReply() {
	pc := k.listenPacket()
	var conns []*parley.Conn
	for i := range 5 {
		c := k.dialPacket(pc)
		k.says(c, fmt.Appendf(nil, "from %d", i))
		conns = append(conns, c)
	}
	var heard []parley.Frame
	for range conns {
		f, err := pc.Receive(k.ctx)
		k.check("receive", err)
		heard = append(heard, f)
	}
	for i := len(heard) - 1; i >= 0; i-- { // not in the order they came
		k.check("reply", heard[i].Reply(k.ctx, append([]byte("reply to one "), heard[i].Data...)))
	}
	for i, c := range conns {
		k.hears(c, fmt.Appendf(nil, "reply to one from %d", i))
	}
}

func (k *kit) checkPacketDeadline() {
	pc := k.listenPacket()
	c := k.dialPacket(pc)
	for what, receive := range map[string]func(context.Context) error{
		"Conn":       func(ctx context.Context) error { _, err := c.Receive(ctx); return err },
		"PacketConn": func(ctx context.Context) error { _, err := pc.Receive(ctx); return err },
	} {
		ctx, cancel := context.WithTimeout(k.ctx, time.Millisecond)
		err := k.within("Receive of a "+what+" under a deadline", func() error { return receive(ctx) })
		cancel()
		k.wants("Receive of a "+what+" under a deadline", err, context.DeadlineExceeded)
	}
	k.answers(c, pc)
}

func (k *kit) checkPacketClose() {
	pc := k.listenPacket()
	waiting := make(chan error, 1)
	go func() { _, err := pc.Receive(k.ctx); waiting <- err }()
	k.check("close", k.within("Close during Receive", pc.Close))
	k.wants("Receive during Close", k.within("Receive during Close", func() error { return <-waiting }), net.ErrClosed)
}

func (k *kit) checkPacketClosed() {
	pc := k.listenPacket()
	c := k.dialPacket(pc)
	k.says(c, []byte("hello"))
	f := k.hearsDatagram(pc, []byte("hello"))
	k.check("close", errors.Join(pc.Close(), c.Close()))
	_, err := pc.Receive(k.ctx)
	k.wants("PacketConn.Receive after Close", err, net.ErrClosed)
	k.wants("Reply after Close", f.Reply(k.ctx, []byte("x")), net.ErrClosed)
	k.wants("Send after Close", c.Send(k.ctx, []byte("x")), net.ErrClosed)
	_, err = c.Receive(k.ctx)
	k.wants("Conn.Receive after Close", err, net.ErrClosed)
}
