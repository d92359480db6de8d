package parley

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"

	"parley/internal/sock"
)

// A Scheme is a kind of address and how conversations are opened there. A nil func means that the scheme cannot do it;
// the caller then gets errors.ErrUnsupported.
type Scheme struct {
	Name    string  // in lower case, as written before the colon
	Syntax  string  // of the target, for help: "HOST:PORT"
	Summary string  // one line, for help
	Params  []Param // what may follow the question mark

	// Dial returns a new conversation. cfg is the scheme's to read, not to change.
	Dial func(ctx context.Context, a Addr, cfg *Config) (net.Conn, error)

	// Listen returns a listener. Its Accept must be ended by Close, and by SetDeadline(time.Time) if it has that method.
	Listen func(ctx context.Context, a Addr, cfg *Config) (net.Listener, error)

	ListenPacket func(ctx context.Context, a Addr, cfg *Config) (net.PacketConn, error)
}

// A Param is something that an address may say after its target: ?name=value.
type Param = sock.Param

var registry struct {
	sync.RWMutex
	schemes []Scheme // sorted by name
}

// Register adds a scheme for all who dial without Config.Schemes. It is for init functions, and panics on a scheme
// without a name or with a name already taken.
func Register(s Scheme) {
	registry.Lock()
	defer registry.Unlock()
	i, taken := slices.BinarySearchFunc(registry.schemes, s.Name, byName)
	if s.Name == "" || taken {
		panic(fmt.Sprintf("parley: scheme %q registered without a name, or twice", s.Name))
	}
	registry.schemes = slices.Insert(registry.schemes, i, s)
}

// Schemes returns the registered schemes, sorted by name. The slice is the caller's.
func Schemes() []Scheme {
	registry.RLock()
	defer registry.RUnlock()
	return slices.Clone(registry.schemes)
}

func byName(s Scheme, name string) int { return strings.Compare(s.Name, name) }

func findScheme(schemes []Scheme, name string) (Scheme, error) {
	for _, s := range schemes {
		if s.Name == name {
			return s, nil
		}
	}
	return Scheme{}, sock.Mistake("unknown scheme %q; there are %s", name, strings.Join(schemeNames(schemes), ", "))
}

func schemeNames(schemes []Scheme) (names []string) {
	for _, s := range schemes {
		names = append(names, s.Name)
	}
	return names
}
