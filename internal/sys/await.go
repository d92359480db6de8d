package sys

import (
	"context"
	"errors"
	"syscall"
	"time"
)

// AwaitQueues looks at a socket again and again, first after 1 ms and at last every 50, until look is content, or ctx ends.
// Look gets the queues, unknown ones where this system cannot say, and the error that waits on the socket, if one does.
func AwaitQueues(ctx context.Context, rc syscall.RawConn, look func(q Queues, waiting error) (done bool, err error)) error {
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		q, err := SocketQueues(rc)
		// The error comes after the queues, which are empty, too, when the other end has thrown away what was in them.
		waiting := SocketError(rc)
		if errors.Is(err, errors.ErrUnsupported) {
			q, err = unknownQueues, nil
		}
		if err != nil && waiting == nil {
			return err
		}
		if done, err := look(q, waiting); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}
