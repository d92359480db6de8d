// Package guard decides who may talk to a server, how many at once, how fast they may come and how long they may stay.
//
// A [Guard] stands before a [parley.Handler]: what [Guard.Handler] returns holds the conversations that it lets in, and
// turns the others away. [Rules] say which addresses are let in at all.
//
//	rules, err := guard.NewRules([]string{"10.0.0.0/8"}, []string{"10.6.6.6"})
//	g := &guard.Guard{MaxConns: 1000, MaxPerHost: 10, FirstFrameWithin: 10 * time.Second}
//	g.SetRules(rules)
//	server := &parley.Server{Handler: g.Handler(handler)}
package guard

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"parley"
)

// A Guard limits the conversations of a program. Its zero value lets everybody in, for as long as they like. The services
// of a program share one, so that its limits hold for all of them together. Its fields must not be changed once Handler has
// been called; only the rules may be, by SetRules.
//
// A host is one IPv4 address, or the /64 network of an IPv6 address, as one caller usually has all of it to itself. Callers
// without a name, such as those of a Unix socket, are no hosts: only MaxConns and the times hold for them.
type Guard struct {
	MaxConns   int     // conversations at once; more callers are refused. 0 or less means no limit
	MaxPerHost int     // conversations at once with one host; more are refused. 0 or less means no limit
	Rate       float64 // new conversations a second with one host, of which Rate, rounded up, may come at once. 0 or less means no limit

	// FirstFrameWithin is how long a caller may keep the handler waiting for its first whole frame. A handler that takes
	// bytes as they come is content with the first of them; one that does not listen is asked again after as long. It does
	// not hold for datagrams, where a conversation begins with a whole frame. 0 or less means no limit.
	FirstFrameWithin time.Duration

	// MaxTime is how long a conversation may take; then the handler's context ends, with ErrMaxTime as its cause, and the
	// conversation is closed. The context of its own costs each conversation some 3 KB. 0 or less means no limit.
	MaxTime time.Duration

	// Refusal is what a refused caller hears before the end, as one frame; nil means nothing but the end. A text that the
	// format of the conversation cannot carry is not said. It is said within a second and to 100 callers at once, others
	// hear the end only. Senders of datagrams hear nothing, as their addresses may be forged and the text would hit somebody
	// else.
	Refusal []byte

	// Refused, if not nil, is told of each refused caller before it hears of it: why is ErrDenied, ErrTooMany,
	// ErrTooManyFromHost or ErrTooFast, with details. It may be called from many goroutines at once, must not block, and must
	// leave c alone but for its addresses. A sender of datagrams, of which it need not be the true one, is refused once for
	// each of them: do not log them all. The handler's error is then nil, so that nobody reports the caller twice; without
	// Refused it is why.
	Refused func(c *parley.Conn, why error)

	rules     atomic.Pointer[Rules]
	open      atomic.Bool  // Handler has returned a handler as it was
	refusals  atomic.Int32 // under way
	mu        sync.Mutex   // guards the rest
	conns     int
	hosts     map[string]*host
	swept     time.Time // when hosts were last looked through
	sweepOver int       // how many hosts make that worth while
}

// SetRules makes r decide who is let in from now on; nil means everybody. Conversations that have begun go on. It may be
// called at any time, but the first time must come before Handler: a handler of a Guard that limits nothing is not guarded,
// to cost nothing, and SetRules panics rather than leave it so.
func (g *Guard) SetRules(r *Rules) {
	if g.open.Load() {
		panic("guard: SetRules after Handler, whose handler is not guarded: call SetRules first, if only with nil")
	}
	if r == nil {
		r = new(Rules)
	}
	g.rules.Store(r)
}

// Handler returns a handler that holds with h the conversations that g lets in, and turns the others away. Its error is
// that of h; or ErrTooSlow or ErrMaxTime, with details, where g has closed the conversation. If g limits nothing, it is h.
func (g *Guard) Handler(h parley.Handler) parley.Handler {
	if g.MaxTime > 0 {
		h = bound(h, g.MaxTime)
	}
	if g.MaxConns <= 0 && g.MaxPerHost <= 0 && !(g.Rate > 0) && g.FirstFrameWithin <= 0 && g.rules.Load() == nil {
		g.open.Store(true)
		return h
	}
	// An idle conversation waits in h, and pays for all of the stack above it: hence one function, and little in it.
	return func(ctx context.Context, c *parley.Conn) error {
		v, err := g.admit(c)
		if err != nil {
			return g.refuse(ctx, c, err)
		}
		defer v.end()
		return v.outcome(h(ctx, c))
	}
}
