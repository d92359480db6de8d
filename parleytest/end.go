package parleytest

import (
	"bytes"
	"errors"
	"io"
	"net"

	"parley"
	"parley/frame"
)

// endRules are about how conversations end.
var endRules = []rule{
	{"half-close", "CloseWrite says the end (io.EOF there) and no more than that: the other direction goes on until its own end", (*kit).checkHalfClose},
	{"clean-end", "a close between two frames is io.EOF", (*kit).checkCleanEnd},
	{"no-reply", "an end instead of a reply is io.ErrUnexpectedEOF of the Ask", (*kit).checkNoReply},
	{"truncation", "an end in the middle of a frame is io.ErrUnexpectedEOF, and what was heard of it is returned", (*kit).checkTruncation},
	{"close-read", "Close ends a waiting Read or Receive with net.ErrClosed", (*kit).checkCloseRead},
	{"close-write", "Close ends a waiting Write with net.ErrClosed", (*kit).checkCloseWrite},
	{"closed", "after Close every call is net.ErrClosed, and none panics", (*kit).checkClosed},
}

func (k *kit) checkHalfClose() {
	caller, accepted := k.pair(nil)
	if k.NoHalfClose != "" {
		k.wants("CloseWrite, where there is none because "+k.NoHalfClose, caller.CloseWrite(), errors.ErrUnsupported)
		k.alive(caller, accepted)
		return
	}
	k.says(caller, []byte("that is all"))
	k.check("CloseWrite", caller.CloseWrite())
	k.hears(accepted, []byte("that is all"))
	_, err := accepted.Receive(k.ctx)
	k.wants("receive after the other end's CloseWrite", err, io.EOF)

	reply := bytes.Repeat([]byte("a long reply. "), 1000)
	k.says(accepted, reply)
	k.says(accepted, []byte("and more"))
	k.check("CloseWrite of the other end", accepted.CloseWrite())
	k.hears(caller, reply)
	k.hears(caller, []byte("and more"))
	_, err = caller.Receive(k.ctx)
	k.wants("receive after the other end's CloseWrite", err, io.EOF)
	if err := caller.Send(k.ctx, []byte("one more thing")); err == nil {
		k.broken("said something after CloseWrite, and got no error")
	}
}

func (k *kit) checkCleanEnd() {
	if k.LossyClose != "" {
		k.Skip(k.LossyClose)
	}
	caller, accepted := k.pair(nil)
	k.says(caller, []byte("the last frame"))
	k.check("close", caller.Close())
	k.hears(accepted, []byte("the last frame"))
	for range 2 {
		_, err := accepted.Receive(k.ctx)
		if err != io.EOF {
			k.broken("receive after the other end has closed: got %v (%T), want io.EOF itself", err, err)
		}
	}
	if !accepted.State().HeardEnd {
		k.broken("State().HeardEnd is false after io.EOF")
	}
}

func (k *kit) checkNoReply() {
	caller, accepted := k.pair(nil)
	done := make(chan error, 1)
	go func() {
		_, err := accepted.Receive(k.ctx)
		accepted.Close()
		done <- err
	}()
	_, err := caller.Ask(k.ctx, []byte("is anybody there?"))
	k.wants("ask somebody who ends", err, io.ErrUnexpectedEOF)
	k.check("hear the question", <-done)
}

func (k *kit) checkTruncation() {
	if k.LossyClose != "" {
		k.Skip(k.LossyClose)
	}
	caller, accepted := k.pair(frame.MustParse("u32"))
	begun := []byte("\x00\x00\x00\x64not a hundred bytes")
	_, err := caller.Write(begun)
	k.check("write the beginning of a frame", err)
	k.check("close", caller.Close())
	part, err := accepted.Receive(k.ctx)
	k.wants("receive a frame that was cut short", err, io.ErrUnexpectedEOF)
	if !k.Edges && !bytes.Equal(part, begun) {
		k.broken("of the frame that was cut short %q was returned, want %q", part, begun)
	}
}

func (k *kit) checkCloseRead() {
	for what, wait := range map[string]func(*parley.Conn) error{
		"Read":    func(c *parley.Conn) error { _, err := c.Read(make([]byte, 1)); return err },
		"Receive": func(c *parley.Conn) error { _, err := c.Receive(k.ctx); return err },
	} {
		for _, accepting := range []bool{false, true} {
			c, accepted := k.pair(nil)
			if accepting {
				c = accepted
			}
			waiting := make(chan error, 1)
			go func() { waiting <- wait(c) }()
			k.until("a "+what+" waits", func() bool { return !c.State().Hearing.IsZero() })
			k.check("close", k.within("Close during "+what, c.Close))
			k.wants(what+" during Close", k.within(what+" during Close", func() error { return <-waiting }), net.ErrClosed)
		}
	}
}

func (k *kit) checkCloseWrite() {
	caller, accepted := k.pair(nil)
	_ = accepted // it does not read
	waiting := make(chan error, 1)
	go func() { waiting <- writeForever(caller) }()
	k.untilBlocked(caller)
	k.check("close", k.within("Close during Write", caller.Close))
	k.wants("Write during Close", k.within("Write during Close", func() error { return <-waiting }), net.ErrClosed)
}

// writeForever writes until it fails; if nobody reads it soon waits.
func writeForever(w io.Writer) error {
	piece := letters(32 << 10)
	for {
		if _, err := w.Write(piece); err != nil {
			return err
		}
	}
}

func (k *kit) checkClosed() {
	caller, _ := k.pair(nil)
	k.check("close", caller.Close())
	_, readErr := caller.Read(make([]byte, 1))
	_, writeErr := caller.Write([]byte("x"))
	_, receiveErr := caller.Receive(k.ctx)
	_, askErr := caller.Ask(k.ctx, []byte("x"))
	for what, err := range map[string]error{
		"Read": readErr, "Write": writeErr, "Receive": receiveErr, "Ask": askErr,
		"Send": caller.Send(k.ctx, []byte("x")), "a second Close": caller.Close(),
	} {
		k.wants(what+" after Close", err, net.ErrClosed)
	}
	if k.NoHalfClose == "" {
		k.wants("CloseWrite after Close", caller.CloseWrite(), net.ErrClosed)
	}
	_ = caller.State()
	_ = caller.RemoteAddr()
}
