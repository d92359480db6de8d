package parleytest

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"

	"parley"
)

// DefaultBuffer is what a zero Network.Buffer means, in bytes: 64 KiB.
const DefaultBuffer = 64 << 10

// A Network is a network in memory. Its zero value is ready to use; two Networks know nothing of each other. Its
// conversations behave as those of TCP do: they have half-close, deadlines and a bounded buffer each way, a close with
// bytes unread resets them, and errors are what package net would return. All waiting is on a sync.Cond, so a Network made
// inside a bubble of testing/synctest runs in its time.
//
// Unlike TCP's, callers may wait to be accepted in any number, and writing fails as soon as the other end has closed.
type Network struct {
	Buffer int // bytes each direction of a conversation holds that nobody has read; 0 or less means DefaultBuffer

	mu        sync.Mutex
	listeners map[string]*listener
	named     int // names made up so far
}

// Scheme returns the scheme mem, whose addresses mem:NAME are places on n, for [parley.Config.Schemes]. Listening on
// "mem:" takes a free name. The param from names the caller; else each has a name of its own.
func (n *Network) Scheme() parley.Scheme {
	return parley.Scheme{
		Name: "mem", Syntax: "NAME", Summary: "a network in memory, for tests",
		Params: []parley.Param{{Name: "from", Value: "NAME", Summary: "what the caller is called"}},
		Dial:   n.dial, Listen: n.listen,
	}
}

func (n *Network) dial(ctx context.Context, a parley.Addr, _ *parley.Config) (net.Conn, error) {
	local, remote := memAddr(a.Params["from"]), memAddr(a.Target)
	failed := func(err error) error {
		return &net.OpError{Op: "dial", Net: "mem", Addr: remote, Err: err}
	}
	if err := ctx.Err(); err != nil {
		return nil, failed(err)
	}
	n.mu.Lock()
	l := n.listeners[a.Target]
	if local == "" {
		local = memAddr(n.freeName("caller"))
	}
	n.mu.Unlock()
	refused := failed(os.NewSyscallError("connect", syscall.ECONNREFUSED))
	if l == nil {
		return nil, refused
	}
	caller, accepted := newPair(local, remote, n.buffer())
	if !l.offer(accepted) {
		return nil, refused
	}
	return caller, nil
}

func (n *Network) listen(_ context.Context, a parley.Addr, _ *parley.Config) (net.Listener, error) {
	if _, ok := a.Params["from"]; ok {
		return nil, fmt.Errorf("param from is for calling")
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	name := a.Target
	if name == "" {
		name = n.freeName("free")
	}
	if n.listeners[name] != nil {
		return nil, &net.OpError{Op: "listen", Net: "mem", Addr: memAddr(name), Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}
	}
	if n.listeners == nil {
		n.listeners = map[string]*listener{}
	}
	l := newListener(n, memAddr(name))
	n.listeners[name] = l
	return l, nil
}

// freeName makes up a name that nobody listens on. It needs the lock.
func (n *Network) freeName(kind string) string {
	for {
		n.named++
		name := fmt.Sprintf("%s-%d", kind, n.named)
		if n.listeners[name] == nil {
			return name
		}
	}
}

// forget frees the name of l.
func (n *Network) forget(l *listener) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.listeners, l.addr.String())
}

func (n *Network) buffer() int {
	if n.Buffer <= 0 {
		return DefaultBuffer
	}
	return n.Buffer
}

// A memAddr is a name on a Network.
type memAddr string

func (a memAddr) Network() string { return "mem" }
func (a memAddr) String() string  { return string(a) }
