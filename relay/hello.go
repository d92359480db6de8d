package relay

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"parley"
	"parley/internal/sock"
)

// A hello is what a caller has said of itself when it began TLS.
type hello struct {
	server    string   // the name of the server that it wants; may be empty
	protocols []string // those that it offers; where TLS ends here, the one agreed on
	not       string   // why there is none; empty if there is
}

// String continues "it": a sentence for an error.
func (h hello) String() string {
	if h.not != "" {
		return h.not
	}
	return fmt.Sprintf("wants the server %q, by one of the protocols %q", h.server, h.protocols)
}

// shake does the handshake of a conversation whose TLS ends here, which says all there is to know.
func (r *Relay) shake(ctx context.Context, tc *tls.Conn) (hello, error) {
	within := cmp.Or(r.SniffWithin, DefaultSniffWithin)
	if within > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, within, fmt.Errorf("not done within %v: %w", within, context.DeadlineExceeded))
		defer cancel()
	}
	if err := tc.HandshakeContext(ctx); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return hello{}, &parley.Error{Op: "handshake", Addr: tc.RemoteAddr().String(), Err: err}
	}
	state := tc.ConnectionState()
	h := hello{server: state.ServerName}
	if state.NegotiatedProtocol != "" {
		h.protocols = []string{state.NegotiatedProtocol}
	}
	return h, nil
}

// sniff hears a ClientHello of nc, and returns all that it has heard. Whatever else comes, or does not come in time, is no
// error, but a hello that says why it is none; an error is that of nc or of ctx.
func (r *Relay) sniff(ctx context.Context, nc net.Conn) (hello, []byte, error) {
	if within := cmp.Or(r.SniffWithin, DefaultSniffWithin); within > 0 {
		_ = nc.SetReadDeadline(time.Now().Add(within))
	}
	undo := sock.CancelOn(ctx, nc.SetReadDeadline, func() {})
	s := &sniffed{from: nc, room: cmp.Or(r.SniffMax, DefaultSniffMax)}
	h := readHello(s)
	undo()
	_ = nc.SetReadDeadline(time.Time{})
	switch {
	case ctx.Err() != nil:
		return hello{}, nil, &parley.Error{Op: "receive", Addr: nc.RemoteAddr().String(), Err: context.Cause(ctx)}
	case h.not == "" || s.err == nil:
	case errors.Is(s.err, os.ErrDeadlineExceeded):
		h.not = fmt.Sprintf("said no TLS ClientHello within %v", cmp.Or(r.SniffWithin, DefaultSniffWithin))
	case s.err == io.EOF:
		h.not = fmt.Sprintf("ended after %d bytes, which are no TLS ClientHello", len(s.heard))
	default:
		return hello{}, nil, s.err
	}
	return h, s.heard, nil
}

// readHello has crypto/tls, which knows best what a ClientHello is, accept s, and stops it when it has one. Nothing is said.
func readHello(s *sniffed) hello {
	var found *tls.ClientHelloInfo
	config := &tls.Config{GetConfigForClient: func(info *tls.ClientHelloInfo) (*tls.Config, error) {
		found = info
		return nil, errEnough
	}}
	err := tls.Server(s, config).Handshake()
	switch {
	case found != nil:
		return hello{server: found.ServerName, protocols: found.SupportedProtos}
	case s.room == 0:
		return hello{not: fmt.Sprintf("said no TLS ClientHello within %d bytes", len(s.heard))}
	}
	return hello{not: fmt.Sprintf("said no TLS ClientHello: %v", err)}
}

var (
	errEnough  = errors.New("heard enough")
	errTooLong = errors.New("too long a hello")
)

// A sniffed is a connection that keeps what is read of it, and says nothing.
type sniffed struct {
	from  io.Reader
	room  int    // bytes that may still be read; negative: any number
	heard []byte // all that was read
	err   error  // of from
}

func (s *sniffed) Read(p []byte) (int, error) {
	if s.room == 0 {
		return 0, errTooLong
	}
	if s.room > 0 {
		p = p[:min(len(p), s.room)]
	}
	n, err := s.from.Read(p)
	s.heard = append(s.heard, p[:n]...)
	if s.room > 0 {
		s.room -= n
	}
	s.err = err
	return n, err
}

// Write throws away what crypto/tls says: an alert, which the caller must not hear.
func (s *sniffed) Write(p []byte) (int, error) { return len(p), nil }

func (s *sniffed) Close() error                     { return nil }
func (s *sniffed) LocalAddr() net.Addr              { return nil }
func (s *sniffed) RemoteAddr() net.Addr             { return nil }
func (s *sniffed) SetDeadline(time.Time) error      { return nil }
func (s *sniffed) SetReadDeadline(time.Time) error  { return nil }
func (s *sniffed) SetWriteDeadline(time.Time) error { return nil }
