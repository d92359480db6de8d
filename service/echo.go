package service

import (
	"context"
	"errors"
	"io"

	"parley"
)

// Echo says what it hears (RFC 862): on a stream the bytes as they are, until the caller has ended; of datagrams each one,
// empty ones too. A caller that says much and never reads is waited for; Server.Idle bounds that.
//
// An idle conversation holds no memory but its goroutine's first 2 KiB of stack, which is why there is neither a defer nor
// a buffer here; a message on a stream costs no allocation.
func Echo(ctx context.Context, c *parley.Conn) error {
	if c.KeepsEdges() {
		return echoDatagrams(ctx, c)
	}
	_, err := c.WriteTo(sayer{c})
	if err != nil {
		return stopped(c, err)
	}
	return nil
}

// A sayer says what is written to it. A bare Conn would do, but for the end of the Server.
type sayer struct{ c *parley.Conn }

func (s sayer) Write(p []byte) (int, error) { return s.c.Write(p) }

// ServerEnding has WriteTo return: what was heard has been said.
func (s sayer) ServerEnding() bool { return true }

// stopped returns err. If that is the beginning of the Server's end, and the caller has just spoken, it says the end and
// hears him out first: a close with bytes unread would reset the conversation, and might undo what was echoed before.
func stopped(c *parley.Conn, err error) error {
	if !errors.Is(err, parley.ErrServerEnding) || c.State().Unread <= 0 {
		return err
	}
	if c.CloseWrite() == nil {
		_ = hearOut(c)
	}
	return err
}

func echoDatagrams(ctx context.Context, c *parley.Conn) error {
	mute := answersAnything(c)
	for {
		text, err := hearDatagram(ctx, c, mute)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := c.Send(ctx, text); err != nil {
			return err
		}
	}
}
