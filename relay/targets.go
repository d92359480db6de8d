package relay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"parley"
	"parley/internal/sock"
	"parley/internal/sys"
)

// A target is an address that callers are joined to, and what is known of it. All but address and probed is guarded by
// Relay.mu. A Relay has one for each address, however often it is named.
type target struct {
	address string
	parsed  parley.Addr // zero if no registered scheme knows address
	probed  bool        // Run calls it

	conns  int           // conversations, and calls under way for callers
	down   bool          // the last call failed
	trying bool          // a call is under way
	tried  time.Time     // when the last call for a caller was over
	pause  time.Duration // between calls, while it is down
	paused time.Time     // when pause was set
}

func newTarget(address string) *target {
	parsed, _ := parley.ParseAddr(address)
	return &target{address: address, parsed: parsed, probed: isProbed(address, parsed)}
}

// A group are the targets that a caller may get. An address that is named twice has two turns.
type group struct {
	targets []*target
	turn    int // guarded by Relay.mu
}

// How long a target that is down is left alone: twice as long each time. Who waits because all are down looks more often.
const (
	firstPause   = 100 * time.Millisecond
	longestPause = 30 * time.Second
	longestWait  = time.Second
)

// newGroup makes a group of addresses, of which known may have some already.
func (r *Relay) newGroup(addresses []string, known map[string]*target) *group {
	g := new(group)
	for _, a := range addresses {
		t := known[a]
		if t == nil {
			t = newTarget(a)
			known[a] = t
			r.all = append(r.all, t)
		}
		g.targets = append(g.targets, t)
	}
	return g
}

// reach calls the targets of g for p until one answers, as often as RetryFor allows.
func (r *Relay) reach(ctx context.Context, p *pair, g *group) error {
	giveUp := time.Now().Add(r.RetryFor)
	var failed failures
	wait := firstPause / 2
	for all := true; ; all = false {
		up := r.upSignal()
		if err := r.callEach(ctx, p, g, all, &failed); err != nil || p.callee != nil {
			return err
		}
		left := time.Until(giveUp)
		if left <= 0 {
			return failed.err()
		}
		if err := waitUp(ctx, p.caller, up, min(wait, left)); err != nil {
			return err
		}
		wait = min(2*wait, longestWait)
	}
}

// callEach calls targets of g until one answers: those that may be up, and if all is set and none of these does, the
// others. Only what makes it vain to go on is an error.
func (r *Relay) callEach(ctx context.Context, p *pair, g *group, all bool, failed *failures) error {
	var tried []*target
	for {
		t := r.next(g, p, tried, all)
		if t == nil {
			return nil
		}
		tried = append(tried, t)
		err := r.callFor(ctx, p, t)
		r.heardOf(ctx, t, err)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return &parley.Error{Op: "dial", Addr: t.address, Err: context.Cause(ctx)}
		case errors.Is(err, ErrLoop), isMistake(err):
			return err
		}
		failed.note(t, err)
	}
}

// callFor calls t, which next has counted in, for p.
func (r *Relay) callFor(ctx context.Context, p *pair, t *target) error {
	defer r.called(p, t)
	c, err := r.dialFor(ctx, t)
	if err == nil {
		r.found(p, c, t)
	}
	return err
}

// called notes that a call of t for p is over, and counts t out if p has not got it: Dial has failed, or panicked.
func (r *Relay) called(p *pair, t *target) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t.trying, t.tried = false, time.Now()
	if p.callee == nil {
		t.conns--
	}
}

func (r *Relay) found(p *pair, callee *parley.Conn, t *target) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p.callee, p.target = callee, t
}

