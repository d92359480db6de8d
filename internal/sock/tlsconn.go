package sock

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// A TLSConn is a *tls.Conn that survives deadlines. In crypto/tls a write that times out breaks the conversation for good,
// because part of a record may have gone out; here what is left of the record is owed, and goes out first next time. It
// also tells an end from a cut: an end of the stream without close_notify is io.ErrUnexpectedEOF (RFC 8446, section 6.1).
type TLSConn struct {
	*tls.Conn
	wire             *wire
	handshakeTimeout time.Duration // for the handshake of an accepted conversation; 0 means none
	begin            sync.Once     // of the handshake
	done             chan struct{} // closed when the handshake is over
	handshakeErr     error         // valid when done is closed
	closed           atomic.Bool

	mu              sync.Mutex // guards the rest, and the order of deadlines
	shaken          bool       // the deadlines have been given to the wire
	readAt, writeAt time.Time
	readBy, writeBy limit
}

// Below returns the connection that TLS runs over.
func (c *TLSConn) Below() net.Conn { return c.wire.Conn }

// recordSize is the most one TLS record carries (RFC 8446, section 5.1).
const recordSize = 16 << 10

func newTLSConn(nc net.Conn, config *tls.Config, side func(net.Conn, *tls.Config) *tls.Conn) *TLSConn {
	w := &wire{Conn: nc}
	return &TLSConn{Conn: side(w, config), wire: w, done: make(chan struct{}), readBy: newLimit(), writeBy: newLimit()}
}

// ensureHandshake waits for the handshake that accepting left out, until by. The handshake itself goes on whatever the
// deadlines: half of one cannot be resumed. Only its own timeout and Close end it.
func (c *TLSConn) ensureHandshake(op string, by *limit) error {
	c.begin.Do(func() { go c.shakeAccepted() })
	select {
	case <-by.passed():
		return c.timeout(op)
	default:
	}
	select {
	case <-c.done:
		return c.handshakeErr
	case <-by.passed():
		return c.timeout(op)
	}
}

func (c *TLSConn) timeout(op string) error {
	return &net.OpError{Op: op, Net: "tls", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: os.ErrDeadlineExceeded}
}

func (c *TLSConn) shakeAccepted() {
	ctx := context.Background()
	if c.handshakeTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.handshakeTimeout)
		defer cancel()
	}
	c.shake(ctx)
}

// shake does the handshake, and gives the wire the deadlines that were set meanwhile.
func (c *TLSConn) shake(ctx context.Context) {
	if err := c.Conn.HandshakeContext(ctx); err != nil {
		c.handshakeErr = explainHandshake(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shaken = true
	_ = c.Conn.SetReadDeadline(c.readAt)
	_ = c.Conn.SetWriteDeadline(c.writeAt)
	close(c.done)
}

// SetDeadline is SetReadDeadline and SetWriteDeadline.
func (c *TLSConn) SetDeadline(t time.Time) error {
	return cmp.Or(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline bounds Read, but not the handshake.
func (c *TLSConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readAt = t
	c.readBy.set(t)
	if !c.shaken {
		return nil
	}
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline bounds Write, but not the handshake.
func (c *TLSConn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writeAt = t
	c.writeBy.set(t)
	if !c.shaken {
		return nil
	}
	return c.Conn.SetWriteDeadline(t)
}

func explainHandshake(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &net.OpError{Op: "handshake", Net: "tls", Err: errors.New("the other end has ended before TLS began")}
	}
	return err
}

func (c *TLSConn) Read(p []byte) (int, error) {
	if err := c.ensureHandshake("read", &c.readBy); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(p)
	if err == io.EOF && c.wire.ended.Load() { // crypto/tls stops reading at a close_notify, so there was none
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// Write gives crypto/tls one record at a time, so that at most one is owed; and none after the deadline, or it would say
// something although it has failed.
func (c *TLSConn) Write(p []byte) (n int, err error) {
	for {
		if err := c.ensureHandshake("write", &c.writeBy); err != nil {
			return n, err
		}
		if err := c.wire.settle(); err != nil {
			return n, err
		}
		k, err := c.Conn.Write(p[:min(len(p), recordSize)])
		n, p = n+k, p[k:]
		if err != nil {
			return n, err
		}
		if c.wire.owes() {
			return n, c.timeout("write")
		}
		if len(p) == 0 {
			return n, nil
		}
	}
}

// CloseWrite says close_notify, after what is owed.
func (c *TLSConn) CloseWrite() error {
	if c.closed.Load() {
		return &net.OpError{Op: "close", Net: "tls", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: net.ErrClosed}
	}
	if err := c.ensureHandshake("close", &c.writeBy); err != nil {
		return err
	}
	if err := c.wire.settle(); err != nil {
		return err
	}
	return c.Conn.CloseWrite()
}

// Close does not wait for a handshake that never came, and ends one that is under way. It asks nothing of the *tls.Conn
// until then, whose answers wait for the handshake too.
func (c *TLSConn) Close() error {
	c.closed.Store(true)
	select {
	case <-c.done:
		if c.handshakeErr == nil {
			return c.Conn.Close()
		}
	default:
	}
	return c.wire.Conn.Close()
}

// A wire is the connection below a TLSConn. Its Write never fails for a deadline: it keeps the rest, which is owed.
type wire struct {
	net.Conn
	ended atomic.Bool // the stream has ended
	mu    sync.Mutex
	debt  []byte
}

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if err == io.EOF {
		w.ended.Store(true)
	}
	return n, err
}

func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.debt) > 0 {
		w.debt = append(w.debt, p...)
		return len(p), nil
	}
	n, err := w.Conn.Write(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		w.debt = append(w.debt, p[n:]...)
		return len(p), nil
	}
	return n, err
}

// settle writes what is owed.
func (w *wire) settle() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.debt) == 0 {
		return nil
	}
	n, err := w.Conn.Write(w.debt)
	w.debt = w.debt[n:]
	return err
}

func (w *wire) owes() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.debt) > 0
}
