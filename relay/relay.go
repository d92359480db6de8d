package relay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"parley"
	"parley/internal/sock"
)

// What the zero values of a [Relay] mean.
const (
	DefaultDialTimeout = 10 * time.Second
	DefaultSniffWithin = 5 * time.Second
	DefaultSniffMax    = 16 << 10
)

var (
	// ErrNoTarget is why a caller was broken off of whom no target could be reached. The error says what became of each; the
	// causes are found with errors.Is and errors.As.
	ErrNoTarget = errors.New("no target could be reached")

	// ErrNoRoute is why a caller was broken off for whom there is no route, nor any Targets.
	ErrNoRoute = errors.New("no route for this caller")
)

// A Relay joins each caller to a new conversation with a target: its Handle is a [parley.Handler]. A Relay with Targets is
// ready to use. Its fields must not be changed, nor the Relay copied, once it is in use.
//
// On a tls address, where TLS ends here, the handshake comes first: a caller that fails it, or takes longer than SniffWithin,
// gets no target. Elsewhere, if there are no Routes, nothing is heard of a caller before its target has answered: what it
// says meanwhile waits in its kernel, and in ours.
//
// A Relay that calls itself is found, by Check or when it happens; see [ErrLoop]. One that calls itself by way of another
// relay, or of a machine that translates addresses, is not: such a loop grows until a limit of the server, such as its
// MaxConns, or the system's of open files, ends it.
type Relay struct {
	// Targets are addresses, of which each caller gets one. A target that could not be reached is down: it is left out,
	// unless all are, until a call of it succeeds; see ProbeEvery. One whose address is a mistake, a *parley.AddressError, is not
	// down: the caller that should get it is broken off at once, for that error. Check finds what can be seen without a call.
	Targets []string
	Balance Balance // which of the targets that are up a caller gets; the others are next if that fails. 0 means First

	// Routes choose other targets by what a caller says when it begins TLS. The first that fits counts; if none does, it
	// is one of Targets. So it is for callers who say something else, or too much, or for too long nothing: servers that
	// speak first are Targets. If there are none, such callers are broken off. On a tls address, where TLS ends, the handshake
	// decides, and a caller that fails it gets no target. Datagrams are not looked at.
	Routes []Route

	// Dial calls a target; nil means parley.Dial.
	Dial func(ctx context.Context, address string) (*parley.Conn, error)
	// DialTimeout is for each call of a target. 0 means DefaultDialTimeout, negative no limit.
	DialTimeout time.Duration

	// RetryFor is how long a caller waits if all targets are down. They are tried again meanwhile, with pauses of up to a
	// second. 0 or less: each is tried once, then the caller is broken off.
	RetryFor time.Duration

	// ProbeEvery is how often Run calls each target, to see whether it is up. A target that is down is then left to that. 0 or
	// less: no probes; one caller in a while, first after 100 ms and at last every 30 s, is given to a target that is down.
	ProbeEvery time.Duration

	// SniffWithin is how long a caller may take to say its ClientHello, where there are Routes, and for the whole handshake
	// where TLS ends here, with Routes or without. 0 means DefaultSniffWithin, negative no limit.
	SniffWithin time.Duration
	// SniffMax is how much of a beginning is looked at, in bytes. 0 means DefaultSniffMax, negative what crypto/tls takes.
	SniffMax int

	// Options of every Join. What was heard to find a route, which is at most SniffMax bytes, is passed on before any Faults
	// begin, and cannot be passed on in frames: such a caller is broken off.
	Options Options

	// Changed, if not nil, is told once that a target is down, with why; and once that it is up again. The calls come one
	// after the other, on the goroutine of whoever has found out: Changed must return soon, and not call the Relay.
	Changed func(target string, up bool, why error)

	// Joined, if not nil, is called for each caller that got a target, before anything passes between them.
	Joined func(caller, target *parley.Conn)

	// Ended, if not nil, is called for each of those when its conversation is over. What err says, Handle returns too.
	Ended func(caller *parley.Conn, target string, s Stats, err error)

	once    sync.Once
	main    *group
	byRoute []*group // for each of Routes
	all     []*target
	telling sync.Mutex // held while Changed is called

	mu       sync.Mutex    // guards the rest, and what targets and groups say
	upAgain  chan struct{} // closed when a target is up again, for those who wait
	probing  int           // calls of Run under way
	passages map[passage]end
	doors    map[net.UnixAddr]int // callers under way, by the socket they came by
}

// A pair is a caller and what became of it. Once it has a callee the others may see it, by Relay.passages.
type pair struct {
	caller, callee *parley.Conn
	target         *target // of callee
	first          []byte  // what was heard of the caller to find its route
	told           bool    // Joined has been called
	joint          *joint  // nil: they cannot be joined
	stats          Stats   // of the joint
	err            error   // why they cannot be joined, or that of the joint
	looped         bool    // one of both is this Relay; guarded by Relay.mu
}

