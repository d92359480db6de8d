package guard

import (
	"math"
	"time"

	"golang.org/x/time/rate"

	"parley"
	"parley/internal/sock"
)

// A host is what a Guard remembers of one: how many conversations it has, and how fast they came.
type host struct {
	name  string
	conns int
	pace  *rate.Limiter // nil: no limit
}

const (
	sweepEvery   = time.Minute
	sweepAtLeast = 1 << 10 // hosts
	maxSilent    = 1 << 16 // hosts without a conversation that are remembered for their pace; some 15 MB
)

// A visit is a conversation that was let in.
type visit struct {
	g     *Guard
	host  *host  // nil: it counts for none
	watch *watch // nil: its caller may take its time
}

// admit counts c in. The visit must be ended.
func (g *Guard) admit(c *parley.Conn) (*visit, error) {
	if ok, rule := g.rules.Load().Allows(c.RemoteAddr()); !ok {
		return nil, denied(c, rule)
	}
	v := &visit{g: g}
	if err := v.begin(c); err != nil {
		return nil, err
	}
	if g.FirstFrameWithin > 0 && !c.KeepsEdges() {
		v.watch = watchFor(c, g.FirstFrameWithin)
	}
	return v, nil
}

// begin counts c in, if the limits allow it.
func (v *visit) begin(c *parley.Conn) (err error) {
	g, name := v.g, ""
	if g.MaxPerHost > 0 || g.Rate > 0 {
		name = sock.Origin(c.RemoteAddr())
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.MaxConns > 0 && g.conns >= g.MaxConns {
		return g.tooMany()
	}
	if name != "" {
		if v.host, err = g.admitHost(name, time.Now()); err != nil {
			return err
		}
	}
	g.conns++
	return nil
}

// outcome is the error of the handler, or why its conversation was closed. It is no part of Handler, whose stack it would
// make larger while the conversation lasts.
//
//go:noinline
func (v *visit) outcome(err error) error {
	if v.watch != nil {
		if why := v.watch.end(); why != nil {
			return why
		}
	}
	return err
}

// end counts the conversation out, also when its handler panics.
func (v *visit) end() {
	if v.watch != nil {
		v.watch.end()
	}
	v.g.mu.Lock()
	defer v.g.mu.Unlock()
	v.g.conns--
	if v.host != nil {
		v.g.leaveHost(v.host, time.Now())
	}
}

// admitHost needs the lock.
func (g *Guard) admitHost(name string, now time.Time) (*host, error) {
	h := g.hosts[name]
	if h == nil {
		h = g.meet(name, now)
	}
	if g.MaxPerHost > 0 && h.conns >= g.MaxPerHost {
		return nil, g.tooManyFrom(name)
	}
	if h.pace != nil && !h.pace.AllowN(now, 1) {
		return nil, g.tooFast(name)
	}
	h.conns++
	return h, nil
}

// leaveHost counts out a caller of h. A host that had come fast is remembered until sweep. It needs the lock.
func (g *Guard) leaveHost(h *host, now time.Time) {
	if h.conns--; h.forgettable(now) {
		delete(g.hosts, h.name)
	}
}

// meet remembers a host that is not known. It needs the lock.
func (g *Guard) meet(name string, now time.Time) *host {
	if g.hosts == nil {
		g.hosts, g.swept, g.sweepOver = map[string]*host{}, now, sweepAtLeast
	}
	if len(g.hosts) >= g.sweepOver || now.Sub(g.swept) >= sweepEvery {
		g.sweep(now)
	}
	h := &host{name: name}
	if g.Rate > 0 {
		r := min(g.Rate, math.MaxInt32) // what is more is no limit, and would overflow the burst
		h.pace = rate.NewLimiter(rate.Limit(r), max(1, int(math.Ceil(r))))
	}
	g.hosts[name] = h
	return h
}

// forgettable reports whether a host that came now for the first time would be treated the same.
func (h *host) forgettable(now time.Time) bool {
	return h.conns == 0 && (h.pace == nil || h.pace.TokensAt(now) >= float64(h.pace.Burst()))
}

// sweep forgets hosts that need not be remembered, and any others without a conversation that are too many: a flood from
// many addresses must not cost memory without bound. Looking through all hosts only once their number has doubled makes the
// cost of one new host small. It needs the lock.
func (g *Guard) sweep(now time.Time) {
	silent := 0
	for name, h := range g.hosts {
		if h.conns > 0 {
			continue
		}
		if silent++; silent > maxSilent/2 || h.forgettable(now) {
			silent--
			delete(g.hosts, name)
		}
	}
	g.swept = now
	g.sweepOver = max(2*len(g.hosts), sweepAtLeast)
	if talking := len(g.hosts) - silent; g.sweepOver > talking+maxSilent {
		g.sweepOver = talking + maxSilent
	}
}