// next returns the target to call now, nil if there is none, and counts it in.
func (r *Relay) next(g *group, p *pair, tried []*target, all bool) *target {
	host := ""
	if r.Balance == Hash {
		host = sock.Origin(p.caller.RemoteAddr())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	allDown := !slices.ContainsFunc(g.targets, func(t *target) bool { return !t.down })
	var ready, rest []*target
	for _, t := range g.targets {
		switch {
		case slices.Contains(tried, t):
		case r.maybeUp(t, allDown):
			ready = append(ready, t)
		default:
			rest = append(rest, t)
		}
	}
	if len(ready) == 0 && all {
		ready = rest
	}
	if len(ready) == 0 {
		return nil
	}
	t := r.Balance.choose(ready, host, g.turn)
	g.turn++
	t.conns++
	t.trying = true
	return t
}

// maybeUp reports whether t is worth a call. If it is down, one caller at a time finds that out for all. It needs r.mu.
func (r *Relay) maybeUp(t *target, allDown bool) bool {
	switch {
	case !t.down:
		return true
	case t.trying:
		return false
	case allDown:
		return time.Since(t.tried) >= min(t.pause, longestWait)
	case t.probed && r.probing > 0:
		return false // its probe will tell
	}
	return time.Since(t.tried) >= t.pause
}

// dialFor calls t for a caller, unless it is a Unix socket by which callers come.
func (r *Relay) dialFor(ctx context.Context, t *target) (*parley.Conn, error) {
	for _, here := range r.doorsNow() {
		if isSameSocket(t.parsed, here) {
			return nil, loopError(t.address, here)
		}
	}
	return r.dial(ctx, t.address)
}

// dial calls address, within DialTimeout.
func (r *Relay) dial(ctx context.Context, address string) (*parley.Conn, error) {
	if limit := cmp.Or(r.DialTimeout, DefaultDialTimeout); limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	if r.Dial != nil {
		return r.Dial(ctx, address)
	}
	return parley.Dial(ctx, address)
}

// heardOf notes what a call of t for a caller has shown.
func (r *Relay) heardOf(ctx context.Context, t *target, err error) {
	r.mu.Lock()
	asBefore := err == nil && !t.down
	r.mu.Unlock()
	if asBefore || err != nil && isOurs(ctx, err) {
		return
	}
	r.change(t, err)
}

// isOurs reports whether a call failed for a reason that says nothing of the target: its caller has no more time, this
// process has no more files, calls itself, or was given an address that is none.
func isOurs(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, ErrLoop) || isMistake(err) || sock.IsShortage(err) && !sys.Broken.Is(err)
}

// isMistake reports whether a call failed for what its address says, which no further call can mend.
func isMistake(err error) bool {
	var mistake *parley.AddressError
	return errors.As(err, &mistake)
}

// waitUp waits for the next try. The caller is not heard meanwhile, so only that it has broken off is noticed, and not that
// it has ended: it may well be waiting for an answer.
func waitUp(ctx context.Context, caller *parley.Conn, up <-chan struct{}, wait time.Duration) error {
	select {
	case <-up:
	case <-time.After(wait):
	case <-ctx.Done():
		return &parley.Error{Op: "dial", Addr: "any target", Err: context.Cause(ctx)}
	}
	if err := caller.WaitTaken(longAgo); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("the caller has gone before a target could be reached: %w", err)
	}
	return nil
}

// failures are the last one of each target.
type failures []failure

type failure struct {
	of  *target
	why error
}

func (f *failures) note(t *target, why error) {
	for i := range *f {
		if (*f)[i].of == t {
			(*f)[i].why = why
			return
		}
	}
	*f = append(*f, failure{t, why})
}

func (f failures) err() error {
	e := &unreached{why: []error{ErrNoTarget}}
	for _, one := range f {
		e.why = append(e.why, one.why)
	}
	return e
}

// An unreached is ErrNoTarget and what became of each target, in one line.
type unreached struct{ why []error }

func (e *unreached) Unwrap() []error { return e.why }

func (e *unreached) Error() string {
	var each []string
	for _, why := range e.why[1:] {
		each = append(each, why.Error())
	}
	return e.why[0].Error() + ": " + strings.Join(each, "; ")
}
