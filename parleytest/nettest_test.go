package parleytest_test

import (
	"context"
	"io"
	"net"
	"testing"

	"golang.org/x/net/nettest"

	"parley"
	"parley/parleytest"
)

// nettest holds any net.Conn against the promises of package net.
func TestNettest(t *testing.T) {
	for _, test := range []struct {
		name, address string
		cfg           *parley.Config
	}{
		{"mem", "mem:", memory()},
		{"mem-small", "mem:", &parley.Config{Schemes: []parley.Scheme{(&parleytest.Network{Buffer: 16}).Scheme()}}}, // nettest itself needs 13
		{"tcp", "127.0.0.1:0", new(parley.Config)},
		{"tcp-local", "0", new(parley.Config)},
		{"tls", "tls:127.0.0.1:0", new(parley.Config)},
		{"unix", "", new(parley.Config)},
	} {
		t.Run(test.name, func(t *testing.T) {
			parleytest.Leaks(t)
			nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
				address := test.address
				if address == "" {
					address = socketPath(t)
				}
				return converse(test.cfg, address)
			})
		})
	}
}

// The conversations of a Network are net.Conns by themselves, without a parley.Conn around them.
func TestNettestOfNetwork(t *testing.T) {
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		c1, c2, stop, err = converse(memory(), "mem:")
		if err != nil {
			return nil, nil, nil, err
		}
		return c1.(*parley.Conn).NetConn(), c2.(*parley.Conn).NetConn(), stop, nil
	})
}

// converse makes a pipe of nettest's kind. Both ends have heard one byte, so that a handshake is over.
func converse(cfg *parley.Config, address string) (c1, c2 net.Conn, stop func(), err error) {
	ln, err := cfg.Listen(context.Background(), address)
	if err != nil {
		return nil, nil, nil, err
	}
	defer ln.Close()
	accepted := make(chan error, 1)
	go func() {
		var err error
		if c2, err = ln.Accept(); err == nil {
			err = exchangeByte(c2)
		}
		accepted <- err
	}()
	c1, err = cfg.Dial(context.Background(), ln.Address())
	if err != nil {
		return nil, nil, nil, err
	}
	if err := exchangeByte(c1); err != nil {
		return nil, nil, nil, err
	}
	if err := <-accepted; err != nil {
		return nil, nil, nil, err
	}
	return c1, c2, func() { c1.Close(); c2.Close() }, nil
}

func exchangeByte(c net.Conn) error {
	if _, err := c.Write([]byte{'!'}); err != nil {
		return err
	}
	_, err := io.ReadFull(c, make([]byte, 1))
	return err
}
