package parley_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/frame"
)

// A reply that comes after its Ask has failed would be taken for the next one's, so there is no next one.
func TestAskAfterFailedAsk(t *testing.T) {
	for network, address := range streams(t) {
		caller, accepted := pair(t, new(parley.Config), address)
		ctx, cancel := context.WithCancel(context.Background())
		asked := make(chan error, 1)
		go func() { _, err := caller.Ask(ctx, []byte("first?")); asked <- err }()
		hears(t, accepted, "first?")
		cancel()
		wants(t, network+": a cancelled Ask", <-asked, context.Canceled)

		send(t, accepted, "the first reply, late")
		_, err := caller.Ask(soon(t), []byte("second?"))
		wants(t, network+": the next Ask", err, parley.ErrOutOfStep)
		says(t, network, err, "ask "+caller.RemoteAddr().String(), "an earlier question has no reply yet")
		hears(t, caller, "the first reply, late")
		_, err = caller.Ask(soon(t), []byte("third?"))
		wants(t, network+": an Ask after the late reply", err, parley.ErrOutOfStep)

		send(t, caller, "no question")
		hears(t, accepted, "no question") // and none of the questions that were out of step
	}
}

func TestAskAfterBytesHeard(t *testing.T) {
	caller, accepted := tcpPair(t, new(parley.Config))
	write(t, accepted, "one\ntwo\n")
	hears(t, caller, "one") // "two" came along
	_, err := caller.Ask(soon(t), []byte("?"))
	wants(t, "ask", err, parley.ErrOutOfStep)
	says(t, "ask", err, "4 bytes were heard before the question", "receive them first")
	hears(t, caller, "two")

	go func() { _ = accepted.Send(context.Background(), []byte("!")) }()
	reply, err := caller.Ask(soon(t), []byte("?"))
	if err != nil || string(reply) != "!" {
		t.Errorf("ask in step again: %q, %v", reply, err)
	}
}

// A question that was never begun leaves the turns as they are.
func TestAskThatSaysNothing(t *testing.T) {
	caller, accepted := tcpPair(t, new(parley.Config))
	_, err := caller.Ask(soon(t), []byte("two\nlines"))
	wants(t, "a question with its own end in it", err, frame.ErrContainsEnd)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = caller.Ask(ended, []byte("?"))
	wants(t, "a question too late", err, context.Canceled)

	go func() { _ = accepted.Send(context.Background(), []byte("!")) }()
	if reply, err := caller.Ask(soon(t), []byte("?")); err != nil || string(reply) != "!" {
		t.Errorf("ask: %q, %v", reply, err)
	}
	hears(t, accepted, "?")
}

// An end instead of a reply is no clean end, and the beginning of a reply is returned.
func TestAskEnded(t *testing.T) {
	for said, part := range map[string]string{"": "", "half a re": "half a re"} {
		caller, accepted := tcpPair(t, new(parley.Config))
		write(t, accepted, said)
		accepted.CloseWrite()
		until(t, "all has come", func() bool { n := caller.State().Unread; return n == len(said) || n < 0 })
		reply, err := caller.Ask(soon(t), []byte("?"))
		wants(t, "ask", err, io.ErrUnexpectedEOF)
		if string(reply) != part || err == io.EOF {
			t.Errorf("heard %q of a reply, %v; want %q", reply, err, part)
		}
	}
}

// A Send that stopped in the middle of a frame has spoilt what may still be said, not what may be heard.
func TestSendStoppedInMidFrame(t *testing.T) {
	for network, address := range streams(t) {
		caller, accepted := pair(t, &parley.Config{MaxFrame: -1}, address)
		ctx, cancel := context.WithCancel(context.Background())
		sent := make(chan error, 1)
		go func() { sent <- caller.Send(ctx, []byte(strings.Repeat("x", 64<<20))) }()
		until(t, "the Send waits", func() bool { return !caller.State().Saying.IsZero() })
		cancel()
		err := <-sent
		wants(t, network+": a cancelled Send", err, context.Canceled)
		says(t, network, err, "send "+caller.RemoteAddr().String()+": said ", " of 67108865 bytes: context canceled")
		if !caller.State().Saying.IsZero() {
			t.Errorf("%s: State says that a call still waits to say", network)
		}

		err = caller.Send(soon(t), []byte("x"))
		wants(t, network+": the next Send", err, parley.ErrOutOfStep)
		says(t, network, err, "an earlier frame was said in part only")
		_, err = caller.Ask(soon(t), []byte("?"))
		wants(t, network+": an Ask after it", err, parley.ErrOutOfStep)
		send(t, accepted, "still heard")
		hears(t, caller, "still heard")
	}
}

// Where nothing of a frame was said before the context ended, the next one may be.
func TestSendStoppedBetweenFrames(t *testing.T) {
	caller, accepted := tcpPair(t, &parley.Config{Frame: frame.LF()})
	if err := caller.SetWriteDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	err := caller.Send(soon(t), []byte("not said"))
	if err == nil {
		t.Fatal("a Send after the deadline said something")
	}
	if errors.Is(err, parley.ErrOutOfStep) {
		t.Fatal(err)
	}
	if err := caller.SetWriteDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	send(t, caller, "said")
	hears(t, accepted, "said")
}
