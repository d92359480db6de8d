package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"parley"
	"parley/parleytest"
)

// A yard has a Relay on mem:front of a network in memory, in a bubble of virtual time.
type yard struct {
	*testing.T
	cfg    *parley.Config
	relay  *Relay
	served sync.WaitGroup

	mu      sync.Mutex
	dialled map[string]int
	changes []string
	errs    []error // what Handle returned
}

// inYard runs f with r in use.
func inYard(t *testing.T, r *Relay, f func(y *yard)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		y := &yard{T: t, relay: r, dialled: map[string]int{}}
		y.cfg = &parley.Config{Schemes: []parley.Scheme{new(parleytest.Network).Scheme()}}
		if r.Dial == nil {
			r.Dial = y.dial
		}
		r.Changed = func(target string, up bool, why error) {
			if up != (why == nil) {
				t.Errorf("%s: up is %v, and why is %v", target, up, why)
			}
			y.mu.Lock()
			defer y.mu.Unlock()
			y.changes = append(y.changes, fmt.Sprintf("%s %v", target, up))
		}
		stop := y.serve("front", func(ctx context.Context, c *parley.Conn) error {
			err := r.Handle(ctx, c)
			y.mu.Lock()
			defer y.mu.Unlock()
			y.errs = append(y.errs, err)
			return err
		})
		f(y)
		stop()
		y.served.Wait()
		if len(r.passages) > 0 {
			t.Errorf("passages are left: %v", r.passages)
		}
		for _, target := range r.all {
			if target.conns != 0 {
				t.Errorf("%s has %d conversations at the end", target.address, target.conns)
			}
		}
	})
}

func (y *yard) dial(ctx context.Context, address string) (*parley.Conn, error) {
	y.mu.Lock()
	y.dialled[address]++
	y.mu.Unlock()
	return y.cfg.Dial(ctx, address)
}

// serve has h hold the conversations at name, until stop is called.
func (y *yard) serve(name string, h parley.Handler) (stop func()) {
	ln, err := y.cfg.Listen(y.Context(), "mem:"+name)
	if err != nil {
		y.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	y.served.Go(func() {
		defer close(over)
		_ = (&parley.Server{Handler: h, Grace: time.Millisecond}).Serve(ctx, ln)
	})
	return func() { cancel(); <-over }
}

// named has a target answer with its name and all that it has heard, once the caller has ended.
func (y *yard) named(name string) (stop func()) {
	return y.serve(name, func(_ context.Context, c *parley.Conn) error {
		heard, err := io.ReadAll(c)
		fmt.Fprintf(c, "%s heard %q", name, heard)
		return err
	})
}

// call says text, and the end, and returns what it hears.
func (y *yard) call(from, text string) string {
	y.Helper()
	c := y.open(from)
	defer c.Close()
	if _, err := c.Write([]byte(text)); err != nil {
		return err.Error()
	}
	if err := c.CloseWrite(); err != nil {
		return err.Error()
	}
	answer, err := io.ReadAll(c)
	if err != nil {
		return err.Error()
	}
	return string(answer)
}

func (y *yard) open(from string) *parley.Conn {
	y.Helper()
	address := "mem:front"
	if from != "" {
		address += "?from=" + from
	}
	c, err := y.cfg.Dial(y.Context(), address)
	if err != nil {
		y.Fatal(err)
	}
	return c
}

// answerers returns which targets the callers got.
func (y *yard) answerers(callers ...string) (names []string) {
	y.Helper()
	for _, from := range callers {
		name, _, _ := strings.Cut(y.call(from, "x"), " ")
		synctest.Wait() // until the conversation is over for the Relay too
		names = append(names, name)
	}
	return names
}

func (y *yard) want(what string, got, want any) {
	y.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		y.Errorf("%s: %v, want %v", what, got, want)
	}
}

// pass lets virtual time pass.
func pass(d time.Duration) { <-time.After(d) }

// calls returns how often a target was called.
func (y *yard) calls(name string) int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.dialled["mem:"+name]
}

// told returns what Changed was told.
func (y *yard) told() []string {
	y.mu.Lock()
	defer y.mu.Unlock()
	return slices.Clone(y.changes)
}

func (y *yard) lastError() error {
	synctest.Wait()
	y.mu.Lock()
	defer y.mu.Unlock()
	if len(y.errs) == 0 {
		return nil
	}
	return y.errs[len(y.errs)-1]
}

func memTargets(names ...string) (targets []string) {
	for _, name := range names {
		targets = append(targets, "mem:"+name)
	}
	return targets
}

func TestHandleJoins(t *testing.T) {
	var joined, ended int
	r := &Relay{Targets: memTargets("a")}
	r.Joined = func(caller, target *parley.Conn) { joined++ }
	r.Ended = func(_ *parley.Conn, target string, s Stats, err error) {
		ended++
		if target != "mem:a" || s.AtoB.Bytes != 5 || s.BtoA.Bytes != int64(len(`a heard "hello"`)) || err != nil {
			t.Errorf("Ended(%s, %+v, %v)", target, s, err)
		}
	}
	inYard(t, r, func(y *yard) {
		defer y.named("a")()
		y.want("answer", y.call("", "hello"), `a heard "hello"`)
		y.want("error", y.lastError(), nil)
		y.want("joined and ended", []int{joined, ended}, []int{1, 1})
		y.want("changes", y.told(), []string{})
	})
}

