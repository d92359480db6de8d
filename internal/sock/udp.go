package sock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// DialUDP calls target over network: udp, udp4 or udp6.
func DialUDP(ctx context.Context, network, target string, p Params) (net.Conn, error) {
	if err := p.onlyForConversations(); err != nil {
		return nil, err
	}
	emptyEnds, err := p.emptyEnds()
	if err != nil {
		return nil, err
	}
	nc, err := dial(ctx, network, target, p)
	if err != nil || !emptyEnds {
		return nc, err
	}
	return emptyEnd{nc.(*net.UDPConn)}, nil
}

// emptyEnds reads the param eof.
func (p Params) emptyEnds() (bool, error) {
	switch how, ok := p["eof"]; {
	case !ok:
		return false, nil
	case how == "empty":
		return true, nil
	default:
		return false, Mistake("param eof=%s: there is only eof=empty, an empty datagram for the end", how)
	}
}

// An emptyEnd says and hears the end of a conversation as an empty datagram, for UDP has no other.
type emptyEnd struct{ *net.UDPConn }

func (c emptyEnd) Read(p []byte) (int, error) {
	n, err := c.UDPConn.Read(p)
	if n == 0 && err == nil && len(p) > 0 {
		err = io.EOF
	}
	return n, err
}

// Write refuses to say the end by accident.
func (c emptyEnd) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, &net.OpError{Op: "write", Net: "udp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: errEmptyIsEnd}
	}
	return c.UDPConn.Write(p)
}

var errEmptyIsEnd = errors.New("an empty datagram is the end with eof=empty; call CloseWrite to say it, or leave eof away")

func (c emptyEnd) CloseWrite() error {
	_, err := c.UDPConn.Write(nil)
	return err
}

// ListenUDP hears datagrams on target over network: udp, udp4 or udp6.
func ListenUDP(ctx context.Context, network, target string, p Params) (net.PacketConn, error) {
	if _, ok := p["eof"]; ok {
		return nil, Mistake("param eof is for calling, and for a listener with a conversation for each sender: datagrams of anybody have no end")
	}
	if err := p.onlyForConversations(); err != nil {
		return nil, err
	}
	legs, err := openUDP(ctx, network, target, p)
	if err != nil {
		return nil, err
	}
	return joinPackets(legs), nil
}

// openUDP opens the sockets of target: two for "this machine only".
func openUDP(ctx context.Context, network, target string, p Params) ([]*udpLeg, error) {
	hp, err := parseHostPort(ctx, network, target)
	if err != nil {
		return nil, err
	}
	lc, err := p.listenConfig()
	if err != nil {
		return nil, err
	}
	one := func(hp hostPort) (*udpLeg, error) {
		pc, err := lc.ListenPacket(ctx, network, hp.String())
		if err != nil {
			return nil, busy(err, "udp", hp.port)
		}
		return &udpLeg{UDPConn: pc.(*net.UDPConn)}, nil
	}
	if hp.kind == local {
		return listenLocal(hp, network, one)
	}
	leg, err := one(hp)
	if err != nil {
		return nil, err
	}
	return []*udpLeg{leg}, nil
}

// A udpLeg is one family's half of "this machine only".
type udpLeg struct {
	*net.UDPConn
	memory []byte
}

func (l *udpLeg) Addr() net.Addr { return l.LocalAddr() }

type datagram struct {
	data []byte
	from net.Addr
}

func (l *udpLeg) next() (datagram, error) {
	n, from, err := l.ReadFrom(l.memory)
	return datagram{append([]byte(nil), l.memory[:n]...), from}, err
}

// A joinedPackets is one net.PacketConn with several legs. It is waited on under a context, and has no deadlines.
type joinedPackets struct {
	*udpLeg // the first: for LocalAddr and the like
	legs    []*udpLeg
	all     *joined[datagram]
}

func joinPackets(legs []*udpLeg) net.PacketConn {
	if len(legs) == 1 {
		return legs[0].UDPConn
	}
	j := &joinedPackets{legs[0], legs, newJoined[datagram]()}
	for _, leg := range legs {
		leg.memory = make([]byte, MaxDatagram(leg.LocalAddr()))
		j.all.add(leg.next)
	}
	return j
}

// ReadFromContext is ReadFrom with a context; see ReadFrom.
func (j *joinedPackets) ReadFromContext(ctx context.Context, p []byte) (int, net.Addr, error) {
	d, err := j.all.next(ctx)
	return copy(p, d.data), d.from, err
}

func (j *joinedPackets) ReadFrom(p []byte) (int, net.Addr, error) {
	return j.ReadFromContext(context.Background(), p)
}

// WriteTo says p by the leg of to's family.
func (j *joinedPackets) WriteTo(p []byte, to net.Addr) (int, error) {
	u, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, fmt.Errorf("%v is no UDP address", to)
	}
	for _, leg := range j.legs {
		own := leg.LocalAddr().(*net.UDPAddr)
		if (own.IP.To4() == nil) == (u.IP.To4() == nil) {
			return leg.WriteTo(p, to)
		}
	}
	return 0, fmt.Errorf("no way to %v: %w", to, errors.ErrUnsupported)
}

func (j *joinedPackets) SetReadDeadline(time.Time) error { return errors.ErrUnsupported }
func (j *joinedPackets) SetDeadline(time.Time) error     { return errors.ErrUnsupported }

func (j *joinedPackets) Close() error {
	var errs []error
	for _, leg := range j.legs {
		errs = append(errs, leg.UDPConn.Close())
	}
	j.all.close()
	return errors.Join(errs...)
}
