package parleytest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"time"

	"parley"
)

// contextRules are about calls that give up: a context or a deadline ends one call, never the conversation.
var contextRules = []rule{
	{"receive-deadline", "a context that ends Receive leaves the conversation as it was", (*kit).checkReceiveDeadline},
	{"receive-keeps", "what a cancelled Receive has heard of a frame is kept for the next one", (*kit).checkReceiveKeeps},
	{"send-cancelled", "a Send under a context that has ended says nothing, and the conversation goes on", (*kit).checkSendCancelled},
	{"send-interrupted", "a context that ends Send in the middle of a frame is told, later Sends are ErrOutOfStep, hearing goes on", (*kit).checkSendInterrupted},
	{"deadlines", "SetReadDeadline and SetWriteDeadline end calls with os.ErrDeadlineExceeded, and can be taken back", (*kit).checkDeadlines},
	{"write-resumed", "Write says how many bytes it has said before its deadline, and goes on after them when the deadline is taken back", (*kit).checkWriteResumed},
}

func (k *kit) checkReceiveDeadline() {
	caller, accepted := k.pair(nil)
	for _, c := range []*parley.Conn{caller, accepted} {
		ctx, cancel := context.WithTimeout(k.ctx, time.Millisecond)
		err := k.within("Receive under a deadline", func() error { _, err := c.Receive(ctx); return err })
		cancel()
		k.wants("Receive under a deadline", err, context.DeadlineExceeded)
	}
	k.alive(caller, accepted)
	k.alive(accepted, caller)
}

func (k *kit) checkReceiveKeeps() {
	if k.Edges {
		k.Skip("frames do not come in parts there")
	}
	caller, accepted := k.pair(nil)
	before := accepted.State().Heard
	_, err := caller.Write([]byte("Hello "))
	k.check("write half a line", err)
	ctx, cancel := context.WithCancel(k.ctx)
	waiting := make(chan error, 1)
	go func() { _, err := accepted.Receive(ctx); waiting <- err }()
	k.until("half a line was heard", func() bool { return accepted.State().Heard == before+6 })
	cancel()
	k.wants("a cancelled Receive", k.within("a cancelled Receive", func() error { return <-waiting }), context.Canceled)
	_, err = caller.Write([]byte("there!\n"))
	k.check("write the other half", err)
	k.hears(accepted, []byte("Hello there!"))
	k.alive(accepted, caller)
}

func (k *kit) checkSendCancelled() {
	caller, accepted := k.pair(nil)
	ctx, cancel := context.WithCancel(k.ctx)
	cancel()
	k.wants("Send under a context that has ended", caller.Send(ctx, []byte("nobody should hear this")), context.Canceled)
	k.alive(caller, accepted)
}

func (k *kit) checkSendInterrupted() {
	if k.Edges {
		k.Skip("frames are not said in parts there")
	}
	caller, accepted := k.pair(nil)
	ctx, cancel := context.WithCancel(k.ctx)
	defer cancel()
	waiting := make(chan error, 1)
	go func() { waiting <- caller.Send(ctx, letters(64<<20)) }()
	k.until("a Send waits", func() bool { return !caller.State().Saying.IsZero() })
	k.until("a part is there", func() bool { return k.readSome(accepted) })
	cancel()
	k.wants("a cancelled Send", k.within("a cancelled Send", func() error { return <-waiting }), context.Canceled)
	k.wants("the next Send", caller.Send(k.ctx, []byte("x")), parley.ErrOutOfStep)
	k.says(accepted, []byte("I can still be heard"))
	k.hears(caller, []byte("I can still be heard"))
}

func (k *kit) readSome(c *parley.Conn) bool {
	n, err := c.Read(make([]byte, 100))
	k.check("read", err)
	return n > 0
}

func (k *kit) checkDeadlines() {
	caller, accepted := k.pair(nil)
	past := time.Now().Add(-time.Hour)
	k.check("SetReadDeadline", caller.SetReadDeadline(past))
	_, err := caller.Read(make([]byte, 1))
	k.timeout("Read after its deadline", err)
	_, err = caller.Receive(k.ctx)
	k.timeout("Receive after the read deadline", err)
	k.check("SetWriteDeadline", caller.SetWriteDeadline(past))
	said := []byte("x")
	n, err := caller.Write(said)
	k.timeout("Write after its deadline", err)
	k.check("SetDeadline", caller.SetDeadline(time.Time{}))
	k.says(caller, []byte("are you there?"))
	k.hears(accepted, append(said[:n], "are you there?"...)) // n may be 1 where the transport keeps what it has taken on
	k.alive(accepted, caller)

	k.check("SetReadDeadline", accepted.SetReadDeadline(time.Now().Add(time.Millisecond)))
	err = k.within("Read until its deadline", func() error { _, err := accepted.Read(make([]byte, 1)); return err })
	k.timeout("Read until its deadline", err)
	k.check("SetReadDeadline", accepted.SetReadDeadline(time.Time{}))
	k.alive(caller, accepted)
}

// timeout fails the test unless err is what package net returns after a deadline.
func (k *kit) timeout(what string, err error) {
	k.Helper()
	k.wants(what, err, os.ErrDeadlineExceeded)
	var t interface{ Timeout() bool }
	if !errors.As(err, &t) || !t.Timeout() {
		k.broken("%s: the error %v does not say Timeout", what, err)
	}
}

func (k *kit) checkWriteResumed() {
	if k.Edges {
		k.Skip("nothing is said in parts there")
	}
	caller, accepted := k.pair(nil)
	text := letters(32 << 20)
	type result struct {
		n   int
		err error
	}
	waiting := make(chan result, 1)
	go func() {
		n, err := caller.Write(text)
		waiting <- result{n, err}
	}()
	k.until("a Write waits", func() bool { return !caller.State().Saying.IsZero() })
	k.until("a part is there", func() bool { return accepted.State().Unread != 0 })
	k.check("SetWriteDeadline", caller.SetWriteDeadline(time.Now().Add(time.Millisecond)))
	var cut result
	k.within("Write until its deadline", func() error { cut = <-waiting; return nil })
	k.timeout("Write that nobody reads", cut.err)
	k.check("SetWriteDeadline", caller.SetWriteDeadline(time.Time{}))

	said := make(chan error, 1)
	go func() {
		_, err := caller.Write(text[cut.n:])
		said <- err
	}()
	got := make([]byte, len(text))
	_, err := io.ReadFull(accepted, got)
	k.check("read", err)
	k.check("write the rest", <-said)
	if !bytes.Equal(got, text) {
		k.broken("after a Write that its deadline cut at byte %d, what was heard is not what was said", cut.n)
	}
	k.alive(caller, accepted)
}
