package service

import (
	"cmp"
	"context"
	"io"

	"parley"
)

// Answer returns a handler that hears requests, one frame each, and says what reply returns for it as a frame. request and
// what reply returns belong to the receiver. An error of reply closes the conversation, and is the handler's.
// So is that of a reply that cannot be said. Of datagrams, where each is a request of its own, such an error costs one reply:
// the conversation goes on, and when it ends the first of them is the handler's.
//
// Where the format of what is said is frame.UntilClose, the conversation ends with its first reply: it is heard out and
// left. A datagram that is no frame, or that comes from a port whose service answers anything (see Amplifiers), is
// heard and dropped.
func Answer(reply func(ctx context.Context, request []byte) ([]byte, error)) parley.Handler {
	return func(ctx context.Context, c *parley.Conn) error {
		return answerAll(ctx, c, func(request []byte) error {
			text, err := reply(ctx, request)
			if err != nil {
				return err
			}
			return c.Send(ctx, text)
		})
	}
}

// answerAll gives answer one request after the other, until the caller has ended or a reply has ended the conversation.
//
// The end is said by a Send, if it is said at all: then by the first. So it is asked for once, as State asks the kernel.
//
// A failure with one datagram is kept until the end: what the sender has said since must not be lost with it. If it was
// the end of ctx or of c, to hear the next one fails as well.
func answerAll(ctx context.Context, c *parley.Conn, answer func(request []byte) error) error {
	var failure error
	for first := true; ; first = false {
		request, err := hearRequest(ctx, c)
		if err == io.EOF {
			return failure
		}
		if err != nil {
			return cmp.Or(failure, err)
		}
		if err := answer(request); err != nil {
			if !c.KeepsEdges() {
				return err
			}
			failure = cmp.Or(failure, err)
			continue
		}
		if first && c.State().SaidEnd {
			return hearOut(c)
		}
	}
}

// hearRequest returns the next frame that may be answered.
func hearRequest(ctx context.Context, c *parley.Conn) ([]byte, error) {
	if c.KeepsEdges() {
		return hearDatagram(ctx, c, answersAnything(c))
	}
	return c.Receive(ctx)
}
