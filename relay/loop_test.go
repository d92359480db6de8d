package relay

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley"
)

func TestCheckFindsLoops(t *testing.T) {
	tcp := func(s string) net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(s)) }
	udp := func(s string) net.Addr { return net.UDPAddrFromAddrPort(netip.MustParseAddrPort(s)) }
	unix := func(name string) net.Addr { return &net.UnixAddr{Net: "unix", Name: name} }
	tests := []struct {
		target    string
		listening net.Addr
		loop      bool
	}{
		{"7070", tcp("127.0.0.1:7070"), true},
		{"7070", tcp("127.0.0.1:7071"), false},
		{"localhost:7070", tcp("127.0.0.1:7070"), true},
		{"tcp4://127.0.0.1:7070", tcp("127.0.0.1:7070"), true},
		{"tcp4:7070", tcp("[::1]:7070"), false},
		{"tls:127.0.0.1:7070", tcp("127.0.0.1:7070"), true},
		{"127.0.0.2:7070", tcp("127.0.0.1:7070"), false},
		{"127.0.0.2:7070", tcp("0.0.0.0:7070"), true},
		{"127.0.0.2:7070", tcp("[::]:7070"), true},
		{"[::ffff:127.0.0.1]:7070", tcp("127.0.0.1:7070"), true},
		{":7070", tcp("[::]:7070"), true},
		{"0.0.0.0:7070", tcp("127.0.0.1:7070"), true},
		{"192.0.2.1:7070", tcp("[::]:7070"), false},
		{"daytime(13)", tcp("127.0.0.1:13"), true},
		{"7070", udp("127.0.0.1:7070"), false},
		{"udp:7070", udp("127.0.0.1:7070"), true},
		{"udp:7070", tcp("127.0.0.1:7070"), false},
		{"/no/such", unix("/no/such"), true},
		{"/no/such", unix("/no/other"), false},
		{"@here", unix("@here"), true},
		{"7070", unix("/no/such"), false},
		{"no-such-host.invalid:7070", tcp("[::]:7070"), false},
	}
	for _, test := range tests {
		err := (&Relay{Targets: []string{"192.0.2.9:1", test.target}}).Check(tcp("192.0.2.8:2"), test.listening)
		if errors.Is(err, ErrLoop) != test.loop || err != nil && !test.loop {
			t.Errorf("%s and a listener on %v: %v", test.target, test.listening, err)
		}
		if test.loop && (!strings.Contains(err.Error(), test.target) || !strings.Contains(err.Error(), test.listening.String())) {
			t.Errorf("%v does not name %s and %v", err, test.target, test.listening)
		}
	}
}

func TestCheckFindsOwnInterfaces(t *testing.T) {
	own, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range own {
		ip := a.(*net.IPNet).IP
		r := &Relay{Targets: []string{net.JoinHostPort(ip.String(), "7070")}}
		if err := r.Check(&net.TCPAddr{IP: net.IPv6zero, Port: 7070}); !errors.Is(err, ErrLoop) {
			t.Errorf("%v: %v", ip, err)
		}
	}
}

func TestCheckFindsSymlink(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "socket"), filepath.Join(dir, "link")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if err := os.Symlink(path, link); err != nil {
		t.Skip(err)
	}
	if err := (&Relay{Targets: []string{link}}).Check(ln.Addr()); !errors.Is(err, ErrLoop) {
		t.Error(err)
	}
}

func TestCheckFindsMistakes(t *testing.T) {
	mine := func(context.Context, string) (*parley.Conn, error) { return nil, errors.ErrUnsupported }
	routes := func(routes ...Route) *Relay { return &Relay{Routes: routes} }
	tests := []struct {
		relay *Relay
		err   string
	}{
		{&Relay{}, "without targets"},
		{&Relay{Targets: []string{"nonsense://x"}}, "unknown scheme"},
		{&Relay{Targets: []string{"nonsense://x"}, Dial: mine}, ""},
		{routes(Route{"sni", []string{"a"}, []string{"7070"}}), ""},
		{routes(Route{"sni", []string{"a"}, []string{"nonsense://x"}}), "unknown scheme"},
		{&Relay{Targets: []string{"tcp:7070?nodealy"}}, `dial tcp:7070?nodealy: unknown param "nodealy", did you mean nodelay?`},
		{&Relay{Targets: []string{"tcp:7070?nodealy"}, Dial: mine}, "did you mean nodelay?"},
		{&Relay{Targets: []string{"tcp:7070?nodelay"}}, ""},
		{routes(Route{"sni", []string{"a"}, []string{"tcp:7070?nodealy"}}), "did you mean nodelay?"},
		{routes(Route{"sni", nil, []string{"7070"}}), "needs names"},
		{routes(Route{"host", []string{"a"}, []string{"7070"}}), "there are sni and alpn"},
		{routes(Route{"sni", []string{"a."}, []string{"7070"}}), "without the dot"},
	}
	for i, test := range tests {
		err := test.relay.Check()
		if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
			t.Errorf("%d: %v, want %q", i, err, test.err)
		}
	}
}

