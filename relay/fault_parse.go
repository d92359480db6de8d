package relay

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"parley/internal/nearest"
)

// ParseFaults reads what is to go wrong. up is the way from the caller to the target (Options.AtoB), down the way back; each is
// nil if nothing was asked for it. The same seed makes the same faults; see [Faults].
//
//	SPEC  = GROUP { ";" GROUP }
//	GROUP = [ "up:" | "down:" ] FAULT { "," [ "up:" | "down:" ] FAULT }
//	FAULT = NAME [ "=" VALUE ]
//
// [FaultKinds] has the names, with a value for each that works. up: and down: hold for what follows, up to the other one or
// the end of the group. Without them a fault happens each way, with dice of its own.
func ParseFaults(spec string, seed uint64) (up, down *Faults, err error) {
	count := new(atomic.Uint64)
	up, down = &Faults{seed: seed, count: count}, &Faults{seed: seed, count: count}
	for group := range strings.SplitSeq(spec, ";") {
		if strings.TrimSpace(group) == "" {
			continue
		}
		ways := []*Faults{up, down}
		for text := range strings.SplitSeq(group, ",") {
			item := strings.TrimSpace(text)
			if item, ways, err = directed(item, ways, up, down); err == nil {
				err = readItem(item, ways)
			}
			if err != nil {
				return nil, nil, fmt.Errorf("fault %q: %w", strings.TrimSpace(text), err)
			}
		}
	}
	for _, f := range []*Faults{up, down} {
		if err := f.consistent(); err != nil {
			return nil, nil, err
		}
	}
	return up.orNil(), down.orNil(), nil
}

func (f *Faults) orNil() *Faults {
	if len(f.given) == 0 {
		return nil
	}
	return f
}

// directed takes up: or down: from item; without, the ways stay as they are.
func directed(item string, ways []*Faults, up, down *Faults) (string, []*Faults, error) {
	way, rest, ok := strings.Cut(item, ":")
	if !ok || strings.Contains(way, "=") {
		return item, ways, nil
	}
	rest = strings.TrimSpace(rest)
	switch strings.TrimSpace(way) {
	case "up":
		return rest, []*Faults{up}, nil
	case "down":
		return rest, []*Faults{down}, nil
	}
	return "", nil, fmt.Errorf("unknown direction %q; up: is from the caller to the target, down: the way back, and without either it is each way", way+":")
}

func readItem(item string, ways []*Faults) error {
	name, value, hasValue := strings.Cut(item, "=")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	k, ok := kindNamed(name)
	switch {
	case !ok:
		return unknownKind(name)
	case k.read == nil && hasValue:
		return fmt.Errorf("%s takes no value", name)
	case k.read != nil && value == "":
		return fmt.Errorf("has no value; write it like %s", k.Syntax)
	}
	for _, f := range ways {
		if f.has(name) {
			return fmt.Errorf("%s was asked for already: %s", name, f.item(name))
		}
		if k.read != nil {
			if err := k.read(f, value); err != nil {
				return fmt.Errorf("%w (write it like %s)", err, k.Syntax)
			}
		}
		f.given = append(f.given, name)
	}
	return nil
}

// companions are kinds that mean nothing without one of others.
var companions = []struct {
	name string
	of   []string
}{
	{"slice-delay", []string{"slice"}},
	{"stall-for", []string{"stall-after", "stall-in"}},
	{"after", windowed},
	{"for", windowed},
}

// consistent finds what cannot have been meant.
func (f *Faults) consistent() error {
	for _, c := range companions {
		if f.has(c.name) && !slices.ContainsFunc(c.of, f.has) {
			return fmt.Errorf("fault %s: there is nothing it is about; add %s", f.item(c.name), orList(c.of))
		}
	}
	switch {
	case f.has("chance") && len(f.given) == 1:
		return fmt.Errorf("fault %s: there is nothing that could happen; add another kind", f.item("chance"))
	case f.has("slow-close") && f.has("half-close-lost"):
		return fmt.Errorf("fault %s: half-close-lost loses the end, so it cannot come late; leave one out", f.item("slow-close"))
	case f.has("for") && f.during == 0:
		return errors.New("fault for=0s: nothing would happen; leave it out to go on for ever")
	}
	return nil
}

func orList(names []string) string {
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// otherNames are what the same kinds are called by other programs.
var otherNames = map[string]string{
	"delay": "latency", "lag": "latency", "jitter": "latency", "rate": "bandwidth", "throttle": "bandwidth", "limit": "bandwidth",
	"slicer": "slice", "fragment": "slice", "timeout": "stall-after", "stall": "stall-after", "hang": "stall-after",
	"reset": "reset-after", "rst": "reset-after", "reset_peer": "reset-in", "reset-peer": "reset-in",
	"close": "close-after", "limit_data": "close-after", "truncate": "close-after", "slow_close": "slow-close",
	"half-close": "half-close-lost", "loss": "drop", "packet_loss": "drop", "lose": "drop", "dup": "duplicate", "shuffle": "reorder",
	"down": "refuse", "toxicity": "chance", "probability": "chance", "damage": "corrupt",
}

func unknownKind(name string) error {
	if name == "" {
		return errors.New("is empty; write it like latency=50ms")
	}
	if k, ok := kindNamed(nearestKind(name)); ok {
		return fmt.Errorf("unknown kind; did you mean %s? It is written like %s", k.Name, k.Syntax)
	}
	return fmt.Errorf("unknown kind; the kinds are %s", strings.Join(kindNames(), ", "))
}

// nearestKind returns the kind that name was probably meant to be; empty if none is near.
func nearestKind(name string) string {
	name = strings.ToLower(name)
	if meant, ok := otherNames[name]; ok {
		return meant
	}
	names := kindNames()
	begins := func(kind string) bool { return len(name) >= 3 && strings.HasPrefix(kind, name) }
	if i := slices.IndexFunc(names, begins); i >= 0 {
		return names[i]
	}
	return nearest.Word(name, names)
}

func kindNames() (names []string) {
	for _, k := range faultTable {
		names = append(names, k.Name)
	}
	return names
}
