package relay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"

	"parley"
	"parley/internal/sock"
)

// ErrLoop is why a Relay that would call itself is refused: by Check, or when it happens. Then the caller who has met
// it is broken off, and so is the call. The error names the target and the place where the Relay listens.
//
// On Unix sockets nothing tells which call of ours a caller is. There a target is a loop if it is the socket, by whatever name,
// of a caller who is still there. One that Dial calls by an address of its own is not found; it grows until a limit ends it,
// as [Relay] says.
var ErrLoop = errors.New("a relay onto itself")

func loopError(target string, listening net.Addr) error {
	return fmt.Errorf("%w: the target %s is where this relay listens, %v; change one of them", ErrLoop, target, listening)
}

// Check looks for what cannot work, before the first caller comes: no targets, an address that cannot be called, a route
// that is none, and a target that is one of the places where the Relay will be listening (ErrLoop). It looks up the names
// of hosts, for up to DialTimeout; one that is not known now may be later, and is no error. Addresses are looked at by the
// registered schemes; if Dial is set, those that these do not know are its business. A param that its scheme does not know
// is refused all the same.
func (r *Relay) Check(listening ...net.Addr) error {
	r.once.Do(r.setup)
	if len(r.all) == 0 {
		return errors.New("a relay without targets: give it one, or a route to one")
	}
	for _, route := range r.Routes {
		if err := route.check(); err != nil {
			return err
		}
	}
	ctx := context.Background()
	if limit := cmp.Or(r.DialTimeout, DefaultDialTimeout); limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	for _, t := range r.all {
		if err := r.checkAddress(t); err != nil {
			return err
		}
		for _, here := range listening {
			if leadsTo(ctx, t.parsed, here) {
				return loopError(t.address, here)
			}
		}
	}
	return nil
}

// checkAddress refuses what no registered scheme can call. If there is a Dial, it may know others.
func (r *Relay) checkAddress(t *target) error {
	a, err := parley.ParseAddr(t.address)
	if err != nil && r.Dial == nil {
		return err
	}
	all := parley.Schemes()
	i := slices.IndexFunc(all, func(s parley.Scheme) bool { return s.Name == a.Scheme })
	if err != nil || i < 0 {
		return nil
	}
	if err := sock.CheckParams(a.Scheme, all[i].Params, a.Params); err != nil {
		return &parley.Error{Op: "dial", Addr: t.address, Err: err}
	}
	return nil
}

// check refuses a route that was not made by ParseRoute and cannot be.
func (route Route) check() error {
	switch {
	case route.By != "sni" && route.By != "alpn":
		return fmt.Errorf("route %v: it is by %q; there are sni and alpn", route, route.By)
	case len(route.Names) == 0 || len(route.Targets) == 0:
		return fmt.Errorf("route %v: it needs names and targets", route)
	}
	for _, name := range route.Names {
		if err := checkName(route.By, name); err != nil {
			return fmt.Errorf("route %v: %w", route, err)
		}
	}
	return nil
}

// leadsTo reports whether a call of a would come to a listener on here.
func leadsTo(ctx context.Context, a parley.Addr, here net.Addr) bool {
	network := a.Scheme
	if network == "tls" {
		network = "tcp"
	}
	place, ok := addrPortOf(here)
	if !ok {
		return isSameSocket(a, here)
	}
	if !strings.HasPrefix(network, here.Network()) {
		return false
	}
	called, err := sock.Places(ctx, network, a.Target)
	return err == nil && slices.ContainsFunc(called, func(to netip.AddrPort) bool { return comesTo(to, place) })
}

// comesTo reports whether a call of to comes to a listener on here.
func comesTo(to, here netip.AddrPort) bool {
	if to.Port() != here.Port() {
		return false
	}
	if to.Addr().IsUnspecified() { // which the system takes for this machine
		return here.Addr().IsUnspecified() || here.Addr().IsLoopback()
	}
	return to.Addr() == here.Addr() || here.Addr().IsUnspecified() && isOwn(to.Addr())
}

// isOwn reports whether ip is of this machine.
func isOwn(ip netip.Addr) bool {
	if ip.IsLoopback() {
		return true
	}
	own, _ := net.InterfaceAddrs()
	return slices.ContainsFunc(own, func(a net.Addr) bool {
		network, isNet := a.(*net.IPNet)
		return isNet && network.IP.Equal(net.IP(ip.AsSlice()))
	})
}

