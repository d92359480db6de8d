package guard

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// everywhere finds the same addresses for all names.
func everywhere(addrs ...netip.Addr) func(context.Context, string) ([]netip.Addr, error) {
	return func(context.Context, string) ([]netip.Addr, error) { return addrs, nil }
}

// A phoneBook finds what is in it.
type phoneBook map[string][]netip.Addr

var errUnknown = errors.New("no such host")

func (b phoneBook) lookup(_ context.Context, host string) ([]netip.Addr, error) {
	if addrs, ok := b[host]; ok {
		return addrs, nil
	}
	return nil, errUnknown
}

func addrs(texts ...string) (list []netip.Addr) {
	for _, s := range texts {
		list = append(list, netip.MustParseAddr(s))
	}
	return list
}

func decides(t *testing.T, r *Rules, caller string, want bool, rule string) {
	t.Helper()
	if ok, got := r.Allows(tcp(caller)); ok != want || got != rule {
		t.Errorf("%s: got %v by %q, want %v by %q", caller, ok, got, want, rule)
	}
}

func TestHosts(t *testing.T) {
	r := read(t, "allow B.example, a.example.\ndeny 10.0.0.1\ndeny b.example")
	if got := r.Hosts(); !slices.Equal(got, []string{"b.example", "a.example"}) {
		t.Errorf("Hosts are %v", got)
	}
}

func TestResolve(t *testing.T) {
	r := read(t, "allow 10.0.0.0/8\ndeny bad.example\nallow good.example, 10.0.0.3")
	book := phoneBook{"bad.example": addrs("10.0.0.1", "::ffff:10.0.0.3"), "good.example": addrs("10.0.0.1", "10.0.0.2", "fe80::1%eth0")}
	if err := r.Resolve(t.Context(), book.lookup); err != nil {
		t.Fatal(err)
	}
	decides(t, r, "10.0.0.1", false, "rules:2: deny bad.example (10.0.0.1)")
	decides(t, r, "10.0.0.2", true, "rules:3: allow good.example (10.0.0.2)")
	decides(t, r, "10.0.0.3", false, "rules:2: deny bad.example (10.0.0.3)")
	decides(t, r, "10.0.0.4", true, "rules:1: allow 10.0.0.0/8")
	decides(t, r, "fe80::1%eth0", true, "rules:3: allow good.example (fe80::1%eth0)")
	decides(t, r, "fe80::1%eth1", false, "no rule allows it")

	// A name that moves, and one that cannot be looked up any more.
	delete(book, "good.example")
	book["bad.example"] = addrs("10.0.0.4")
	err := r.Resolve(t.Context(), book.lookup)
	const want = "rules:3: allow good.example: cannot look up good.example, which keeps the addresses [10.0.0.1 10.0.0.2 fe80::1%eth0]: no such host"
	if !errors.Is(err, errUnknown) || err.Error() != want {
		t.Errorf("got the error\n %v, want\n %s", err, want)
	}
	decides(t, r, "10.0.0.1", true, "rules:3: allow good.example (10.0.0.1)")
	decides(t, r, "10.0.0.4", false, "rules:2: deny bad.example (10.0.0.4)")
}

func TestResolveNothing(t *testing.T) {
	r := read(t, "deny no.example\ndeny empty.example, strange.example")
	err := r.Resolve(t.Context(), phoneBook{"empty.example": nil, "strange.example": make([]netip.Addr, 1)}.lookup)
	for _, want := range []string{
		"rules:1: deny no.example: cannot look up no.example, so the rule is for nobody yet: no such host",
		"rules:2: deny empty.example: cannot look up empty.example, so the rule is for nobody yet: it has no addresses",
		"strange.example",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error %v lacks %q", err, want)
		}
	}
	decides(t, r, "10.0.0.1", true, "")
}

func TestResolveEndedContext(t *testing.T) {
	r := read(t, "deny a.example")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Resolve(ctx, everywhere(addrs("10.0.0.1")...)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// One name that takes its time must not hold up all the others, nor may they all be looked up at once.
func TestResolveAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := read(t, "deny "+strings.Repeat("a.example, b.example, ", 50)+"c.example"+manyHosts(31))
		var now, most atomic.Int32
		slow := func(context.Context, string) ([]netip.Addr, error) {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
			return addrs("10.0.0.1"), nil
		}
		began := time.Now()
		if err := r.Resolve(t.Context(), slow); err != nil {
			t.Fatal(err)
		}
		// 34 names, 8 at a time
		if took := time.Since(began); took != 5*time.Second || most.Load() != lookupsAtOnce {
			t.Errorf("took %v with %d lookups at once, want 5s with %d", took, most.Load(), lookupsAtOnce)
		}
	})
}

func manyHosts(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(", h" + strings.Repeat("x", i) + ".example")
	}
	return b.String()
}

func TestResolveBesideAllows(t *testing.T) {
	r := read(t, "deny a.example")
	var done atomic.Bool
	var workers sync.WaitGroup
	workers.Go(func() {
		for !done.Load() {
			if ok, rule := r.Allows(tcp("10.0.0.1")); ok && rule != "" || !ok && rule != "rules:1: deny a.example (10.0.0.1)" {
				t.Errorf("got %v by %q", ok, rule)
			}
		}
	})
	for range 100 {
		workers.Go(func() { _ = r.Resolve(t.Context(), everywhere(addrs("10.0.0.1")...)) })
	}
	r.Join(r).TakeAddresses(r)
	if err := r.Resolve(t.Context(), everywhere(addrs("10.0.0.1")...)); err != nil {
		t.Error(err)
	}
	done.Store(true)
	workers.Wait()
	decides(t, r, "10.0.0.1", false, "rules:1: deny a.example (10.0.0.1)")
}

// Rules read anew while names cannot be looked up go on with what is known.
func TestTakeAddresses(t *testing.T) {
	old := read(t, "deny a.example\ndeny b.example")
	book := phoneBook{"a.example": addrs("10.0.0.1"), "b.example": addrs("10.0.0.2")}
	if err := old.Resolve(t.Context(), book.lookup); err != nil {
		t.Fatal(err)
	}
	anew := read(t, "deny a.example\ndeny c.example\nallow all")
	anew.TakeAddresses(old)
	anew.TakeAddresses(nil)
	anew.TakeAddresses(anew)
	decides(t, anew, "10.0.0.1", false, "rules:1: deny a.example (10.0.0.1)")
	decides(t, anew, "10.0.0.2", true, "rules:3: allow all")
	err := anew.Resolve(t.Context(), phoneBook{}.lookup)
	if err == nil || !strings.Contains(err.Error(), "keeps the addresses [10.0.0.1]") {
		t.Errorf("got %v, want that the address is kept", err)
	}
	decides(t, anew, "10.0.0.1", false, "rules:1: deny a.example (10.0.0.1)")
	decides(t, anew.Join(read(t, "")), "10.0.0.1", false, "rules:1: deny a.example (10.0.0.1)")
}
