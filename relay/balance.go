package relay

import (
	"fmt"
	"slices"
	"strings"
)

// Balance says which of several targets a caller gets, of those that are up.
type Balance int

const (
	First      Balance = iota // the first in the order in which they are named: the others are its replacement
	RoundRobin                // each in its turn
	Least                     // the one with the fewest conversations now, in turn where that is equal

	// Hash is the same for all callers of one host, as long as it is up. A host is an IPv4 address, or a /64 network of IPv6.
	// Callers without one, such as those of Unix sockets, all get the same.
	Hash
)

var balanceNames = []string{"first", "round-robin", "least", "hash"}

// ParseBalance reads what String writes: first, round-robin, least or hash.
func ParseBalance(s string) (Balance, error) {
	if i := slices.Index(balanceNames, s); i >= 0 {
		return Balance(i), nil
	}
	return 0, fmt.Errorf("no way to balance is called %q; there are %s", s, strings.Join(balanceNames, ", "))
}

func (b Balance) String() string {
	if b < 0 || int(b) >= len(balanceNames) {
		return fmt.Sprintf("Balance(%d)", int(b))
	}
	return balanceNames[b]
}

// choose returns one of targets, which are not empty, for a caller from host. turn counts the choices made before.
func (b Balance) choose(targets []*target, host string, turn int) *target {
	switch b {
	case RoundRobin:
		return targets[turn%len(targets)]
	case Least:
		return leastOf(targets, turn)
	case Hash:
		return highestFor(targets, host)
	}
	return targets[0]
}

// leastOf begins at a different target in each turn, as else short conversations would all come to the first.
func leastOf(targets []*target, turn int) *target {
	best := targets[turn%len(targets)]
	for i := range targets {
		if t := targets[(turn+i)%len(targets)]; t.conns < best.conns {
			best = t
		}
	}
	return best
}

// highestFor is rendezvous hashing: each host has an order of preference of its own, which does not depend on what other
// targets there are. So a target that goes moves only its own callers, and several relays agree without talking.
func highestFor(targets []*target, host string) *target {
	best, highest := targets[0], uint64(0)
	for _, t := range targets {
		if s := score(t.address, host); s > highest {
			best, highest = t, s
		}
	}
	return best
}

// score is FNV-1a of both names, with the finishing steps of MurmurHash3: FNV alone changes but few of the upper bits for
// what is last, and those decide which is the highest. It must stay as it is, or relays of different versions disagree.
func score(address, host string) uint64 {
	h := uint64(14695981039346656037)
	for _, s := range []string{host, "\x00", address} {
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * 1099511628211
		}
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
