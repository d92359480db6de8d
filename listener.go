package parley

import (
	"context"
	"errors"
	"iter"
	"net"
	"time"

	"parley/internal/sock"
)

// A Listener takes callers: a net.Listener whose Accept returns *Conn.
type Listener struct {
	nl     net.Listener
	cfg    *Config
	scheme string
}

// Accept waits for the next caller. The dynamic type of what it returns is *Conn.
func (l *Listener) Accept() (net.Conn, error) {
	nc, err := l.nl.Accept()
	if err != nil {
		return nil, l.fail(err)
	}
	return newConn(nc, l.cfg), nil
}

// Close stops listening. Conversations already accepted go on.
func (l *Listener) Close() error { return l.nl.Close() }

// Addr returns where it listens, with the port it got if 0 was asked for.
func (l *Listener) Addr() net.Addr { return l.nl.Addr() }

// Address returns an address that reaches this listener from the same machine, by [Dial] or by the program's call. It
// has the pin of a TLS certificate that was made for the occasion.
func (l *Listener) Address() string {
	scheme := l.scheme
	if s, ok := l.nl.(interface{ Scheme() string }); ok {
		scheme = s.Scheme() // one that was listened on by another name
	}
	address := sock.Callable(scheme, l.Addr())
	if p, ok := l.nl.(interface{ Pin() string }); ok && p.Pin() != "" {
		address += "?pin=" + p.Pin()
	}
	return address
}

// Reload reads the certificate of a TLS address anew, from the files that the address named. If they cannot be used, what
// was read before stays, and the error says why. Other listeners have nothing to read.
func (l *Listener) Reload() error {
	r, ok := l.nl.(interface{ Reload() error })
	if !ok {
		return nil
	}
	if err := r.Reload(); err != nil {
		return &Error{"listen", l.Addr().String(), err}
	}
	return nil
}

// Conns returns the callers, until ctx ends or the listener is closed; neither is an error. When the system is short of
// descriptors or memory it waits, from 5 ms to 1 s, and tries again: Config.Observe hears AcceptFailed. Any other
// failure is the last thing it yields. Each conversation is the loop's to close.
func (l *Listener) Conns(ctx context.Context) iter.Seq2[*Conn, error] {
	return func(yield func(*Conn, error) bool) { l.eachConn(ctx, l.cfg.observe, yield) }
}

func (l *Listener) eachConn(ctx context.Context, observe func(Event), yield func(*Conn, error) bool) {
	shortage := func(err error, retry time.Duration) {
		observe(Event{Kind: AcceptFailed, Addr: l.Addr(), Err: err, Retry: retry})
	}
	for {
		nc, err := sock.AcceptPatiently(ctx, l.nl, shortage)
		switch {
		case ctx.Err() != nil || errors.Is(err, net.ErrClosed):
			if err == nil {
				nc.Close()
			}
			return
		case err != nil:
			yield(nil, l.fail(err))
			return
		}
		if !yield(newConn(nc, l.cfg), nil) {
			return
		}
	}
}

func (l *Listener) fail(err error) error {
	return &Error{"accept", l.Addr().String(), err}
}
