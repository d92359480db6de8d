package parley_test

import (
	"context"
	"crypto/tls"
	"net"
	"reflect"
	"testing"
	"time"

	"parley"
	"parley/frame"
)

// A Config is copied when it is used: neither do we change it, nor does its owner change what is open.
func TestConfigIsNotChanged(t *testing.T) {
	tc := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"x"}}
	before := tc.Clone()
	cfg := &parley.Config{TLS: tc, Timeout: time.Minute, MaxFrame: 100}
	was := *cfg
	ln := listen(t, cfg, "tls:0?alpn=x,y")
	accepted := make(chan net.Conn, 1)
	go func() {
		nc, err := ln.Accept()
		if err == nil {
			_, err = nc.Read(make([]byte, 1))
		}
		if err != nil {
			t.Error(err)
		}
		accepted <- nc
	}()
	c := dial(t, cfg, ln.Address()+"&servername=localhost&alpn=y")
	write(t, c, "x")
	(<-accepted).Close()
	if !reflect.DeepEqual(*cfg, was) || !reflect.DeepEqual(cfg.TLS, before) || cfg.TLS != tc {
		t.Errorf("changed: %+v", cfg)
	}
	if got := c.NetConn().(*tls.Conn).ConnectionState().NegotiatedProtocol; got != "y" {
		t.Errorf("spoke %q", got)
	}

	cfg = new(parley.Config)
	ln = listen(t, cfg, "0")
	c = dial(t, cfg, ln.Address())
	cfg.Frame, cfg.MaxFrame = frame.NUL(), 1
	send(t, c, "still a line")
	for f, err := range ln.Frames(soon(t)) {
		if err != nil || string(f.Data) != "still a line" {
			t.Errorf("heard %q, %v", f.Data, err)
		}
		break
	}
}

// NewConn makes a conversation of anything, and nil is the zero Config.
func TestNewConn(t *testing.T) {
	a, b := net.Pipe()
	c, other := parley.NewConn(a, nil), parley.NewConn(b, &parley.Config{Frame: frame.Line()})
	defer other.Close()
	go func() { _ = c.Send(context.Background(), []byte("hello")) }()
	hears(t, other, "hello")
	if c.NetConn() != a {
		t.Errorf("made of %v", c.NetConn())
	}
	c.Close()
	hearsEnd(t, other)
}

// The time for a dial is Config's or the context's, whichever is up first.
func TestTimeout(t *testing.T) {
	never := parley.Scheme{Name: "never", Dial: func(ctx context.Context, _ parley.Addr, _ *parley.Config) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	cfg := parley.Config{Schemes: []parley.Scheme{never}, Timeout: time.Millisecond}
	_, err := cfg.Dial(context.Background(), "never:x")
	wants(t, "Config.Timeout", err, context.DeadlineExceeded)
	cfg.Timeout = 0
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = cfg.Dial(ctx, "never:x")
	wants(t, "a context", err, context.Canceled)
}

func TestServe(t *testing.T) {
	noLeaks(t)
	path := socketPath(t)
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() {
		served <- parley.Serve(ctx, path, func(ctx context.Context, c *parley.Conn) error {
			for f, err := range c.Frames(ctx) {
				if err != nil {
					return err
				}
				if err := f.Reply(ctx, append([]byte("you said "), f.Data...)); err != nil {
					return err
				}
			}
			return nil
		})
	}()
	var c *parley.Conn
	until(t, "the server listens", func() (ok bool) {
		var err error
		c, err = parley.Dial(soon(t), path)
		return err == nil
	})
	defer c.Close()
	if reply, err := c.Ask(soon(t), []byte("hello")); err != nil || string(reply) != "you said hello" {
		t.Errorf("%q, %v", reply, err)
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	hearsEnd(t, c)
	if err := parley.Serve(context.Background(), "no/such:thing", nil); err == nil {
		t.Error("served nowhere")
	}
}
