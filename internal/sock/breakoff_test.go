package sock

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"

	"parley/internal/sys"
)

// abortable is a connection with a way of its own to break off.
type abortable struct {
	net.Conn
	calls []string
}

func (a *abortable) Abort()       { a.calls = append(a.calls, "abort") }
func (a *abortable) Close() error { a.calls = append(a.calls, "close"); return nil }

func TestBreakOffAborts(t *testing.T) {
	a := &abortable{}
	BreakOff(a)
	if len(a.calls) != 2 || a.calls[0] != "abort" || a.calls[1] != "close" {
		t.Errorf("it was told to %v", a.calls)
	}
}

// tcpPair returns both ends of a TCP conversation.
func tcpPair(t *testing.T) (caller, accepted net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if caller, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if accepted, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { caller.Close(); accepted.Close() })
	return caller, accepted
}

// What is broken off is no end there, whatever the connection is wrapped in.
func TestBreakOffResets(t *testing.T) {
	for name, wrap := range map[string]func(net.Conn) net.Conn{
		"tcp":              func(nc net.Conn) net.Conn { return nc },
		"tls":              func(nc net.Conn) net.Conn { return newTLSConn(nc, new(tls.Config), tls.Server) },
		"tls of a Conn":    func(nc net.Conn) net.Conn { return newTLSConn(nc, new(tls.Config), tls.Server).Conn },
		"tls, as the user": func(nc net.Conn) net.Conn { return tls.Server(nc, new(tls.Config)) },
	} {
		caller, accepted := tcpPair(t)
		BreakOff(wrap(accepted))
		if _, err := caller.Read(make([]byte, 1)); !sys.Reset.Is(err) {
			t.Errorf("%s: %v, want a reset", name, err)
		}
		if _, err := accepted.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: it is still open: %v", name, err)
		}
	}
}

// After a handshake there is no close_notify either.
func TestBreakOffSaysNoEnd(t *testing.T) {
	caller, accepted := tcpPair(t)
	cert, err := selfSigned()
	if err != nil {
		t.Fatal(err)
	}
	server := newTLSConn(accepted, &tls.Config{Certificates: []tls.Certificate{cert}}, tls.Server)
	client := tls.Client(caller, &tls.Config{InsecureSkipVerify: true})
	go func() { _, _ = server.Write([]byte("x")) }()
	if _, err := io.ReadFull(client, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	BreakOff(server)
	if _, err := client.Read(make([]byte, 1)); !sys.Reset.Is(err) {
		t.Errorf("%v, want a reset", err)
	}
}