func (r *Relay) setup() {
	known := map[string]*target{}
	r.main = r.newGroup(r.Targets, known)
	for _, route := range r.Routes {
		r.byRoute = append(r.byRoute, r.newGroup(route.Targets, known))
	}
	r.upAgain = make(chan struct{})
	r.passages = map[passage]end{}
	r.doors = map[net.UnixAddr]int{}
}

// Handle holds the conversation with the caller c: it finds a target, joins both and returns when both have ended. The
// error says why they could not be joined, or what Join says; c has been broken off, or closed, then.
//
// An idle conversation waits in Join, and pays for all of the stack above it: hence so little here.
func (r *Relay) Handle(ctx context.Context, c *parley.Conn) error {
	p := r.pairFor(ctx, c)
	if p.joint != nil && p.joint.begin() {
		p.joint.run(0)
	}
	return r.over(p)
}

// pairFor finds a target in a goroutine of its own, as that takes a lot of stack.
//
//go:noinline
func (r *Relay) pairFor(ctx context.Context, c *parley.Conn) *pair {
	found := make(chan *pair)
	go r.find(ctx, c, found)
	return <-found
}

// find makes a pair of the caller and a target, and joins them where that is possible.
func (r *Relay) find(ctx context.Context, c *parley.Conn, found chan<- *pair) {
	p := &pair{caller: c}
	defer func() {
		if broken := recover(); broken != nil { // which must end one conversation, not the program
			p.joint, p.err = nil, fmt.Errorf("relay panicked: %v\n%s", broken, debug.Stack())
		}
		found <- p
	}()
	r.once.Do(r.setup)
	if p.err = r.call(ctx, p); p.err == nil {
		p.joint = newJoint(ctx, c, p.callee, &r.Options)
		p.sayFirst(ctx)
	}
}

// call finds p a target, and calls it.
func (r *Relay) call(ctx context.Context, p *pair) error {
	if err := r.enterCaller(p); err != nil {
		return err
	}
	g, err := r.choose(ctx, p)
	if err != nil {
		return err
	}
	if err := r.reach(ctx, p, g); err != nil {
		return err
	}
	if err := r.enterCallee(p); err != nil {
		return err
	}
	if p.told = true; r.Joined != nil {
		r.Joined(p.caller, p.callee)
	}
	return nil
}

// sayFirst says to the target what was heard of the caller already, before anything else is heard.
func (p *pair) sayFirst(ctx context.Context) {
	switch {
	case len(p.first) == 0:
		return
	case p.joint.Frames:
		p.first = nil
		p.joint.breakOffFor(fmt.Errorf("relay to %s: what was heard to find the route cannot be passed on in frames; leave out the routes, or the frames",
			p.target.address))
		return
	}
	p.joint.tapped.piece(0, p.first, false)
	undo := sock.CancelOn(ctx, p.callee.SetWriteDeadline, func() { _ = p.callee.SetWriteDeadline(time.Time{}) })
	defer undo()
	n, err := p.callee.Write(p.first)
	untaken := len(p.first) - n
	if p.first = p.first[:n]; err != nil {
		p.cannotSay(int64(untaken), cmp.Or(context.Cause(ctx), err))
	}
}

// cannotSay is what Join does when an end takes no more: if it has gone, its last words are still passed on to the caller.
func (p *pair) cannotSay(untaken int64, err error) {
	why := p.joint.named(1, "send", err)
	if !isGone(err) {
		p.joint.breakOffFor(why)
		return
	}
	there := &p.joint.ways[0]
	there.began -= untaken // as if it were heard only now, if more is heard and lost
	there.untaken = untaken
	p.joint.fail(1, why)
}

// breakOff closes c so that the other end notices that this was no end.
func breakOff(c *parley.Conn) {
	sock.BreakOff(c.NetConn())
	c.Close()
}

// over ends a pair, and tells of it. It returns why that is not well.
//
//go:noinline
func (r *Relay) over(p *pair) error {
	defer r.forget(p)
	defer r.countDoor(p, -1)
	if p.joint != nil {
		p.stats, p.err = p.joint.end()
		p.stats.AtoB.Bytes += int64(len(p.first))
	} else {
		p.breakOff()
	}
	if r.isLoop(p) && p.callee != nil {
		p.err = p.loopError()
	}
	if p.told && r.Ended != nil {
		r.Ended(p.caller, p.target.address, p.stats, p.err)
	}
	return p.err
}

// breakOff ends what there is of a pair that cannot be joined, so that neither takes that for an end.
func (p *pair) breakOff() {
	breakOff(p.caller)
	if p.callee != nil {
		breakOff(p.callee)
	}
}

// forget takes p out of all accounts.
func (r *Relay) forget(p *pair) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leave(p, callerPassage(p))
	if p.callee != nil {
		p.target.conns--
		r.leave(p, calleePassage(p))
	}
}
