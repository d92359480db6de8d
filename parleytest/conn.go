package parleytest

import (
	"cmp"
	"io"
	"net"
	"time"
)

// A conn is one end of a conversation on a Network.
type conn struct {
	in, out       *pipe
	local, remote memAddr
}

// newPair returns both ends of a conversation that holds up to limit bytes each way.
func newPair(caller, accepted memAddr, limit int) (*conn, *conn) {
	there, back := newPipe(limit), newPipe(limit)
	return &conn{in: back, out: there, local: caller, remote: accepted},
		&conn{in: there, out: back, local: accepted, remote: caller}
}

func (c *conn) Read(b []byte) (int, error) {
	n, err := c.in.read(b)
	return n, c.fail("read", err)
}

func (c *conn) Write(b []byte) (int, error) {
	n, err := c.out.write(b)
	return n, c.fail("write", err)
}

// CloseWrite says the end; the other direction goes on.
func (c *conn) CloseWrite() error { return c.fail("close", c.out.end()) }

func (c *conn) Close() error {
	unread, err := c.in.closeReading()
	if err != nil {
		return c.fail("close", err)
	}
	c.out.closeWriting(unread)
	return nil
}

func (c *conn) LocalAddr() net.Addr  { return c.local }
func (c *conn) RemoteAddr() net.Addr { return c.remote }

func (c *conn) SetDeadline(t time.Time) error {
	return cmp.Or(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

func (c *conn) SetReadDeadline(t time.Time) error {
	return c.fail("set", c.in.setReadDeadline(t))
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	return c.fail("set", c.out.setWriteDeadline(t))
}

// fail names the operation as package net does.
func (c *conn) fail(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: "mem", Source: c.local, Addr: c.remote, Err: err}
}