func TestAllDown(t *testing.T) {
	inYard(t, &Relay{Targets: memTargets("a", "b")}, func(y *yard) {
		y.want("answer", strings.Contains(y.call("", "hello"), "heard"), false)
		err := y.lastError()
		if !errors.Is(err, ErrNoTarget) || !errors.Is(err, syscall.ECONNREFUSED) {
			y.Errorf("error %v", err)
		}
		text := fmt.Sprint(err)
		if !strings.HasPrefix(text, ErrNoTarget.Error()+": ") || strings.Contains(text, "\n") ||
			strings.Count(text, "mem:a") != 1 || strings.Count(text, "mem:b") != 1 {
			y.Errorf("error %q", text)
		}
		y.call("", "again")
		y.want("calls", []int{y.calls("a"), y.calls("b")}, []int{2, 2})
		y.want("changes", y.told(), []string{"mem:a false", "mem:b false"})
	})
}

func TestRetry(t *testing.T) {
	r := &Relay{Targets: memTargets("a", "b"), RetryFor: time.Minute}
	r.Joined = func(caller, _ *parley.Conn) {
		if _, heard := caller.Bytes(); heard != 0 {
			t.Errorf("%d bytes were heard before there was a target", heard)
		}
	}
	inYard(t, r, func(y *yard) {
		answers := make(chan string, 1)
		go func() { answers <- y.call("", "patience") }()
		pass(30 * time.Second)
		defer y.named("b")()
		y.want("answer", <-answers, `b heard "patience"`)
		y.want("changes", y.told(), []string{"mem:a false", "mem:b false", "mem:b true"})
	})
}

// Who waits goes on at once when somebody else finds a target up.
func TestRetryIsWoken(t *testing.T) {
	inYard(t, &Relay{Targets: memTargets("a"), RetryFor: time.Minute}, func(y *yard) {
		answers := make(chan string, 1)
		go func() { answers <- y.call("", "x") }()
		pass(30*time.Second + time.Millisecond)
		defer y.named("a")()
		began := time.Now()
		y.relay.change(y.relay.all[0], nil)
		y.want("answer", <-answers, `a heard "x"`)
		y.want("virtual time", time.Since(began), time.Duration(0))
	})
}

func TestRetryGivesUp(t *testing.T) {
	inYard(t, &Relay{Targets: memTargets("a"), RetryFor: 10 * time.Second}, func(y *yard) {
		began := time.Now()
		y.call("", "hello")
		y.want("virtual time", time.Since(began), 10*time.Second)
		if err := y.lastError(); !errors.Is(err, ErrNoTarget) {
			y.Error(err)
		}
		y.want("changes", y.told(), []string{"mem:a false"})
	})
}

func TestRetryEndsWithContext(t *testing.T) {
	inYard(t, &Relay{Targets: memTargets("a"), RetryFor: time.Hour}, func(y *yard) {
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(y.Context())
		here, there := net.Pipe()
		defer there.Close()
		over := make(chan error)
		go func() { over <- y.relay.Handle(ctx, parley.NewConn(here, nil)) }()
		pass(time.Minute)
		cancel(why)
		if err := <-over; !errors.Is(err, why) {
			y.Error(err)
		}
	})
}

// Those who wait for a target that is down do not all call it again and again, but all notice when it is up.
func TestManyWait(t *testing.T) {
	const many = 200
	inYard(t, &Relay{Targets: memTargets("a"), RetryFor: time.Hour}, func(y *yard) {
		answers := make(chan string)
		for range many {
			go func() { answers <- y.call("", "x") }()
		}
		pass(time.Minute)
		if n := y.calls("a"); n < many+50 || n > many+100 {
			y.Errorf("%d calls of a target that is down, for %d callers in a minute", n, many)
		}
		defer y.named("a")()
		for range many {
			y.want("answer", <-answers, `a heard "x"`)
		}
		y.want("changes", y.told(), []string{"mem:a false", "mem:a true"})
	})
}

// The caller of a relay that waits for its targets breaks off.
func TestCallerGone(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("it cannot be noticed here without reading")
	}
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	r := &Relay{Targets: []string{nobody.Addr().String()}, RetryFor: time.Minute}
	down := make(chan struct{})
	r.Changed = func(string, bool, error) { close(down) }
	accepted, caller := tcpPair(t)
	over := make(chan error)
	go func() { over <- r.Handle(t.Context(), parley.NewConn(accepted, nil)) }()
	<-down
	if err := caller.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	caller.Close()
	if err := <-over; !errors.Is(err, syscall.ECONNRESET) || errors.Is(err, ErrNoTarget) {
		t.Errorf("error %v", err)
	}
}

