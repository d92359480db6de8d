package guard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley"
	"parley/parleytest"
)

// A stage is a guarded Server on a network in memory, in a bubble of virtual time. Callers are called after their addresses.
type stage struct {
	*testing.T
	cfg  *parley.Config
	stop context.CancelFunc

	mu      sync.Mutex
	refused []error
	ended   []error // what handlers returned
}

// onStage runs f where g guards a Server of h.
func onStage(t *testing.T, g *Guard, h parley.Handler, f func(st *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		st := &stage{T: t, cfg: &parley.Config{Schemes: []parley.Scheme{new(parleytest.Network).Scheme()}}}
		g.Refused = func(c *parley.Conn, why error) {
			st.mu.Lock()
			defer st.mu.Unlock()
			st.refused = append(st.refused, why)
		}
		ln, err := st.cfg.Listen(t.Context(), "mem:server")
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		st.stop = stop
		served := make(chan error, 1)
		guarded := g.Handler(h)
		noting := func(ctx context.Context, c *parley.Conn) error {
			err := guarded(ctx, c)
			st.mu.Lock()
			defer st.mu.Unlock()
			st.ended = append(st.ended, err)
			return err
		}
		go func() { served <- (&parley.Server{Handler: noting}).Serve(ctx, ln) }()
		f(st)
		stop()
		if err := <-served; err != nil {
			t.Errorf("Serve returned %v", err)
		}
	})
}

func (st *stage) call(from string) *parley.Conn {
	st.Helper()
	c, err := st.cfg.Dial(st.Context(), "mem:server?from="+from)
	if err != nil {
		st.Fatal(err)
	}
	st.Cleanup(func() { c.Close() })
	return c
}

// served fails unless the caller gets its echo.
func (st *stage) served(c *parley.Conn) *parley.Conn {
	st.Helper()
	if reply, err := c.Ask(st.Context(), []byte("hello")); err != nil || string(reply) != "hello" {
		st.Fatalf("heard %q and the error %v, want an echo", reply, err)
	}
	return c
}

// turnedAway fails unless the caller hears nothing but the end, and Refused was told why.
func (st *stage) turnedAway(c *parley.Conn, why error, text string) {
	st.Helper()
	if text, err := c.Receive(st.Context()); err != io.EOF {
		st.Fatalf("heard %q and the error %v, want the end", text, err)
	}
	synctest.Wait()
	st.mu.Lock()
	defer st.mu.Unlock()
	if len(st.refused) != 1 || !errors.Is(st.refused[0], why) || st.refused[0].Error() != text {
		st.Fatalf("refused for %v, want %q", st.refused, text)
	}
	st.refused = nil
}

// left waits until the handler of c has returned, which c has closed.
func (st *stage) left(c *parley.Conn) {
	c.Close()
	synctest.Wait()
}

// lastEnd is what the last handler to end returned.
func (st *stage) lastEnd() error {
	synctest.Wait()
	st.mu.Lock()
	defer st.mu.Unlock()
	if len(st.ended) == 0 {
		return errors.New("no handler has ended")
	}
	return st.ended[len(st.ended)-1]
}

func echo(ctx context.Context, c *parley.Conn) error {
	for f, err := range c.Frames(ctx) {
		if err != nil {
			return err
		}
		if err := f.Reply(ctx, f.Data); err != nil {
			return err
		}
	}
	return nil
}

func TestZeroGuardCostsNothing(t *testing.T) {
	h := parley.Handler(echo)
	g := new(Guard)
	if reflect.ValueOf(g.Handler(h)).Pointer() != reflect.ValueOf(h).Pointer() {
		t.Error("the zero Guard has wrapped the handler")
	}
	defer func() {
		if recover() == nil {
			t.Error("SetRules did not panic, though the handler is not guarded")
		}
	}()
	g.SetRules(nil)
}

