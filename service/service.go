// Package service has ready handlers: code that holds one conversation for each caller of a [parley.Server].
//
// The small services of the early Internet are functions: [Echo] (RFC 862), [Discard] (RFC 863), [Chargen] (RFC 864),
// [QOTD] (RFC 865), [Daytime] (RFC 867) and [Time] (RFC 868). Files over HTTP, a chat, programs started for each caller and
// answers to requests are values with a method that is the handler. Each is a [parley.Handler], and all are used alike:
//
//	err := parley.Serve(ctx, "7007", service.Echo)
//
// or, with limits, a log and a graceful end:
//
//	s := parley.Server{Handler: service.Echo, MaxConns: 10000, Idle: time.Minute, Log: slog.Default()}
//	ln, err := parley.Listen(ctx, ":7007")
//	...
//	err = s.Serve(ctx, ln)
//
// A handler returns nil when the conversation has ended in order, [parley.ErrServerEnding] when the Server was told to end
// while nothing was left to do, and else what went wrong. It may be used by any number of Servers at once.
//
// # Datagrams
//
// The same handlers serve datagrams: over an address such as udp:7007 a conversation is all that one sender says, and each
// datagram is a message of its own. A small service answers each datagram with one datagram, as its RFC has it.
//
// # Amplifiers
//
// The sender of a datagram can be forged. Two services that answer whatever they hear could so be made to talk to each
// other for ever, and a small datagram in somebody's name could bring him a large one. Therefore no handler ever
// answers a datagram that came from the port of such a service (7 echo, 13 daytime, 17 qotd, 19 chargen, 37 time), or from
// the port that it itself has here, where another machine has the same service: it is
// heard and dropped. What a handler cannot know is who should be served at all. Listen for datagrams on loopback
// only (udp:7007, without a host), unless rules say who may ask.
package service

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"parley"
	"parley/frame"
)

// hearOutFor and hearOutLimit bound how long, and for how many bytes, a service that has said its last word hears a caller
// out.
const (
	hearOutFor   = 2 * time.Second
	hearOutLimit = 64 << 10
)

// sayLast says text and the end, and hears the caller out.
//
// The RFCs have the service close as soon as it has spoken. But a close while something of the caller's lies unread, and be
// it the newline of a telnet user, resets the connection, and what was said can be lost on the way to the reader. So the
// end is said at once, which to the caller is the close, and what he says is thrown away until he has ended as well, or for
// so long as is reasonable.
func sayLast(c *parley.Conn, text []byte) error {
	if _, err := c.Write(text); err != nil {
		return err
	}
	if err := c.CloseWrite(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return hearOut(c)
}

func hearOut(c *parley.Conn) error {
	if err := c.SetReadDeadline(time.Now().Add(hearOutFor)); err != nil {
		return err
	}
	left := bucket(hearOutLimit)
	_, err := c.WriteTo(&left)
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, errFull) {
		return nil
	}
	return err
}

// A bucket takes so many bytes and keeps none.
type bucket int

var errFull = errors.New("the bucket is full")

func (b *bucket) Write(p []byte) (int, error) {
	if *b -= bucket(len(p)); *b < 0 {
		return len(p), errFull
	}
	return len(p), nil
}

// answerEach answers each datagram by the one that reply returns, until the sender has been silent for too long. It writes
// the bytes as they are: they are a whole datagram whatever the format of the conversation's frames.
func answerEach(ctx context.Context, c *parley.Conn, reply func() []byte) error {
	mute := answersAnything(c)
	for {
		_, err := hearDatagram(ctx, c, mute)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := c.Write(reply()); err != nil {
			return err
		}
	}
}

// hearDatagram returns the next datagram that may be answered; if mute, none may, and it returns at the end only. One that is
// malformed or too long is thrown away, and costs only itself.
func hearDatagram(ctx context.Context, c *parley.Conn, mute bool) ([]byte, error) {
	for {
		text, err := c.Receive(ctx)
		if onlyDatagram(c, err) || err == nil && mute {
			continue
		}
		return text, err
	}
}

// onlyDatagram reports whether err is about one datagram, and the next may be better.
func onlyDatagram(c *parley.Conn, err error) bool {
	return c.KeepsEdges() && (errors.Is(err, frame.ErrTooLong) || errors.Is(err, frame.ErrMalformed) || errors.Is(err, io.ErrUnexpectedEOF))
}

// answersAnything reports whether the datagrams of c seem to come from a service that answers whatever it hears, so that an
// answer to it would begin an exchange without an end: by the port of one, or by the port of c itself, since the caller of
// a service has another.
func answersAnything(c *parley.Conn) bool {
	port := c.RemotePort()
	switch port {
	case 0: // it has none
		return false
	case 7, 13, 17, 19, 37: // echo, daytime, qotd, chargen, time
		return true
	}
	return port == c.LocalPort()
}
