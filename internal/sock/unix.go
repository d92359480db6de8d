package sock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"parley/internal/sys"
)

// UnixKinds names package net's networks as the param type does.
var UnixKinds = map[string]string{"unix": "stream", "unixgram": "datagram", "unixpacket": "seqpacket"}

// unixNetwork reads the param type.
func (p Params) unixNetwork(path string) (string, error) {
	if path == "" {
		return "", Mistake("empty path; write /path, ./path or @name")
	}
	kind, ok := p["type"]
	if !ok {
		return "unix", nil
	}
	for network, k := range UnixKinds {
		if k == kind {
			return network, nil
		}
	}
	return "", Mistake("param type=%s: there are stream, datagram and seqpacket", kind)
}

// DialUnix calls the socket at path.
func DialUnix(ctx context.Context, path string, p Params) (net.Conn, error) {
	network, err := p.unixNetwork(path)
	if err != nil {
		return nil, err
	}
	control, err := p.control()
	if err != nil {
		return nil, err
	}
	d := &net.Dialer{Control: control}
	switch from, ok := p["from"]; {
	case ok:
		d.LocalAddr = &net.UnixAddr{Net: network, Name: from}
	case network == "unixgram":
		d.Control = autobound(control)
	}
	nc, err := d.DialContext(ctx, network, path)
	if errors.Is(err, syscall.EPROTOTYPE) {
		return nil, fmt.Errorf("%w: the socket there is of another type; add ?type=datagram, seqpacket or stream", err)
	}
	return nc, err
}

type controlFunc = func(network, address string, c syscall.RawConn) error

// autobound gives a datagram socket a name of its own, without which nobody could answer it. Where the system makes none,
// it stays nameless.
func autobound(control controlFunc) controlFunc {
	return func(network, address string, c syscall.RawConn) error {
		if err := control(network, address, c); err != nil {
			return err
		}
		var failed error
		err := c.Control(func(fd uintptr) { failed = sys.Autobind(fd) })
		if errors.Is(failed, errors.ErrUnsupported) {
			failed = nil
		}
		return errors.Join(err, failed)
	}
}

// ListenUnix takes callers at path.
func ListenUnix(ctx context.Context, path string, p Params) (net.Listener, error) {
	network, err := p.unixNetwork(path)
	if err != nil {
		return nil, err
	}
	if network == "unixgram" {
		return nil, fmt.Errorf("type=datagram has no callers to accept: %w", errors.ErrUnsupported)
	}
	return listenPath(path, p, network, func(lc *net.ListenConfig) (net.Listener, error) {
		return lc.Listen(ctx, network, path)
	})
}

// ListenUnixPacket hears datagrams at path.
func ListenUnixPacket(ctx context.Context, path string, p Params) (net.PacketConn, error) {
	network, err := p.unixNetwork(path)
	if err != nil {
		return nil, err
	}
	if network != "unixgram" {
		return nil, fmt.Errorf("add ?type=datagram: a %s socket carries no datagrams: %w", UnixKinds[network], errors.ErrUnsupported)
	}
	pc, err := listenPath(path, p, network, func(lc *net.ListenConfig) (net.PacketConn, error) {
		return lc.ListenPacket(ctx, network, path)
	})
	if err != nil {
		return nil, err
	}
	return &unixPackets{pc.(*net.UnixConn)}, nil
}

// A unixPackets removes its file when it is closed, as net.UnixListener does.
type unixPackets struct{ *net.UnixConn }

func (u *unixPackets) Close() error {
	err := u.UnixConn.Close()
	if path := u.LocalAddr().String(); err == nil && !strings.HasPrefix(path, "@") {
		_ = os.Remove(path)
	}
	return err
}

// listenPath listens by one, again if the path was held by a socket that nobody listens on any more.
func listenPath[L io.Closer](path string, p Params, network string, one func(*net.ListenConfig) (L, error)) (l L, err error) {
	lc, err := p.listenConfig()
	if err != nil {
		return l, err
	}
	l, err = one(lc)
	if errors.Is(err, syscall.EADDRINUSE) && !strings.HasPrefix(path, "@") {
		if err := removeStale(network, path); err != nil {
			return l, err
		}
		l, err = one(lc)
	}
	if err != nil {
		return l, err
	}
	if err := p.chmod(path); err != nil {
		l.Close()
		return l, err
	}
	return l, nil
}

// removeStale removes a socket file that nobody listens on, left by a program that died. Anything else stays.
func removeStale(network, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is there and is no socket; choose another path, or remove it", path)
	}
	nc, err := net.Dial(network, path)
	if err == nil {
		nc.Close()
		return fmt.Errorf("somebody listens on %s already: %w", path, syscall.EADDRINUSE)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}

func (p Params) chmod(path string) error {
	text, ok := p["mode"]
	if !ok {
		return nil
	}
	mode, err := strconv.ParseUint(text, 8, 32)
	if err != nil || mode > 0o777 {
		return Mistake("param mode=%s: not an octal number such as 600", text)
	}
	return os.Chmod(path, fs.FileMode(mode))
}