func TestGuardWithRulesToCome(t *testing.T) {
	g := new(Guard)
	g.SetRules(nil)
	onStage(t, g, echo, func(st *stage) {
		st.served(st.call("10.0.0.1"))
		g.SetRules(read(t, "deny 10.0.0.1"))
		st.turnedAway(st.call("10.0.0.1"), ErrDenied, "denied by the rules: 10.0.0.1: rules:1: deny 10.0.0.1")
		st.served(st.call("10.0.0.2"))
		g.SetRules(nil)
		st.served(st.call("10.0.0.1"))
	})
}

func TestMaxConns(t *testing.T) {
	onStage(t, &Guard{MaxConns: 2}, echo, func(st *stage) {
		a := st.served(st.call("10.0.0.1"))
		st.served(st.call("a-socket-without-ip"))
		const why = "too many conversations: the limit is 2 at once"
		st.turnedAway(st.call("10.0.0.2"), ErrTooMany, why)
		st.turnedAway(st.call("10.0.0.2"), ErrTooMany, why)
		st.left(a)
		st.served(st.call("10.0.0.2"))
		st.turnedAway(st.call("10.0.0.3"), ErrTooMany, why)
	})
}

func TestMaxPerHost(t *testing.T) {
	onStage(t, &Guard{MaxPerHost: 2}, echo, func(st *stage) {
		for _, hosts := range [][3]string{
			{"10.0.0.1", "10.0.0.1", "10.0.0.1"},
			{"2001:db8::1", "2001:db8::2", "2001:db8::1:2:3"}, // one /64
		} {
			a := st.served(st.call(hosts[0]))
			st.served(st.call(hosts[1]))
			name := hosts[0]
			if strings.Contains(name, ":") {
				name = "2001:db8::/64"
			}
			why := "too many conversations with one host: the limit is 2 at once with " + name
			st.turnedAway(st.call(hosts[2]), ErrTooManyFromHost, why)
			st.served(st.call("10.0.0.2"))
			st.left(a)
			st.served(st.call(hosts[2]))
			st.turnedAway(st.call(hosts[0]), ErrTooManyFromHost, why)
		}
	})
}

func TestRate(t *testing.T) {
	for _, test := range []struct {
		rate  float64
		burst int
		wait  time.Duration // until one more may come
		text  string
	}{
		{1, 1, time.Second, "1"}, {0.5, 1, 2 * time.Second, "0.5"}, {2.5, 3, 400 * time.Millisecond, "2.5"},
	} {
		onStage(t, &Guard{Rate: test.rate}, echo, func(st *stage) {
			why := "new conversations come too fast: the limit is " + test.text + " a second from 10.0.0.1"
			for range test.burst {
				st.served(st.call("10.0.0.1"))
			}
			st.turnedAway(st.call("10.0.0.1"), ErrTooFast, why)
			st.served(st.call("10.0.0.2"))
			time.Sleep(test.wait)
			st.served(st.call("10.0.0.1"))
			st.turnedAway(st.call("10.0.0.1"), ErrTooFast, why) // those refused count for nothing
			time.Sleep(time.Hour)
			for range test.burst {
				st.served(st.call("10.0.0.1"))
			}
			st.turnedAway(st.call("10.0.0.1"), ErrTooFast, why)
		})
	}
}

func TestHugeRate(t *testing.T) {
	onStage(t, &Guard{Rate: 1e300}, echo, func(st *stage) {
		for range 100 {
			st.served(st.call("10.0.0.1"))
		}
	})
}

// The limits hold for all services together.
func TestSharedGuard(t *testing.T) {
	g := &Guard{MaxConns: 1}
	var errs []error
	inner := g.Handler(func(context.Context, *parley.Conn) error { return nil })
	h := g.Handler(func(ctx context.Context, c *parley.Conn) error {
		errs = append(errs, inner(ctx, c))
		return nil
	})
	if err := h(t.Context(), pipeConn(t)); err != nil || len(errs) != 1 || !errors.Is(errs[0], ErrTooMany) {
		t.Errorf("got %v and %v from two services of one Guard, want nil and ErrTooMany", err, errs)
	}
}

// pipeConn returns one end of a conversation whose other end nobody uses.
func pipeConn(t *testing.T) *parley.Conn {
	a, b := net.Pipe()
	t.Cleanup(func() { b.Close() })
	c := parley.NewConn(a, nil)
	t.Cleanup(func() { c.Close() })
	return c
}

