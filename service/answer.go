package service

import (
	"context"
	"errors"
	"io"

	"parley"
	"parley/frame"
)

// Answer returns a handler that hears requests, one frame each, and says what reply returns for it as a frame. request and
// what reply returns belong to the receiver. An error of reply closes the conversation, and is the handler's.
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
func answerAll(ctx context.Context, c *parley.Conn, answer func(request []byte) error) error {
	for first := true; ; first = false {
		request, err := hearRequest(ctx, c)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := answer(request); err != nil {
			return err
		}
		if first && c.State().SaidEnd {
			return hearOut(c)
		}
	}
}

// hearRequest returns the next frame that may be answered. One bad datagram is not the end of a conversation.
func hearRequest(ctx context.Context, c *parley.Conn) ([]byte, error) {
	for {
		request, err := c.Receive(ctx)
		if c.KeepsEdges() && (isBadDatagram(err) || err == nil && answersAnything(c.RemotePort())) {
			continue
		}
		return request, err
	}
}

// isBadDatagram reports whether err concerns one datagram only.
func isBadDatagram(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, frame.ErrMalformed) || errors.Is(err, frame.ErrTooLong)
}
