package parley

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"syscall"

	"parley/frame"
	"parley/internal/idle"
	"parley/internal/inbox"
	"parley/internal/mutex"
	"parley/internal/sock"
	"parley/internal/sys"
)

// A Conn is one end of a conversation: a net.Conn with half-close, frames and turns. Its methods may be called from any
// goroutine. Read, Receive, Frames and Ask take from one buffer, so they may be mixed.
type Conn struct {
	nc        net.Conn
	cfg       *Config
	say, hear frame.Format
	raw       syscall.RawConn // nil: nc is read and written in the ordinary way
	held      context.Context // of the Server that holds the conversation, if one does

	reading mutex.Mutex // guards the fields down to askLost
	in      inbox.Inbox
	plain   *plain             // nil on a socket of the system
	into    []byte             // where reader puts what comes, if not into the inbox
	ready   func(uintptr) bool // see reader
	readErr error              // of reader
	failed  error              // why no more frames can be heard
	asking  bool               // an Ask waits for its reply
	looked  int                // see lastLook
	askLost bool               // an Ask failed

	sendLost bool // a Send stopped in the middle of a frame, guarded by writing
	writing  mutex.Mutex

	deadlines sock.Deadlines
	reason    atomic.Pointer[error] // why it was closed, if not by Close
	broken    atomic.Pointer[error] // why it broke; the kernel tells that once
	ending    atomic.Bool           // a Server wants it to end between two frames
	outlasts  atomic.Bool           // which does not concern it
	closed    atomic.Bool
	saidEnd   atomic.Bool
	ended     atomic.Bool // the other end has ended

	said, heard  atomic.Int64  // bytes
	part         atomic.Int32  // bytes of an unfinished frame, while rwait is set
	rwait, wwait atomic.Int64  // since when a read, a write waits; Unix ns, 0 for not at all
	silence      *idle.Silence // of the Server that holds the conversation, if it has a limit for idle ones
}

// NewConn makes a conversation of nc, which is then the Conn's to close. A nil cfg means the zero Config.
func NewConn(nc net.Conn, cfg *Config) *Conn {
	if cfg == nil {
		cfg = new(Config)
	}
	return newConn(nc, cfg.clone())
}

// newConn is NewConn for a cfg that nobody changes any more.
func newConn(nc net.Conn, cfg *Config) *Conn {
	c := &Conn{nc: nc, cfg: cfg}
	c.say, c.hear = cfg.formats(sock.KeepsEdges(nc.LocalAddr()))
	if c.raw = rawOf(nc); c.raw != nil {
		c.ready = c.reader()
	} else {
		c.plain = &plain{edges: sock.KeepsEdges(nc.LocalAddr())}
	}
	cfg.observe(Event{Kind: Opened, Conn: c, Addr: nc.RemoteAddr()})
	return c
}

// rawOf returns the way to wait for nc without holding a buffer, nil if there is none. Only types known to add nothing of
// their own to Read and Write qualify.
func rawOf(nc net.Conn) (raw syscall.RawConn) {
	if !sys.CanRead || sock.KeepsEdges(nc.LocalAddr()) {
		return nil
	}
	switch nc := nc.(type) {
	case *net.TCPConn:
		raw, _ = nc.SyscallConn()
	case *net.UnixConn:
		raw, _ = nc.SyscallConn()
	}
	return raw
}

// KeepsEdges reports whether the transport keeps the edges of what is said, as datagrams do: each Write is then heard as
// one piece or not at all.
func (c *Conn) KeepsEdges() bool { return c.plain != nil && c.plain.edges }

// NetConn returns what the Conn was made of, a *net.TCPConn or *tls.Conn for example. Reading from it loses what the
// Conn has buffered, and writing to it may break into a frame. The handshake of an accepted TLS conversation comes with the
// first Read or Write; who must see the other end's certificate before calls HandshakeContext on the *tls.Conn.
func (c *Conn) NetConn() net.Conn {
	if tc, ok := c.nc.(*sock.TLSConn); ok {
		return tc.Conn
	}
	return c.nc
}

// Close ends the conversation at once, both ways. What was said and not yet taken may be lost: say the end by
// CloseWrite, hear the other's, and call [Conn.WaitTaken] where that matters.
func (c *Conn) Close() error { return c.closeFor(nil) }

// closeFor closes; calls that were waiting return reason, if there is one.
func (c *Conn) closeFor(reason error) error {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	if reason != nil {
		c.reason.Store(&reason)
	}
	err := c.nc.Close()
	c.cfg.observe(Event{Kind: Closed, Conn: c, Addr: c.RemoteAddr(), Err: reason})
	return err
}

// CloseWrite says the end: FIN, a TLS close_notify, or an empty datagram where the address has eof=empty. The
// conversation can still be heard. Once said it is said: a second call does nothing. errors.ErrUnsupported means that the
// transport has no half-close.
func (c *Conn) CloseWrite() error {
	if c.saidEnd.Load() && !c.closed.Load() {
		return nil // the kernel would say "not connected" if the other end has ended too
	}
	half, ok := c.nc.(interface{ CloseWrite() error })
	if !ok || c.network() == "unixgram" { // which has the system call, but nobody hears it
		return &Error{"send", c.peer(), fmt.Errorf("no half-close on %s: %w", c.network(), errors.ErrUnsupported)}
	}
	if err := half.CloseWrite(); err != nil {
		return c.fail("send", err)
	}
	if !c.saidEnd.Swap(true) {
		c.cfg.observe(Event{Kind: SaidEnd, Conn: c, Addr: c.RemoteAddr()})
	}
	return nil
}

// LocalAddr returns this end's address.
func (c *Conn) LocalAddr() net.Addr { return c.nc.LocalAddr() }

// RemoteAddr returns the other end's address.
func (c *Conn) RemoteAddr() net.Addr { return c.nc.RemoteAddr() }

// RemoteHost returns the other end's IP address, or its path on a Unix socket; empty if it has none.
func (c *Conn) RemoteHost() string { host, _ := sock.HostPort(c.RemoteAddr()); return host }

// RemotePort returns the other end's port, 0 if it has none.
func (c *Conn) RemotePort() int { _, port := sock.HostPort(c.RemoteAddr()); return port }

// LocalHost returns this end's IP address, or its path on a Unix socket; empty if it has none.
func (c *Conn) LocalHost() string { host, _ := sock.HostPort(c.LocalAddr()); return host }

// LocalPort returns this end's port, 0 if it has none.
func (c *Conn) LocalPort() int { _, port := sock.HostPort(c.LocalAddr()); return port }

// peer names the other end in errors.
func (c *Conn) peer() string {
	if c.RemoteHost() != "" {
		return c.RemoteAddr().String()
	}
	return c.network() + " caller"
}

func (c *Conn) network() string {
	if a := c.LocalAddr(); a != nil {
		return a.Network()
	}
	return "this conversation"
}

// fail names the operation and the other end, and the reason if the conversation was closed for one. nil, io.EOF and
// errors already named stay as they are.
func (c *Conn) fail(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	err = c.closedWhy(err)
	var named *Error
	if errors.As(err, &named) {
		return err
	}
	return &Error{op, c.peer(), err}
}

// closedWhy returns the reason instead of net.ErrClosed, if the conversation was closed for one.
func (c *Conn) closedWhy(err error) error {
	if reason := c.reason.Load(); reason != nil && errors.Is(err, net.ErrClosed) {
		return *reason
	}
	return err
}
