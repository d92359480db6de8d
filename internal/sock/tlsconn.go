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

	"parley/internal/sys"
)

// A TLSConn is a *tls.Conn that survives deadlines. In crypto/tls a write that times out breaks the conversation for good,
// because part of a record may have gone out; here what is left of the record is owed, and goes out first next time. It
// also tells an end from a cut: an end of the stream without close_notify is io.ErrUnexpectedEOF (RFC 8446, section 6.1).
type TLSConn struct {
	*tls.Conn
	wire             *wire
	handshakeTimeout time.Duration // for the handshake of an accepted conversation; 0 means HandshakePatience, negative none
	begin            sync.Once     // of the handshake
	done             chan struct{} // closed when the handshake is over
	handshakeErr     error         // valid when done is closed
	closed           atomic.Bool

	mu              sync.Mutex // guards the rest, and the order of deadlines
	shaken          bool       // the deadlines have been given to the wire
	closing         bool       // the write deadline is Close's
	readAt, writeAt time.Time
	readBy, writeBy limit
}

// Below returns the connection that TLS runs over.
func (c *TLSConn) Below() net.Conn { return c.wire.Conn }

// Owes reports whether something that has been said, such as the end, has not all been given to the connection below,
// because a write deadline had passed. The next Write or CloseWrite gives it. It never waits.
func (c *TLSConn) Owes() bool { return c.wire.owes() }

// HandshakePatience is how long an accepted handshake may take if nobody says otherwise: or else a stranger who connects
// and says nothing would hold a descriptor and goroutines for ever.
const HandshakePatience = 10 * time.Second

// closePatience is how long Close waits for room for close_notify, as crypto/tls does.
const closePatience = 5 * time.Second

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
	if patience := cmp.Or(c.handshakeTimeout, HandshakePatience); patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
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
	_ = c.wire.Conn.SetWriteDeadline(c.writeAt)
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
	if !c.shaken || c.closing {
		return nil
	}
	return c.wire.Conn.SetWriteDeadline(t)
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

// CloseWrite says close_notify, after what is owed. If the write deadline passes meanwhile, the rest is owed, and another
// CloseWrite goes on with it.
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
	if err := c.Conn.CloseWrite(); err != nil {
		return err
	}
	return c.wire.settle()
}

// Close says close_notify, unless a write waits for room: that it ends at once. It does not wait for a handshake that never
// came, and ends one that is under way. It asks nothing of the *tls.Conn until then, whose answers wait for the handshake
// too.
func (c *TLSConn) Close() error {
	c.closed.Store(true)
	select {
	case <-c.done:
		if c.handshakeErr == nil && !c.wire.busy() {
			c.boundClose()
			return c.Conn.Close()
		}
	default:
	}
	return c.wire.Conn.Close()
}

// boundClose gives Close's close_notify a write deadline that nobody takes away.
func (c *TLSConn) boundClose() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closing = true
	_ = c.wire.Conn.SetWriteDeadline(time.Now().Add(closePatience))
}

// OnlyEndMissing reports whether err, of a socket with unacked bytes that the other kernel has not acknowledged, concerns our
// close_notify only: the other end had ended, and was gone when that came.
func (c *TLSConn) OnlyEndMissing(unacked int, err error) bool {
	const longest = 64 // bytes of such a record, with any cipher
	return sys.NoReader.Is(err) && unacked <= longest
}

// A wire is the connection below a TLSConn. Its Write never fails for a deadline: it keeps the rest, which is owed.
type wire struct {
	net.Conn
	ended atomic.Bool // the stream has ended
	mu    sync.Mutex  // held while a write waits
	debt  []byte
	owing atomic.Bool // len(debt) > 0, to be known while a write waits
}

// SetWriteDeadline is called by crypto/tls only, with deadlines of its own around close_notify. They would end a
// CloseWrite that its caller lets wait, and make the debt's payment fail; so they are not heeded.
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

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
		w.owing.Store(len(w.debt) > 0)
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
	w.owing.Store(len(w.debt) > 0)
	return err
}

// busy reports whether a write waits.
func (w *wire) busy() bool {
	free := w.mu.TryLock()
	if free {
		w.mu.Unlock()
	}
	return !free
}

func (w *wire) owes() bool { return w.owing.Load() }
