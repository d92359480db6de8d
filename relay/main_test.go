package relay_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/internal/sys"
	"parley/parleytest"
	"parley/relay"
)

func TestMain(m *testing.M) { os.Exit(parleytest.CheckLeaks(m)) }

// patience is how long what must come may take before a test gives it up.
const patience = 10 * time.Second

// A place is a kind of address that tests are run over.
type place struct {
	name    string
	address func(t testing.TB) string
	network *parleytest.Network                                // nil: the system's
	resets  bool                                               // it can tell a break from an end
	both    func(t testing.TB) (caller, accepted *parley.Conn) // instead of address
}

// streams are the places where bytes pass, in this process.
func streams() []place {
	local := func(address string) func(testing.TB) string { return func(testing.TB) string { return address } }
	return []place{
		{name: "tcp", address: local("tcp:127.0.0.1:0"), resets: true},
		{name: "unix", address: socketPath},
		{name: "tls", address: local("tls:127.0.0.1:0"), resets: true},
		{name: "mem", address: local("mem:"), network: new(parleytest.Network)},
	}
}

// socketPath is a path short enough for a Unix socket on every system, which t.TempDir is not.
func socketPath(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "p")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

// pair returns both ends of a conversation.
func (p place) pair(t testing.TB, cfg *parley.Config) (caller, accepted *parley.Conn) {
	t.Helper()
	if p.both != nil {
		caller, accepted = p.both(t)
		t.Cleanup(func() { caller.Close(); accepted.Close() })
		return caller, accepted
	}
	own := parley.Config{}
	if cfg != nil {
		own = *cfg
	}
	if p.network != nil {
		own.Schemes = []parley.Scheme{p.network.Scheme()}
	}
	ctx := soon(t)
	ln, err := own.Listen(ctx, p.address(t))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	dialled := make(chan error, 1)
	go func() {
		var err error
		caller, err = own.Dial(ctx, ln.Address())
		dialled <- err
	}()
	nc, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	accepted = nc.(*parley.Conn)
	if tc, ok := accepted.NetConn().(*tls.Conn); ok {
		_ = tc.HandshakeContext(ctx) // which the dial waits for
	}
	if err := <-dialled; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { caller.Close(); accepted.Close() })
	return caller, accepted
}

// A joined is a client and a server with a Join between them.
type joined struct {
	client, server *parley.Conn
	a, b           *parley.Conn // the ends that are joined
	stop           context.CancelCauseFunc
	over           chan struct{}
	stats          relay.Stats
	err            error
}

// join has a client call over one place, and the relay a server over another. cfgs are of the client's and the server's
// side, nil for the zero Config.
func join(t testing.TB, left, right place, opts *relay.Options, cfgs ...*parley.Config) *joined {
	t.Helper()
	cfgs = append(cfgs, nil, nil)
	client, a := left.pair(t, cfgs[0])
	b, server := right.pair(t, cfgs[1])
	return joinConns(t, client, a, b, server, opts)
}

func joinConns(t testing.TB, client, a, b, server *parley.Conn, opts *relay.Options) *joined {
	t.Helper()
	ctx, stop := context.WithCancelCause(context.Background())
	j := &joined{client: client, server: server, a: a, b: b, stop: stop, over: make(chan struct{})}
	go func() {
		defer close(j.over)
		j.stats, j.err = relay.Join(ctx, a, b, opts)
	}()
	t.Cleanup(func() { stop(errors.New("the test is over")); <-j.over })
	return j
}

// wait returns what Join has returned.
func (j *joined) wait(t testing.TB) (relay.Stats, error) {
	t.Helper()
	select {
	case <-j.over:
	case <-time.After(patience):
		t.Fatalf("Join goes on. The client: %v. The server: %v", j.client.State(), j.server.State())
	}
	for _, c := range []*parley.Conn{j.a, j.b} {
		if _, err := c.Write([]byte("x")); !errors.Is(err, net.ErrClosed) && !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("an end is open after Join: %v", err)
		}
	}
	return j.stats, j.err
}

// soon is a context for calls that ought to return.
func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// until waits for what some other goroutine, or the kernel, brings about.
func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func write(t testing.TB, w io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
}

func closeWrite(t testing.TB, c *parley.Conn) {
	t.Helper()
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
}

// hears fails t unless the next bytes of c are want.
func hears(t testing.TB, c *parley.Conn, want string) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c, got); string(got[:n]) != want || err != nil {
		t.Fatalf("heard %q, %v; want %q", got[:n], err, want)
	}
}

// hearsEnd fails t unless c has nothing more to say, and says so.
func hearsEnd(t testing.TB, c *parley.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if rest, err := io.ReadAll(c); len(rest) > 0 || err != nil {
		t.Fatalf("heard %.100q, %v; want the end", rest, err)
	}
}

// hearsReset fails t unless c has been broken off, so that nobody can take it for an end.
func hearsReset(t testing.TB, c *parley.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if n, err := c.Read(make([]byte, 1)); n > 0 || !sys.Reset.Is(err) {
		t.Errorf("heard %d bytes, %v; want a reset", n, err)
	}
}

// names fails t unless err is a *parley.Error of this operation at c.
func names(t testing.TB, err error, op string, c *parley.Conn) {
	t.Helper()
	var named *parley.Error
	if !errors.As(err, &named) || named.Op != op || !strings.Contains(named.Addr, c.RemoteAddr().String()) {
		t.Errorf("%v (%T); want a *parley.Error of %q at %v", err, err, op, c.RemoteAddr())
	}
}

// says fails t unless the text of err contains every one of words.
func says(t testing.TB, err error, words ...string) {
	t.Helper()
	for _, word := range words {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%v does not say %q", err, word)
		}
	}
}
