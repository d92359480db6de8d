package service

import (
	"context"

	"parley"
)

// Discard hears and throws away (RFC 863): the bytes of a stream until the caller has ended, or datagrams until their
// sender has been silent for too long. It never says anything. Like [Echo] it holds no memory while nothing comes.
func Discard(_ context.Context, c *parley.Conn) error {
	for {
		if _, err := c.WriteTo(nowhere{}); !onlyDatagram(c, err) {
			return err
		}
	}
}

// nowhere is io.Discard for those who do not want to finish when the Server begins to end.
type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) ServerEnding() bool          { return true }
