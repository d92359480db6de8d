package sock

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"

	"parley/internal/sys"
)

// Params are what an address says after its target, by name.
type Params map[string]string

// early are the params set on a socket before it is bound or connected.
var early = map[string]sys.Option{
	"reuse": sys.ReuseAddr, "reuseport": sys.ReusePort, "broadcast": sys.Broadcast, "ttl": sys.TTL, "tos": sys.TOS,
	"rcvbuf": sys.RecvBuffer, "sndbuf": sys.SendBuffer, "ipv6only": sys.V6Only,
}

// control returns a hook for net.Dialer and net.ListenConfig that sets the early params of p.
func (p Params) control() (func(network, address string, c syscall.RawConn) error, error) {
	options := map[sys.Option]int{}
	for name, o := range early {
		text, ok := p[name]
		if !ok {
			continue
		}
		n, err := number(name, text)
		if err != nil {
			return nil, err
		}
		options[o] = n
	}
	device := p["interface"]
	return func(network, _ string, c syscall.RawConn) error {
		var failed error
		set := func(fd uintptr) { failed = setEarly(fd, familyOf(network), options, device) }
		if err := c.Control(set); err != nil {
			return err
		}
		return failed
	}, nil
}

func setEarly(fd uintptr, family int, options map[sys.Option]int, device string) error {
	for o, n := range options {
		if o == sys.V6Only && family != syscall.AF_INET6 {
			continue
		}
		if err := sys.SetOption(fd, family, o, n); err != nil {
			return err
		}
	}
	if device == "" {
		return nil
	}
	return sys.BindToInterface(fd, device)
}

func familyOf(network string) int {
	switch {
	case strings.HasSuffix(network, "6"):
		return syscall.AF_INET6
	case strings.HasSuffix(network, "4"):
		return syscall.AF_INET
	}
	return syscall.AF_UNIX
}

// tuning is what the late params ask for, of every conversation dialled or accepted.
type tuning struct {
	noDelay   *bool
	keepAlive *time.Duration
	linger    *int
}

func (p Params) tuning() (t tuning, err error) {
	if text, ok := p["nodelay"]; ok {
		n, err := number("nodelay", text)
		if err != nil {
			return t, err
		}
		on := n != 0
		t.noDelay = &on
	}
	if text, ok := p["keepalive"]; ok {
		n, err := number("keepalive", text)
		if err != nil {
			return t, err
		}
		every := time.Duration(n) * time.Second
		t.keepAlive = &every
	}
	if text, ok := p["linger"]; ok {
		n, err := number("linger", text)
		if err != nil {
			return t, err
		}
		t.linger = &n
	}
	return t, nil
}

func (t tuning) apply(nc *net.TCPConn) error {
	if t.noDelay != nil {
		if err := nc.SetNoDelay(*t.noDelay); err != nil {
			return err
		}
	}
	if t.keepAlive != nil {
		on := *t.keepAlive > 0
		if err := nc.SetKeepAliveConfig(net.KeepAliveConfig{Enable: on, Idle: *t.keepAlive, Interval: *t.keepAlive}); err != nil {
			return err
		}
	}
	if t.linger != nil {
		return nc.SetLinger(*t.linger)
	}
	return nil
}

// number reads a number or a yes or no; no value at all is a yes.
func number(param, text string) (int, error) {
	switch strings.ToLower(text) {
	case "", "yes", "true", "on":
		return 1, nil
	case "no", "false", "off":
		return 0, nil
	}
	n, err := strconv.Atoi(strings.TrimSuffix(text, "s"))
	if err != nil || n < 0 {
		return 0, Mistake("param %s=%s: not a number of 0 or more, nor yes or no", param, text)
	}
	return n, nil
}

// dialer returns a net.Dialer that does as the params say.
func (p Params) dialer(ctx context.Context, network string) (*net.Dialer, error) {
	control, err := p.control()
	if err != nil {
		return nil, err
	}
	d := &net.Dialer{Control: control}
	from, ok := p["from"]
	if !ok {
		return d, nil
	}
	hp, err := parseFrom(ctx, network, from)
	if err != nil {
		return nil, fmt.Errorf("param from=%s: %w", from, err)
	}
	if strings.HasPrefix(network, "udp") {
		d.LocalAddr, err = net.ResolveUDPAddr(network, hp)
	} else {
		d.LocalAddr, err = net.ResolveTCPAddr(network, hp)
	}
	return d, err
}

// parseFrom reads the local end: a host, host:port or :port.
func parseFrom(ctx context.Context, network, from string) (string, error) {
	if ip := net.ParseIP(from); ip != nil {
		return net.JoinHostPort(from, "0"), nil
	}
	hp, err := parseHostPort(ctx, network, from)
	return hp.String(), err
}

// listenConfig returns a net.ListenConfig that does as the params say.
func (p Params) listenConfig() (*net.ListenConfig, error) {
	control, err := p.control()
	return &net.ListenConfig{Control: control}, err
}
