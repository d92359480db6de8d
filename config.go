package parley

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"parley/frame"
	"parley/internal/sock"
)

// DefaultMaxFrame is the limit that a zero Config.MaxFrame means, in bytes on the wire: 1 MiB.
const DefaultMaxFrame = 1 << 20

// A Config says how conversations are opened, at either end. Its zero value is ready to use. It is copied when a
// conversation or listener is made, and never changed.
type Config struct {
	Frame     frame.Format  // how frames end; nil means frame.Line(), or frame.Packet() where the transport keeps edges
	HearFrame frame.Format  // how heard frames end, where it differs from Frame; nil means as Frame
	MaxFrame  int           // bytes in one heard frame, end mark included; 0 means DefaultMaxFrame, negative no limit
	Timeout   time.Duration // for each dial and handshake; 0 means only the context limits a dial, and an accepted handshake 10 s; negative: no limit
	TLS       *tls.Config   // for tls addresses, under what their params say; cloned before use
	Schemes   []Scheme      // if not nil, the only schemes allowed; nil means those registered
	Observe   func(Event)   // if not nil, called for every event, on the goroutine of the call it happens in: it must not block, nor Send or Receive
}

// Dial calls address and returns the conversation. Every address a host name stands for is tried, both families at
// once (RFC 8305). The error is an *Error.
func (cfg *Config) Dial(ctx context.Context, address string) (*Conn, error) {
	a, s, err := cfg.resolve(address)
	if err == nil && s.Dial == nil {
		err = fmt.Errorf("%s addresses cannot be called: %w", s.Name, errors.ErrUnsupported)
	}
	if err != nil {
		return nil, &Error{"dial", address, err}
	}
	if cfg.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, cfg.Timeout)
		defer cancel()
	}
	own := cfg.clone()
	nc, err := s.Dial(ctx, a, own)
	if err != nil {
		return nil, &Error{"dial", address, err}
	}
	return newConn(nc, own), nil
}

// Listen listens on address. A host-less number listens on this machine only, on both IP families; port 0 takes a free
// port, told by [Listener.Addr]. The error is an *Error.
func (cfg *Config) Listen(ctx context.Context, address string) (*Listener, error) {
	a, s, err := cfg.resolve(address)
	if err == nil && s.Listen == nil {
		err = fmt.Errorf("%s addresses have no callers to accept: %w", s.Name, errors.ErrUnsupported)
	}
	if err != nil {
		return nil, &Error{"listen", address, err}
	}
	own := cfg.clone()
	nl, err := s.Listen(ctx, a, own)
	if err != nil {
		return nil, &Error{"listen", address, err}
	}
	return &Listener{nl: nl, cfg: own, scheme: a.Scheme}, nil
}

// ListenPacket listens on address for datagrams. The error is an *Error.
func (cfg *Config) ListenPacket(ctx context.Context, address string) (*PacketConn, error) {
	a, s, err := cfg.resolve(address)
	if err == nil && s.ListenPacket == nil {
		err = fmt.Errorf("%s addresses carry no datagrams: %w", s.Name, errors.ErrUnsupported)
	}
	if err != nil {
		return nil, &Error{"listen", address, err}
	}
	own := cfg.clone()
	pc, err := s.ListenPacket(ctx, a, own)
	if err != nil {
		return nil, &Error{"listen", address, err}
	}
	return newPacketConn(pc, own, a), nil
}

// resolve parses address, finds its scheme among those allowed, and checks the names of its params.
func (cfg *Config) resolve(address string) (Addr, Scheme, error) {
	schemes := cfg.Schemes
	if schemes == nil {
		schemes = Schemes()
	}
	a, err := parseAddr(address, schemes)
	if err != nil {
		return Addr{}, Scheme{}, err
	}
	s, err := findScheme(schemes, a.Scheme)
	if err != nil {
		return Addr{}, Scheme{}, err
	}
	return a, s, sock.CheckParams(s.Name, s.Params, a.Params)
}

func (cfg *Config) clone() *Config {
	own := *cfg
	if own.TLS != nil {
		own.TLS = own.TLS.Clone()
	}
	return &own
}

// formats returns how frames are said and heard, on a transport that keeps edges or one that does not.
func (cfg *Config) formats(edges bool) (say, hear frame.Format) {
	if cfg.Frame != nil {
		say = cfg.Frame
	} else if edges {
		say = frame.Packet()
	} else {
		say = frame.Line()
	}
	if cfg.HearFrame != nil {
		return say, cfg.HearFrame
	}
	return say, say
}

// maxFrame is the limit in bytes, or 0 for none.
func (cfg *Config) maxFrame() int {
	return max(cmp.Or(cfg.MaxFrame, DefaultMaxFrame), 0)
}
