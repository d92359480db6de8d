package sock

import (
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
	handshake        sync.Once
	handshakeErr     error
}

// Below returns the connection that TLS runs over.
func (c *TLSConn) Below() net.Conn { return c.wire.Conn }

// recordSize is the most one TLS record carries (RFC 8446, section 5.1).
const recordSize = 16 << 10

func newTLSConn(nc net.Conn, config *tls.Config, side func(net.Conn, *tls.Config) *tls.Conn) *TLSConn {
	w := &wire{Conn: nc}
	return &TLSConn{Conn: side(w, config), wire: w}
}

// ensureHandshake runs the handshake that accepting left out.
func (c *TLSConn) ensureHandshake() error {
	c.handshake.Do(func() {
		ctx := context.Background()
		if c.handshakeTimeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, c.handshakeTimeout)
			defer cancel()
		}
		if err := c.Conn.HandshakeContext(ctx); err != nil {
			c.handshakeErr = explainHandshake(err)
		}
	})
	return c.handshakeErr
}

func explainHandshake(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &net.OpError{Op: "handshake", Net: "tls", Err: errors.New("the other end has ended before TLS began")}
	}
	return err
}

func (c *TLSConn) Read(p []byte) (int, error) {
	if err := c.ensureHandshake(); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(p)
	if err == io.EOF && c.wire.ended.Load() { // crypto/tls stops reading at a close_notify, so there was none
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// Write gives crypto/tls one record at a time, so that at most one is owed.
func (c *TLSConn) Write(p []byte) (n int, err error) {
	if err := c.ensureHandshake(); err != nil {
		return 0, err
	}
	for {
		if err := c.wire.settle(); err != nil {
			return n, err
		}
		k, err := c.Conn.Write(p[:min(len(p), recordSize)])
		n, p = n+k, p[k:]
		if err != nil {
			return n, err
		}
		if c.wire.owes() {
			return n, &net.OpError{Op: "write", Net: "tls", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: os.ErrDeadlineExceeded}
		}
		if len(p) == 0 {
			return n, nil
		}
	}
}

// CloseWrite says close_notify, after what is owed.
func (c *TLSConn) CloseWrite() error {
	if err := c.ensureHandshake(); err != nil {
		return err
	}
	if err := c.wire.settle(); err != nil {
		return err
	}
	return c.Conn.CloseWrite()
}

// Close does not wait for a handshake that never came.
func (c *TLSConn) Close() error {
	if !c.ConnectionState().HandshakeComplete {
		return c.wire.Conn.Close()
	}
	return c.Conn.Close()
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
