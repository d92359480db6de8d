package guard

import (
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"parley/internal/sock"
)

// Rules say which callers are let in. They never change, but for the addresses that host names stand for. The zero value and
// nil have no rules, and let everybody in. They may be used from any goroutine.
//
// The most specific rule decides: an address with a zone before one without, an address before a network, a small network
// before a large one, and "all" last. A host name counts as the addresses that [Rules.Resolve] has found for it; before that,
// and if there are none, it is nobody's. Of two equally specific rules the one that denies decides. A caller that no rule
// fits is let in, unless some rule allows somebody: then only those allowed are.
//
// An IPv4 address written as IPv6 (::ffff:192.0.2.1) is the IPv4 address, in rules as in callers; "::/0" is IPv6 only. A rule
// with a zone (fe80::1%eth0) fits callers of that zone only, other rules care for no zones.
//
// Callers that have no IP address are always let in: who may use a Unix socket is said by the permissions of its file.
type Rules struct {
	list   []*rule
	allows bool // some rule allows somebody

	resolving sync.Mutex            // held while host names are looked up
	table     atomic.Pointer[table] // nil: no rules
}

// A rule is one line of Rules, of which exactly one of the fields after deny is set.
type rule struct {
	text string // for people: "rules.txt:3: deny 10.0.0.0/8"
	deny bool
	nets []netip.Prefix // an address is a network of its own
	zone netip.Addr     // an address with a zone
	host string         // lower case, without a dot at the end
}

// newRules takes list over.
func newRules(list []*rule, found map[string][]netip.Addr) *Rules {
	r := &Rules{list: list}
	r.allows = slices.ContainsFunc(list, func(rl *rule) bool { return !rl.deny })
	r.table.Store(newTable(list, found))
	return r
}

// NewRules returns the rules that allow and deny those named. Each text names one or several, with commas between them: an
// address (192.0.2.1, fe80::1), a network (10.0.0.0/8, fe80::/10), a host name, or "all". The error is a *RuleError. If there
// are host names, Resolve must be called before the rules are of use.
func NewRules(allow, deny []string) (*Rules, error) {
	var list []*rule
	for _, side := range []struct {
		verb  string
		texts []string
	}{{allowing, allow}, {denying, deny}} {
		for _, text := range side.texts {
			more, why := parseTargets(side.verb, "", text)
			if why != "" {
				return nil, &RuleError{Text: side.verb + " " + text, Why: why}
			}
			list = append(list, more...)
		}
	}
	return newRules(list, nil), nil
}

// Join returns the rules of r and of others together, with the addresses of host names that any of them has found. r and
// others may be nil, and stay as they are.
func (r *Rules) Join(others ...*Rules) *Rules {
	var list []*rule
	found := map[string][]netip.Addr{}
	for _, one := range append([]*Rules{r}, others...) {
		if one == nil {
			continue
		}
		list = append(list, one.list...)
		maps.Copy(found, one.known())
	}
	return newRules(list, found)
}

// Len returns how many rules there are.
func (r *Rules) Len() int {
	if r == nil {
		return 0
	}
	return len(r.list)
}

// HasAllow reports whether some rule allows somebody: then a caller that no rule fits is not let in.
func (r *Rules) HasAllow() bool { return r != nil && r.allows }

// Allows reports whether a caller with the address a is let in, and the text of the rule that decides, for a log: with file
// and line, as "rules.txt:3: deny 10.0.0.0/8", if it has been read from a file. The text is empty if no rules apply.
func (r *Rules) Allows(a net.Addr) (ok bool, rule string) {
	if r == nil || len(r.list) == 0 {
		return true, ""
	}
	ip, subject := ipOf(a)
	if !subject {
		return true, ""
	}
	if found := r.table.Load().find(ip); found != nil {
		return !found.deny, found.text
	}
	if r.allows {
		return false, "no rule allows it"
	}
	return true, ""
}

// ipOf returns the IP address of a, and whether it ought to have one: what should but has none is a stranger that no rule
// fits.
func ipOf(a net.Addr) (ip netip.Addr, subject bool) {
	switch a := a.(type) {
	case nil:
		return ip, true
	case interface{ AddrPort() netip.AddrPort }: // *net.TCPAddr, *net.UDPAddr
		return a.AddrPort().Addr().Unmap(), true
	case *net.UnixAddr: // its path may look like an address
		return ip, false
	}
	host, _ := sock.HostPort(a)
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap(), true
	}
	ipPort, err := netip.ParseAddrPort(host)
	return ipPort.Addr().Unmap(), err == nil
}
