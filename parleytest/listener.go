package parleytest

import (
	"net"
	"os"
	"sync"
	"time"

	"parley"
)

// A listener is a name on a Network where callers wait to be accepted.
type listener struct {
	network *Network
	addr    memAddr

	mu      sync.Mutex
	changed *sync.Cond
	waiting []*conn
	closed  bool
	by      deadline
}

func newListener(n *Network, a memAddr) *listener {
	l := &listener{network: n, addr: a}
	l.changed = sync.NewCond(&l.mu)
	return l
}

// offer puts a caller's other end into the row; false means that nobody listens any more.
func (l *listener) offer(c *conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.waiting = append(l.waiting, c)
	l.changed.Broadcast()
	return true
}

func (l *listener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		switch {
		case l.closed:
			return nil, l.fail(net.ErrClosed)
		case l.by.passed:
			return nil, l.fail(os.ErrDeadlineExceeded)
		case len(l.waiting) > 0:
			c := l.waiting[0]
			l.waiting = l.waiting[1:]
			return c, nil
		}
		l.changed.Wait()
	}
}

// SetDeadline bounds Accept, as that of net.TCPListener does.
func (l *listener) SetDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return l.fail(net.ErrClosed)
	}
	l.by.set(t, l.changed)
	return nil
}

// Close frees the name. Callers that nobody has accepted hear the end.
func (l *listener) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return l.fail(net.ErrClosed)
	}
	l.closed = true
	l.by.set(time.Time{}, l.changed)
	l.changed.Broadcast()
	left := l.waiting
	l.waiting = nil
	l.mu.Unlock()

	l.network.forget(l)
	for _, c := range left {
		c.Close()
	}
	return nil
}

func (l *listener) Addr() net.Addr { return l.addr }

// Address is what to dial; see parley.Listener.Address.
func (l *listener) Address() string {
	return parley.Addr{Scheme: "mem", Target: l.addr.String()}.String()
}

func (l *listener) fail(err error) error {
	return &net.OpError{Op: "accept", Net: "mem", Addr: l.addr, Err: err}
}