// isSameSocket reports whether a is the Unix socket here, by whatever name.
func isSameSocket(a parley.Addr, here net.Addr) bool {
	at, isUnix := here.(*net.UnixAddr)
	if !isUnix || at == nil || at.Name == "" || a.Scheme != "unix" {
		return false
	}
	if a.Target == at.Name {
		return true
	}
	there, err := os.Stat(a.Target)
	if err != nil {
		return false
	}
	listening, err := os.Stat(at.Name)
	return err == nil && os.SameFile(there, listening)
}

// A passage is a connection between two IP sockets, as its caller sees it. It has no pointers, so that many of them cost the
// garbage collector nothing.
type passage struct {
	from, to         [16]byte
	fromPort, toPort uint16
	udp              bool
}

// An end is who has one end of a passage. If a Relay has both, it has called itself.
type end struct {
	of     *pair
	called bool // the one that was called, not the one that called
}

func callerPassage(p *pair) passage { return passageOf(p.caller.RemoteAddr(), p.caller.LocalAddr()) }
func calleePassage(p *pair) passage { return passageOf(p.callee.LocalAddr(), p.callee.RemoteAddr()) }

// passageOf returns the zero passage if the addresses are not both of IP sockets. A UDP listener does not always know by
// which of its addresses it was called. There the caller's address is enough: no two sockets have the same, while of TCP
// two may share a port for different destinations.
func passageOf(from, to net.Addr) passage {
	a, ok := addrPortOf(from)
	b, also := addrPortOf(to)
	if !ok || !also {
		return passage{}
	}
	p := passage{from: a.Addr().As16(), fromPort: a.Port(), to: b.Addr().As16(), toPort: b.Port()}
	if p.udp = from.Network() == "udp"; p.udp {
		p.to = [16]byte{}
	}
	return p
}

// addrPortOf returns the IP address and port of a, if it has both.
func addrPortOf(a net.Addr) (netip.AddrPort, bool) {
	var ap netip.AddrPort
	switch a := a.(type) {
	case *net.TCPAddr:
		ap = a.AddrPort()
	case *net.UDPAddr:
		ap = a.AddrPort()
	}
	return netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port()), ap.IsValid()
}

// enterCaller notes by which passage p's caller came. If a call of ours did, the Relay has called itself, and that call is
// broken off; the caller will be.
func (r *Relay) enterCaller(p *pair) error {
	r.countDoor(p, 1)
	other := r.enter(p, callerPassage(p), true)
	if other == nil {
		return nil
	}
	breakOff(other.callee)
	return other.loopError()
}

// enterCallee notes by which passage p's call went. If a caller of ours came by it, who was faster, that one's pair is
// broken off with this call.
func (r *Relay) enterCallee(p *pair) error {
	if r.enter(p, calleePassage(p), false) != nil || r.isLoop(p) {
		return p.loopError()
	}
	return nil
}

// enter notes that p has one end of a passage, and returns who has the other.
func (r *Relay) enter(p *pair, here passage, called bool) (other *pair) {
	if here == (passage{}) {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	found, there := r.passages[here]
	if !there || found.called == called { // of the same kind it is one that has just ended
		r.passages[here] = end{p, called}
		return nil
	}
	p.looped, found.of.looped = true, true
	return found.of
}

// countDoor counts p's caller in or out at the Unix socket by which it came, if that has a name.
func (r *Relay) countDoor(p *pair, n int) {
	door, isUnix := p.caller.LocalAddr().(*net.UnixAddr)
	if !isUnix || door == nil || door.Name == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.doors[*door] += n; r.doors[*door] == 0 {
		delete(r.doors, *door)
	}
}

// doorsNow returns the Unix sockets by which callers have come whose conversations go on: where a loop passes, there is one.
func (r *Relay) doorsNow() (doors []*net.UnixAddr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for door := range r.doors {
		doors = append(doors, &door)
	}
	return doors
}

// leave undoes enter. It needs r.mu.
func (r *Relay) leave(p *pair, here passage) {
	if r.passages[here].of == p {
		delete(r.passages, here)
	}
}

func (r *Relay) isLoop(p *pair) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return p.looped
}

func (p *pair) loopError() error { return loopError(p.target.address, p.callee.RemoteAddr()) }