// onSockets serves r at address. The errors of Handle come on errs. before, if not nil, is called before the nth Handle.
func onSockets(t *testing.T, r *Relay, address string, before func(n int64)) (ln *parley.Listener, errs <-chan error) {
	t.Helper()
	ln, err := parley.Listen(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	all, over := make(chan error, 1000), make(chan error)
	var handled atomic.Int64
	h := func(ctx context.Context, c *parley.Conn) error {
		if n := handled.Add(1); before != nil {
			before(n)
		}
		err := r.Handle(ctx, c)
		all <- err
		return err
	}
	go func() { over <- (&parley.Server{Handler: h, Grace: time.Minute}).Serve(ctx, ln) }()
	t.Cleanup(func() {
		stop()
		if err := <-over; err != nil {
			t.Error(err) // nobody may be left
		}
		if len(r.passages) > 0 {
			t.Errorf("passages are left: %v", r.passages)
		}
	})
	return ln, all
}

// callOnto calls ln, which leads to itself, and wants to be broken off, and both conversations to end with ErrLoop.
func callOnto(t *testing.T, ln *parley.Listener, errs <-chan error) {
	t.Helper()
	if c, err := parley.Dial(t.Context(), ln.Address()); err == nil { // else it was broken off already
		if _, err := io.ReadAll(c); err == nil {
			t.Error("the caller hears a proper end")
		}
		c.Close()
	}
	for range 2 {
		if err := <-errs; !errors.Is(err, ErrLoop) || !strings.Contains(err.Error(), "another-name:80") {
			t.Error(err)
		}
	}
}

// A Relay calls itself by a name that Check knew nothing of; the call is known when its caller comes.
func TestLoopKnownByCall(t *testing.T) {
	var at atomic.Pointer[parley.Listener]
	r := &Relay{Targets: []string{"another-name:80"}}
	r.Dial = func(ctx context.Context, _ string) (*parley.Conn, error) {
		return parley.Dial(ctx, at.Load().Address())
	}
	joined := make(chan bool)
	r.Joined = func(_, _ *parley.Conn) { close(joined) }
	ln, errs := onSockets(t, r, "127.0.0.1:0", func(n int64) {
		if n == 2 {
			<-joined
		}
	})
	at.Store(ln)
	callOnto(t, ln, errs)
}

// As before, but the caller comes before the call is known.
func TestLoopKnownByCaller(t *testing.T) {
	var at atomic.Pointer[parley.Listener]
	var calls atomic.Int64
	r := &Relay{Targets: []string{"another-name:80"}}
	r.Dial = func(ctx context.Context, _ string) (*parley.Conn, error) {
		if calls.Add(1) > 1 {
			r.until(func() bool { return slices.ContainsFunc(r.entered(), func(e end) bool { return e.of.looped }) })
			here, _ := net.Pipe()
			return parley.NewConn(here, nil), nil
		}
		c, err := parley.Dial(ctx, at.Load().Address())
		r.until(func() bool { return len(r.entered()) == 2 })
		return c, err
	}
	ln, errs := onSockets(t, r, "127.0.0.1:0", nil)
	at.Store(ln)
	callOnto(t, ln, errs)
}

func (r *Relay) entered() []end { return slices.Collect(maps.Values(r.passages)) }

// until waits for what is guarded by r.mu.
func (r *Relay) until(condition func() bool) {
	for {
		r.mu.Lock()
		ok := condition()
		r.mu.Unlock()
		if ok {
			return
		}
		runtime.Gosched()
	}
}

// However it happens, it ends.
func TestLoopAsItComes(t *testing.T) {
	var at atomic.Pointer[parley.Listener]
	r := &Relay{Targets: []string{"another-name:80"}}
	r.Dial = func(ctx context.Context, _ string) (*parley.Conn, error) {
		return parley.Dial(ctx, at.Load().Address())
	}
	ln, _ := onSockets(t, r, "127.0.0.1:0", nil)
	at.Store(ln)
	for range 30 {
		c, err := parley.Dial(t.Context(), ln.Address())
		if err != nil { // it is broken off already
			continue
		}
		if _, err := io.ReadAll(c); err == nil {
			t.Error("the caller hears a proper end")
		}
		c.Close()
	}
}

func TestLoopOfDatagrams(t *testing.T) {
	var at atomic.Pointer[parley.Listener]
	r := &Relay{Targets: []string{"another-name:80"}}
	r.Dial = func(ctx context.Context, _ string) (*parley.Conn, error) {
		return parley.Dial(ctx, at.Load().Address())
	}
	ln, errs := onSockets(t, r, "udp:127.0.0.1:0", nil)
	at.Store(ln)
	c, err := parley.Dial(t.Context(), ln.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Send(t.Context(), []byte("hello")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-errs; !errors.Is(err, ErrLoop) {
			t.Error(err)
		}
	}
}

func TestLoopOfUnixSockets(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("symlinks need rights there")
	}
	dir := t.TempDir()
	path, link := filepath.Join(dir, "socket"), filepath.Join(dir, "link")
	ln, errs := onSockets(t, &Relay{Targets: []string{link}}, path, nil)
	if err := os.Symlink(path, link); err != nil { // later than any Check
		t.Fatal(err)
	}
	c, err := parley.Dial(t.Context(), ln.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := <-errs; !errors.Is(err, ErrLoop) {
		t.Error(err)
	}
}

// Callers of one socket are sent to the other, by a name that Check knew nothing of, and the other way round.
func TestLoopOfTwoUnixSockets(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("symlinks need rights there")
	}
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"a", "b"} {
		if err := os.Symlink(in(name), in("to-"+name)); err != nil {
			t.Fatal(err)
		}
	}
	r := &Relay{Targets: []string{in("to-b"), in("to-a")}, Balance: RoundRobin}
	var calls atomic.Int64
	r.Dial = func(ctx context.Context, address string) (*parley.Conn, error) {
		if calls.Add(1) > 1 {
			return nil, errors.New("it has called itself")
		}
		return parley.Dial(ctx, address)
	}
	t.Cleanup(func() { // when both have ended
		if len(r.doors) > 0 {
			t.Errorf("callers are left: %v", r.doors)
		}
	})
	a, _ := onSockets(t, r, in("a"), nil)
	_, errs := onSockets(t, r, in("b"), nil)
	c, err := parley.Dial(t.Context(), a.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := <-errs; !errors.Is(err, ErrLoop) || !strings.Contains(err.Error(), in("to-a")) {
		t.Error(err)
	}
}

// Two TCP sockets may share a port for different destinations, and a port may be used again at once.
func TestNoLoop(t *testing.T) {
	r := new(Relay)
	r.once.Do(r.setup)
	at := func(s string) net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(s)) }
	here, there := at("127.0.0.1:7070"), at("127.0.0.1:80")
	caller := at("127.0.0.1:50000")
	old, anew := new(pair), new(pair)
	steps := []struct {
		name   string
		p      *pair
		at     passage
		called bool
		other  *pair
	}{
		{"a caller", old, passageOf(caller, here), true, nil},
		{"a call from its port to another place", old, passageOf(caller, there), false, nil},
		{"the next from there, before the first is forgotten", anew, passageOf(caller, here), true, nil},
		{"a call of ours, to ourselves", anew, passageOf(caller, here), false, anew},
		{"another caller", anew, passageOf(at("127.0.0.1:50001"), here), true, nil},
		{"a mapped one", old, passageOf(at("[::ffff:127.0.0.1]:50001"), here), false, anew},
		{"no sockets", old, passageOf(&net.UnixAddr{}, nil), true, nil},
	}
	for _, step := range steps {
		if got := r.enter(step.p, step.at, step.called); got != step.other {
			t.Errorf("%s: %p, want %p", step.name, got, step.other)
		}
	}
	r.leave(old, passageOf(caller, here))
	if len(r.passages) != 3 {
		t.Errorf("%d passages, want those of a caller, a call and the other caller", len(r.passages))
	}
}
