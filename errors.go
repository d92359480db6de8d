package parley

import (
	"errors"
	"os"

	"parley/internal/sock"
)

// ErrOutOfStep means that the turns of a conversation are lost: an Ask failed, so that its reply may still come and be
// taken for the next one; or a Send stopped in the middle of a frame. Close the conversation and call again.
var ErrOutOfStep = errors.New("conversation out of step")

// ErrServerEnding is what Receive and Frames return between two frames, and WriteTo if its writer wants it, when
// the Server that holds the conversation has been told to end. A Handler that returns it has ended well.
var ErrServerEnding = errors.New("the server is ending")

// ErrIdle is why a Server closed a conversation in which nothing was said or heard for Server.Idle.
var ErrIdle = errors.New("nothing said or heard for too long")

// An AddressError, found with errors.As, says what is wrong with the text of an address, and what would have worked.
type AddressError = sock.AddressError

// An Error says which operation failed on which address, and why.
type Error struct {
	Op   string // "dial", "listen", "accept", "send", "receive", "ask", "serve"
	Addr string // as given, or the other end's address
	Err  error
}

// Error names the operation, the address and the cause.
func (e *Error) Error() string { return sock.Describe(e.Op, e.Addr, e.Err) }

func (e *Error) Unwrap() error { return e.Err }

// Timeout reports whether the cause was a deadline, as net.Error has it.
func (e *Error) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.As(e.Err, &t) && t.Timeout() || errors.Is(e.Err, os.ErrDeadlineExceeded)
}
