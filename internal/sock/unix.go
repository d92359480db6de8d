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
	"sync"
	"syscall"

	"parley/internal/sys"
)

// UnixKinds names package net's networks as the param type does.
var UnixKinds = map[string]string{"unix": "stream", "unixgram": "datagram", "unixpacket": "seqpacket"}

// unixNetwork reads the param type.
func (p Params) unixNetwork(path string) (string, error) {
	if err := p.onlyForConversations(); err != nil {
		return "", err
	}
	if path == "" {
		return "", Mistake("empty path; write /path, ./path or @name")
	}
	if most := len(syscall.RawSockaddrUnix{}.Path) - 1; len(path) > most {
		return "", Mistake("the path of a Unix socket has at most %d bytes, and this has %d; change to its directory and write ./name", most, len(path))
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
	from, named := p["from"]
	switch {
	case named:
		d.LocalAddr = &net.UnixAddr{Net: network, Name: from}
	case network == "unixgram":
		d.Control = autobound(control)
	}
	nc, err := d.DialContext(ctx, network, path)
	if err == nil && isFile(from) {
		return &unixCaller{nc.(*net.UnixConn), unixFile{path: from}}, nil
	}
	if boundInVain(err) && isFile(from) {
		_ = os.Remove(from)
	}
	if sys.WrongType.Is(err) {
		return nil, fmt.Errorf("%w: the socket there is of another type; add ?type=datagram, seqpacket or stream", err)
	}
	return nc, err
}

// boundInVain reports whether err came after the socket had got its own name.
func boundInVain(err error) bool {
	var call *os.SyscallError
	return errors.As(err, &call) && call.Syscall == "connect"
}

// isFile reports whether a socket named path has a file.
func isFile(path string) bool { return path != "" && !strings.HasPrefix(path, "@") }

// A unixFile is the file of a socket, which package net removes for listeners only.
type unixFile struct {
	path string
	once sync.Once
}

// remove is called before the socket is closed, as in package net: later the file may be somebody else's.
func (f *unixFile) remove() {
	if isFile(f.path) {
		f.once.Do(func() { _ = os.Remove(f.path) })
	}
}

// A unixCaller has a file of its own, by which it is answered, and removes it when it is closed.
type unixCaller struct {
	*net.UnixConn
	file unixFile
}

func (u *unixCaller) Close() error {
	u.file.remove()
	return u.UnixConn.Close()
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
	return &unixPackets{pc.(*net.UnixConn), unixFile{path: path}}, nil
}

// A unixPackets removes its file when it is closed, as net.UnixListener does.
type unixPackets struct {
	*net.UnixConn
	file unixFile
}

func (u *unixPackets) Close() error {
	u.file.remove()
	return u.UnixConn.Close()
}

// listenPath listens by one, again if the path was held by a socket that nobody listens on any more.
func listenPath[L io.Closer](path string, p Params, network string, one func(*net.ListenConfig) (L, error)) (l L, err error) {
	lc, err := p.listenConfig()
	if err != nil {
		return l, err
	}
	mode, given, err := p.mode(path)
	if err != nil {
		return l, err
	}
	if given {
		lc.Control = withMode(lc.Control, mode)
	}
	l, err = one(lc)
	if sys.InUse.Is(err) && isFile(path) {
		if err := removeStale(network, path); err != nil {
			return l, err
		}
		l, err = one(lc)
	}
	if err != nil {
		return l, err
	}
	if !given {
		return l, nil
	}
	if err := os.Chmod(path, mode); err != nil {
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
		return inUse(path)
	}
	if !sys.Refused.Is(err) {
		return err
	}
	return removeSame(path, info)
}

// removeSame removes the file at path if it is still the one that info tells of. A number of a file may be given again at
// once, but not its time too.
func removeSame(path string, info fs.FileInfo) error {
	now, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !os.SameFile(info, now) || !info.ModTime().Equal(now.ModTime()):
		return inUse(path)
	}
	return os.Remove(path)
}

func inUse(path string) error {
	return fmt.Errorf("somebody listens on %s already: %w", path, sys.InUse[0])
}

// mode reads the param mode: the permissions of the socket's file at path.
func (p Params) mode(path string) (mode fs.FileMode, given bool, err error) {
	text, given := p["mode"]
	if !given {
		return 0, false, nil
	}
	n, err := strconv.ParseUint(text, 8, 32)
	if err != nil || n > 0o777 {
		return 0, true, Mistake("param mode=%s: not an octal number such as 600", text)
	}
	if !isFile(path) {
		return 0, true, Mistake("param mode=%s: %s has no file, and so no permissions", text, path)
	}
	return fs.FileMode(n), true, nil
}

// withMode has the file made with no more than the permissions of mode: between listen and chmod a stranger could call.
// What the umask takes away, chmod adds; and it does all where the system cannot do this.
func withMode(control controlFunc, mode fs.FileMode) controlFunc {
	return func(network, address string, c syscall.RawConn) error {
		if err := control(network, address, c); err != nil {
			return err
		}
		var failed error
		err := c.Control(func(fd uintptr) { failed = sys.SetMode(fd, mode) })
		return errors.Join(err, failed)
	}
}
