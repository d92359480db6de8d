package service

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"syscall"
	"time"

	"parley"
)

// Chargen says the pattern of RFC 864: lines of 72 printable ASCII characters and CRLF, each beginning one character
// further on in their ring of 95. What the caller says is thrown away.
//
// On a stream it goes on until the caller closes, which the RFC calls terminating the connection, or the Server begins to
// end. A half-close is no reason to stop: a caller of chargen has nothing to say, and some say so at once. A caller that does
// not read is waited for; Server.Idle bounds that. To a datagram it answers one of 1 to 512 characters, at random;
// RFC 864 allows for none, too, but an empty datagram can mean the end.
func Chargen(ctx context.Context, c *parley.Conn) error {
	if c.KeepsEdges() {
		return answerEach(ctx, c, someCharacters)
	}
	heard := make(chan error, 1)
	go discardAside(c, heard)
	err := generate(c)
	if err := c.SetReadDeadline(time.Unix(1, 0)); err != nil {
		c.Close() // so that discardAside ends in any case
	}
	if aside := <-heard; errors.Is(aside, parley.ErrServerEnding) {
		return aside
	}
	return err
}

// discardAside throws away what the caller says, and stops the generator when the Server begins to end: it has no
// work to finish.
func discardAside(c *parley.Conn, done chan<- error) {
	_, err := c.WriteTo(nowhere{})
	if errors.Is(err, parley.ErrServerEnding) {
		_ = c.SetWriteDeadline(time.Unix(1, 0))
	}
	done <- err
}

// generate returns nil when the caller has left, of which only a failed write can tell.
func generate(c *parley.Conn) error {
	for lines := chargenLines(); ; {
		if _, err := c.Write(lines); err != nil {
			var left syscall.Errno
			if errors.As(err, &left) {
				return nil
			}
			return err
		}
	}
}

func someCharacters() []byte { return chargenLines()[:1+rand.IntN(maxCharacters)] }

const (
	maxCharacters = 512 // in a datagram: RFC 864, UDP Based Character Generator Service
	lineLength    = 72
	printing      = 95 // ASCII characters print, from the space on
)

// chargenLines returns the pattern as often as fits into 64 KiB, so that a write takes much and begins where the last ended.
var chargenLines = sync.OnceValue(func() []byte {
	const repeats = 64 << 10 / (printing * (lineLength + 2))
	var lines []byte
	for first := range repeats * printing {
		for i := range lineLength {
			lines = append(lines, ' '+byte((first+i)%printing))
		}
		lines = append(lines, "\r\n"...)
	}
	return lines
})
