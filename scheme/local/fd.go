package local

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"

	"parley"
	"parley/internal/sock"
)

// A given descriptor is one that this process was started with, by its number; none stands for there is none.
type given int

const none given = -1

// String names a descriptor in errors.
func (d given) String() string {
	switch d {
	case 0:
		return "standard input"
	case 1:
		return "standard output"
	case 2:
		return "standard error"
	}
	return "descriptor " + strconv.Itoa(int(d))
}

// inUse has the descriptors that a conversation was made of, as two that read one would each hear a part.
var inUse struct {
	sync.Mutex
	by map[given]Addr
}

// reserve takes descriptors, which nobody gets again unless undo is called.
func reserve(addr Addr, wanted ...given) (undo func(), err error) {
	inUse.Lock()
	defer inUse.Unlock()
	if inUse.by == nil {
		inUse.by = map[given]Addr{}
	}
	for _, d := range wanted {
		if by, taken := inUse.by[d]; taken {
			return nil, fmt.Errorf("%s is a conversation's already: %s; it can be one once in a process", d, written(by))
		}
	}
	for _, d := range wanted {
		inUse.by[d] = addr
	}
	return func() {
		inUse.Lock()
		defer inUse.Unlock()
		for _, d := range wanted {
			delete(inUse.by, d)
		}
	}, nil
}

// written is the address that addr came from.
func written(addr Addr) string {
	return parley.Addr{Scheme: addr.network, Target: addr.text}.String()
}

func dialStdio(_ context.Context, a parley.Addr, _ *parley.Config) (net.Conn, error) {
	if a.Target != "" {
		return nil, sock.Mistake("%q: standard input and output are - or stdio: and no more", a.Target)
	}
	return openGiven(Addr{"stdio", ""}, 0, 1)
}

func dialFD(_ context.Context, a parley.Addr, _ *parley.Config) (net.Conn, error) {
	in, out, err := parseFDs(a.Target)
	if err != nil {
		return nil, err
	}
	return openGiven(Addr{"fd", a.Target}, in, out)
}

// parseFDs reads N or IN,OUT. One descriptor is both for now.
func parseFDs(target string) (in, out given, err error) {
	first, second, two := strings.Cut(target, ",")
	if !two {
		second = first
	}
	a, errA := strconv.ParseUint(first, 10, 16)
	b, errB := strconv.ParseUint(second, 10, 16)
	if errA != nil || errB != nil {
		return none, none, sock.Mistake("%q is no number of a descriptor; write fd:N, or fd:IN,OUT for one to hear and one to speak to", target)
	}
	return given(a), given(b), nil
}

// openGiven makes a conversation of descriptors, and reserves them.
func openGiven(addr Addr, in, out given) (net.Conn, error) {
	wanted := []given{in}
	if in != out {
		wanted = append(wanted, out)
	}
	undo, err := reserve(addr, wanted...)
	if err != nil {
		return nil, err
	}
	nc, err := open(addr, in, out)
	if err != nil {
		undo()
	}
	return nc, err
}

// lentIn and lentOut are made of a copy of a descriptor. With the copy they give up the original, so that the other end
// notices.
type (
	lentIn struct {
		input
		giveUp func() error
	}
	lentOut struct {
		output
		giveUp func() error
	}
)

func (l *lentIn) Close() error { return cmp.Or(l.input.Close(), l.giveUp()) }

func (l *lentOut) Close() error { return cmp.Or(l.output.Close(), l.giveUp()) }

func (l *lentOut) finish() error { return cmp.Or(l.output.finish(), l.giveUp()) }
