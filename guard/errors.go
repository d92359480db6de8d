package guard

import (
	"errors"
	"fmt"

	"parley"
)

// Why a caller is refused, or a conversation closed. They are found with errors.Is in errors that say which rule or limit it
// was, and whom it hit.
var (
	ErrDenied          = errors.New("denied by the rules")                      // the rules do not allow its address
	ErrTooMany         = errors.New("too many conversations")                   // Guard.MaxConns
	ErrTooManyFromHost = errors.New("too many conversations with one host")     // Guard.MaxPerHost
	ErrTooFast         = errors.New("new conversations come too fast")          // Guard.Rate
	ErrTooSlow         = errors.New("the caller said no whole frame in time")   // Guard.FirstFrameWithin
	ErrMaxTime         = errors.New("the conversation took longer than it may") // Guard.MaxTime
)

var reasons = []struct {
	err  error
	word string
}{
	{ErrDenied, "denied"}, {ErrTooMany, "max-conns"}, {ErrTooManyFromHost, "max-per-host"},
	{ErrTooFast, "rate"}, {ErrTooSlow, "first-frame"}, {ErrMaxTime, "max-time"},
}

// Reason returns one word for err, for metrics: "denied", "max-conns", "max-per-host", "rate", "first-frame" or "max-time";
// empty if no Guard is the reason.
func Reason(err error) string {
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return r.word
		}
	}
	return ""
}

// The errors are made apart from those who find them, whose stack a conversation may keep for as long as it lasts.

//go:noinline
func denied(c *parley.Conn, rule string) error {
	return fmt.Errorf("%w: %s: %s", ErrDenied, c.RemoteHost(), rule)
}

//go:noinline
func (g *Guard) tooMany() error {
	return fmt.Errorf("%w: the limit is %d at once", ErrTooMany, g.MaxConns)
}

//go:noinline
func (g *Guard) tooManyFrom(host string) error {
	return fmt.Errorf("%w: the limit is %d at once with %s", ErrTooManyFromHost, g.MaxPerHost, host)
}

//go:noinline
func (g *Guard) tooFast(host string) error {
	return fmt.Errorf("%w: the limit is %v a second from %s", ErrTooFast, g.Rate, host)
}