// A handler that panics must not keep its place, nor its watch.
func TestPanicGivesPlaceBack(t *testing.T) {
	g := &Guard{MaxConns: 1, MaxPerHost: 1, FirstFrameWithin: time.Second, MaxTime: time.Second}
	onStage(t, g, func(context.Context, *parley.Conn) error { panic("told to") }, func(st *stage) {
		for range 3 {
			if text, err := st.call("10.0.0.1").Receive(st.Context()); err != io.EOF {
				st.Fatalf("heard %q and the error %v", text, err)
			}
			synctest.Wait()
		}
		if len(st.refused) > 0 || len(g.hosts) > 0 {
			st.Errorf("refused %v, and remembers %d hosts", st.refused, len(g.hosts))
		}
	})
}

// Without Refused the handler's error is why.
func TestRefusedByError(t *testing.T) {
	g := new(Guard)
	g.SetRules(read(t, "allow 10.0.0.1"))
	a, b := net.Pipe()
	defer b.Close()
	err := g.Handler(echo)(t.Context(), parley.NewConn(addressed{a, tcp("10.0.0.2")}, nil))
	if !errors.Is(err, ErrDenied) || err.Error() != "denied by the rules: 10.0.0.2: no rule allows it" {
		t.Errorf("got %v, want ErrDenied", err)
	}
	if _, err := b.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the caller heard %v, want the end", err)
	}
}

// An addressed is a net.Conn from elsewhere.
type addressed struct {
	net.Conn
	from net.Addr
}

func (c addressed) RemoteAddr() net.Addr { return c.from }

func TestReason(t *testing.T) {
	for err, want := range map[error]string{
		nil: "", io.EOF: "", parley.ErrIdle: "", fmt.Errorf("%w: 10.0.0.1", ErrDenied): "denied", ErrTooMany: "max-conns",
		ErrTooManyFromHost: "max-per-host", ErrTooFast: "rate", ErrTooSlow: "first-frame", ErrMaxTime: "max-time",
	} {
		if got := Reason(err); got != want {
			t.Errorf("Reason(%v) is %q, want %q", err, got, want)
		}
	}
}

// Hosts are forgotten when they have no conversation and their pace no longer matters.
func TestHostsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &Guard{Rate: 1, MaxPerHost: 1}
		visit := func(i int) {
			t.Helper()
			g.mu.Lock()
			h, err := g.admitHost(fmt.Sprint(i), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			g.leaveHost(h, time.Now())
			g.mu.Unlock()
		}
		for i := range 500 {
			visit(i)
		}
		if len(g.hosts) != 500 {
			t.Fatalf("remembers the pace of %d hosts, want 500", len(g.hosts))
		}
		time.Sleep(sweepEvery)
		visit(500)
		if len(g.hosts) != 1 {
			t.Errorf("remembers %d hosts after a minute, want 1", len(g.hosts))
		}
		most := 0
		for i := range 4 * maxSilent { // a flood from ever new addresses at one moment
			visit(i + 1000)
			most = max(most, len(g.hosts))
		}
		if most > maxSilent+1 {
			t.Errorf("remembered %d hosts, want no more than %d", most, maxSilent)
		}
		time.Sleep(sweepEvery)
		h, err := g.admitHost("stays", time.Now())
		if err != nil || len(g.hosts) != 1 {
			t.Errorf("remembers %d hosts (%v) after the flood, want 1", len(g.hosts), err)
		}
		time.Sleep(time.Hour)
		visit(0)
		if g.hosts["stays"] != h {
			t.Error("a host with a conversation was forgotten")
		}
	})
}

// Hosts with a conversation are never forgotten, however many.
func TestManyTalkingHosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &Guard{MaxPerHost: 1}
		for i := range 2 * maxSilent {
			if _, err := g.admitHost(fmt.Sprint(i), time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		if len(g.hosts) != 2*maxSilent {
			t.Errorf("remembers %d hosts of %d", len(g.hosts), 2*maxSilent)
		}
	})
}