// A caller who could not be joined hears no end, but that it was broken off.
func TestBrokenOff(t *testing.T) {
	r := &Relay{Targets: []string{"127.0.0.1:1"}, Dial: func(context.Context, string) (*parley.Conn, error) {
		return nil, syscall.ECONNREFUSED
	}}
	accepted, caller := tcpPair(t)
	defer caller.Close()
	if err := r.Handle(t.Context(), parley.NewConn(accepted, nil)); !errors.Is(err, ErrNoTarget) {
		t.Error(err)
	}
	if n, err := caller.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("the caller hears %d bytes, %v", n, err)
	}
}

// A panic of what is called back ends one conversation.
func TestDialPanics(t *testing.T) {
	r := &Relay{Targets: []string{"a"}, Dial: func(context.Context, string) (*parley.Conn, error) { panic("oh") }}
	here, there := net.Pipe()
	defer there.Close()
	if err := r.Handle(t.Context(), parley.NewConn(here, nil)); err == nil || !strings.Contains(err.Error(), "oh") {
		t.Error(err)
	}
	if a := r.all[0]; a.conns != 0 || a.trying {
		t.Errorf("%d calls are counted, and one is under way: %v", a.conns, a.trying)
	}
}

// What was called is closed, and counted out, when Changed panics.
func TestChangedPanics(t *testing.T) {
	inner, outer := net.Pipe()
	r := &Relay{Targets: []string{"a"}}
	r.Dial = func(context.Context, string) (*parley.Conn, error) { return parley.NewConn(inner, nil), nil }
	r.Changed = func(_ string, up bool, _ error) {
		if up {
			panic("oh")
		}
	}
	r.once.Do(r.setup)
	r.change(r.all[0], errors.New("down"))
	here, there := net.Pipe()
	defer there.Close()
	if err := r.Handle(t.Context(), parley.NewConn(here, nil)); err == nil || !strings.Contains(err.Error(), "oh") {
		t.Error(err)
	}
	if a := r.all[0]; a.conns != 0 || a.trying {
		t.Errorf("%d calls are counted, and one is under way: %v", a.conns, a.trying)
	}
	_ = outer.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := outer.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the target hears %v", err)
	}
}

// A mistake in an address is no outage: nobody waits for it to be mended, or gets another target for it.
func TestMistakeIsFinal(t *testing.T) {
	r := &Relay{Targets: memTargets("a", "b"), RetryFor: time.Minute}
	inner := new(yard)
	r.Dial = func(ctx context.Context, address string) (*parley.Conn, error) {
		c, err := inner.dial(ctx, address)
		if address == "mem:a" {
			return parley.Dial(ctx, "127.0.0.1:1?nodealy")
		}
		return c, err
	}
	inYard(t, r, func(y *yard) {
		inner = y
		began := time.Now()
		y.call("", "x")
		var mistake *parley.AddressError
		if err := y.lastError(); !errors.As(err, &mistake) || errors.Is(err, ErrNoTarget) || !strings.Contains(err.Error(), "nodelay") {
			y.Error(err)
		}
		y.want("virtual time", time.Since(began), time.Duration(0))
		y.want("calls", []int{y.calls("a"), y.calls("b")}, []int{1, 0})
		y.relay.probe(y.Context(), y.relay.all[0])
		y.want("changes", y.told(), []string{})
	})
}

// A shortage of our own, or a caller's end, says nothing of the target.
func TestNotTheTargetsFault(t *testing.T) {
	var short atomic.Bool
	short.Store(true)
	r := &Relay{Targets: memTargets("a"), RetryFor: time.Minute}
	inner := new(yard)
	r.Dial = func(ctx context.Context, address string) (*parley.Conn, error) {
		if short.Load() {
			return nil, fmt.Errorf("dial: %w", syscall.ENFILE)
		}
		return inner.dial(ctx, address)
	}
	inYard(t, r, func(y *yard) {
		inner = y
		defer y.named("a")()
		answers := make(chan string, 1)
		go func() { answers <- y.call("", "x") }()
		pass(10 * time.Second)
		short.Store(false)
		y.want("answer", <-answers, `a heard "x"`)
		y.want("changes", y.told(), []string{})
	})
}

func TestDialTimeout(t *testing.T) {
	r := &Relay{Targets: memTargets("silent", "b")}
	inner := new(yard)
	r.Dial = func(ctx context.Context, address string) (*parley.Conn, error) {
		if address == "mem:silent" {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return inner.dial(ctx, address)
	}
	inYard(t, r, func(y *yard) {
		inner = y
		defer y.named("b")()
		began := time.Now()
		y.want("answer", y.call("", "x"), `b heard "x"`)
		y.want("virtual time", time.Since(began), DefaultDialTimeout)
		y.want("answer", y.call("", "y"), `b heard "y"`)
		y.want("virtual time", time.Since(began), DefaultDialTimeout)
		y.want("changes", y.told(), []string{"mem:silent false"})
	})
}

func tcpPair(t *testing.T) (accepted net.Conn, caller *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	nc, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if accepted, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	return accepted, nc.(*net.TCPConn)
}

func sorted(s []string) []string {
	slices.Sort(s)
	return s
}
