// Package systemd has the scheme systemd: addresses of sockets that systemd has opened and handed over to this process
// (socket activation, sd_listen_fds(3)), and tells systemd how this process is doing (sd_notify(3)). Importing it registers
// the scheme.
//
// A socket is addressed by its name, which is FileDescriptorName= in its unit, or else the unit's name:
//
//	systemd:web.socket
//	systemd:3            the first socket, by the number of its descriptor
//	systemd:             the only one
//
// Each can be taken once. Several sockets may have one name, as those of one unit mostly do; each use of the name takes the
// next of them, in the order of the unit's lines. A unit with Accept=yes starts a process for each caller, which has no
// use for this.
package systemd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"parley"
	"parley/internal/sock"
)

func init() {
	parley.Register(parley.Scheme{
		Name: "systemd", Syntax: "NAME or NUMBER, or nothing for the only one",
		Summary: "a socket that systemd has opened, to listen on", Params: params,
		Listen: listen, ListenPacket: listenPacket,
	})
}

// params are those of sockets for datagrams.
var params = senderParams()

func senderParams() (own []parley.Param) {
	for _, p := range sock.DatagramParams {
		if p.Name == "idle" || p.Name == "senders" || p.Name == "eof" {
			own = append(own, p)
		}
	}
	return own
}

// listen takes the callers of a stream socket, or the senders of a datagram socket.
func listen(_ context.Context, a parley.Addr, cfg *parley.Config) (net.Listener, error) {
	s, err := take(a.Target)
	if err != nil {
		return nil, err
	}
	defer s.file.Close()
	kind, err := kindOf(s.fd)
	switch {
	case err != nil:
		return nil, s.named(err)
	case kind == datagrams:
		return s.senders(a, cfg)
	case len(a.Params) > 0:
		return nil, sock.Mistake("%s is no socket for datagrams, and the params of systemd addresses are for those", s)
	}
	nl, err := net.FileListener(s.file)
	if err != nil {
		return nil, s.named(err)
	}
	plain, ok := nl.(deadlineListener)
	if !ok {
		nl.Close()
		return nil, s.named(errors.ErrUnsupported)
	}
	return &callers{plain}, nil
}

func (s *socket) senders(a parley.Addr, cfg *parley.Config) (net.Listener, error) {
	pc, err := net.FilePacketConn(s.file)
	if err != nil {
		return nil, s.named(err)
	}
	nl, err := sock.ListenSenders(pc, a.Params, dropped(cfg))
	if err != nil {
		pc.Close()
		return nil, err
	}
	if l, ok := nl.(contextListener); ok {
		return &senders{l}, nil
	}
	return nl, nil
}

// dropped tells the observer of datagrams that were thrown away.
func dropped(cfg *parley.Config) func(from net.Addr, err error) {
	if cfg.Observe == nil {
		return nil
	}
	return func(from net.Addr, err error) {
		cfg.Observe(parley.Event{Kind: parley.Dropped, Time: time.Now(), Addr: from, Err: err})
	}
}

func listenPacket(_ context.Context, a parley.Addr, _ *parley.Config) (net.PacketConn, error) {
	if len(a.Params) > 0 {
		return nil, sock.Mistake("params are for listening with a conversation for each sender")
	}
	s, err := take(a.Target)
	if err != nil {
		return nil, err
	}
	defer s.file.Close()
	if kind, err := kindOf(s.fd); err != nil {
		return nil, s.named(err)
	} else if kind != datagrams {
		return nil, s.named(fmt.Errorf("it carries no datagrams: %w", errors.ErrUnsupported))
	}
	pc, err := net.FilePacketConn(s.file)
	if err != nil {
		return nil, s.named(err)
	}
	return pc, nil
}

func (s *socket) named(err error) error { return fmt.Errorf("%s: %w", s, err) }

type deadlineListener interface {
	net.Listener
	SetDeadline(time.Time) error
}

type contextListener interface {
	net.Listener
	AcceptContext(context.Context) (net.Conn, error)
}

// callers and senders know by which scheme they can be called, as nobody can call a systemd address.
type (
	callers struct{ deadlineListener }
	senders struct{ contextListener }
)

// Scheme returns the scheme to call by.
func (l *callers) Scheme() string { return schemeOf(l.Addr()) }

// Scheme returns the scheme to call by.
func (l *senders) Scheme() string { return schemeOf(l.Addr()) }

func schemeOf(a net.Addr) string {
	switch a.(type) {
	case *net.TCPAddr:
		return "tcp"
	case *net.UDPAddr:
		return "udp"
	case *net.UnixAddr:
		return "unix"
	}
	return "systemd"
}

// A kind is how a socket is listened on.
type kind int

const (
	streams   kind = iota + 1 // seqpackets too
	datagrams                 // without callers to accept
)

// socket is one that was handed over.
type socket struct {
	file  *os.File
	fd    int
	name  string
	taken bool
}

func (s *socket) String() string { return fmt.Sprintf("socket %d (%s)", s.fd, s.name) }
