package sock

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"parley/internal/sys"
)

// DialTCP calls target over network: tcp, tcp4 or tcp6.
func DialTCP(ctx context.Context, network, target string, p Params) (*net.TCPConn, error) {
	t, err := p.tuning()
	if err != nil {
		return nil, err
	}
	nc, err := dial(ctx, network, target, p)
	if err != nil {
		return nil, err
	}
	tc := nc.(*net.TCPConn)
	if err := t.apply(tc); err != nil {
		tc.Close()
		return nil, err
	}
	return tc, nil
}

// dial calls target over network, "tcp" or "udp" with or without a family.
func dial(ctx context.Context, network, target string, p Params) (net.Conn, error) {
	hp, err := parseHostPort(ctx, network, target)
	if err != nil {
		return nil, err
	}
	if hp.port == 0 {
		return nil, Mistake("port 0 can be listened on, not called")
	}
	d, err := p.dialer(ctx, network)
	if err != nil {
		return nil, err
	}
	if hp.kind == named {
		return d.DialContext(ctx, network, hp.String())
	}
	return dialLocal(ctx, d, network, hp)
}

// dialLocal tries the loopback addresses in turn, as a listener may have but one of them. Refusal there takes no time.
func dialLocal(ctx context.Context, d *net.Dialer, network string, hp hostPort) (net.Conn, error) {
	var first error
	for _, host := range loopbackFor(network) {
		hp.host = host
		nc, err := d.DialContext(ctx, network, hp.String())
		if err == nil {
			return nc, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

// loopbackFor returns the loopback addresses of the families that network allows.
func loopbackFor(network string) []string {
	switch {
	case strings.HasSuffix(network, "4"):
		return loopback[:1]
	case strings.HasSuffix(network, "6"):
		return loopback[1:]
	}
	return loopback[:]
}

// ListenTCP listens on target over network: tcp, tcp4 or tcp6.
func ListenTCP(ctx context.Context, network, target string, p Params) (net.Listener, error) {
	t, err := p.tuning()
	if err != nil {
		return nil, err
	}
	hp, err := parseHostPort(ctx, network, target)
	if err != nil {
		return nil, err
	}
	lc, err := p.listenConfig()
	if err != nil {
		return nil, err
	}
	backlog, err := p.backlog()
	if err != nil {
		return nil, err
	}
	one := func(hp hostPort) (*tcpListener, error) {
		nl, err := lc.Listen(ctx, network, hp.String())
		if err != nil {
			return nil, busy(err, "tcp", hp.port)
		}
		tl := &tcpListener{nl.(*net.TCPListener), t}
		if err := tl.setBacklog(backlog); err != nil {
			tl.Close()
			return nil, err
		}
		return tl, nil
	}
	if hp.kind != local {
		return one(hp)
	}
	legs, err := listenLocal(hp, network, one)
	if err != nil {
		return nil, err
	}
	return joinListeners(legs), nil
}

// listenLocal opens the same port on every loopback address of network. IPv6 may be absent from the machine; that the
// port is taken there is an error, or else half of the callers would reach somebody else.
func listenLocal[L interface {
	Addr() net.Addr
	Close() error
}](hp hostPort, network string, one func(hostPort) (L, error)) ([]L, error) {
	anyPort := hp.port == 0
	for try := 0; ; try++ {
		var legs []L
		var err error
		for _, host := range loopbackFor(network) {
			var leg L
			if leg, err = one(hostPort{host: host, port: hp.port}); err != nil {
				break
			}
			legs = append(legs, leg)
			_, hp.port = HostPort(leg.Addr())
		}
		if err == nil || len(legs) > 0 && familyMissing(err) {
			return legs, nil
		}
		for _, leg := range legs {
			leg.Close()
		}
		if !anyPort || try == 20 || !sys.InUse.Is(err) {
			return nil, err
		}
		hp.port = 0
	}
}

// familyMissing reports whether err says that this machine has no such address family.
func familyMissing(err error) bool {
	return sys.NotAvailable.Is(err) || sys.NoFamily.Is(err)
}

// busy adds to "address already in use" who holds the port, if that can be known.
func busy(err error, network string, port int) error {
	var oe *net.OpError
	if !sys.InUse.Is(err) || !errors.As(err, &oe) {
		return err
	}
	if who := sys.PortHolder(network, port); who != "" {
		oe.Err = fmt.Errorf("%w: port %d is held by %s", oe.Err, port, who)
	}
	return err
}

// A tcpListener applies the params of its address to every caller.
type tcpListener struct {
	*net.TCPListener
	tuning tuning
}

func (l *tcpListener) Accept() (net.Conn, error) {
	nc, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	// A caller that has gone already cannot be tuned; the conversation will tell.
	_ = l.tuning.apply(nc)
	return nc, nil
}

// backlog is the param, 0 if it is not given.
func (p Params) backlog() (int, error) {
	if p["backlog"] == "" {
		return 0, nil
	}
	return number("backlog", p["backlog"])
}

func (l *tcpListener) setBacklog(n int) error {
	if n == 0 {
		return nil
	}
	rc, err := l.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := rc.Control(func(fd uintptr) { failed = sys.SetBacklog(fd, n) }); err != nil {
		return err
	}
	return failed
}
