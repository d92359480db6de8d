package relay

import (
	"fmt"
	"io"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestParseBalance(t *testing.T) {
	for _, b := range []Balance{First, RoundRobin, Least, Hash} {
		if got, err := ParseBalance(b.String()); err != nil || got != b {
			t.Errorf("ParseBalance(%q) = %v, %v", b, got, err)
		}
	}
	if _, err := ParseBalance("best"); err == nil {
		t.Error("best is a way to balance")
	}
	if got := Balance(7).String(); got != "Balance(7)" {
		t.Error(got)
	}
}

func TestBalance(t *testing.T) {
	tests := []struct {
		balance Balance
		callers []string
		want    []string
	}{
		{First, []string{"x", "y", "z"}, []string{"a", "a", "a"}},
		{RoundRobin, []string{"x", "x", "x", "x"}, []string{"a", "b", "c", "a"}},
		{Least, []string{"x", "x", "x", "x"}, []string{"a", "b", "c", "a"}}, // nobody has any left
		{Hash, []string{"x", "x", "x"}, []string{"c", "c", "c"}},
		{Hash, []string{"w", "x", "y", "z"}, []string{"a", "c", "c", "a"}}, // by the scores, which must not change
	}
	for _, test := range tests {
		t.Run(test.balance.String(), func(t *testing.T) {
			inYard(t, &Relay{Targets: memTargets("a", "b", "c"), Balance: test.balance}, func(y *yard) {
				for _, name := range []string{"a", "b", "c"} {
					defer y.named(name)()
				}
				y.want("answerers", y.answerers(test.callers...), test.want)
			})
		})
	}
}

// A target that is named twice has two turns.
func TestTurns(t *testing.T) {
	inYard(t, &Relay{Targets: memTargets("a", "a", "b"), Balance: RoundRobin}, func(y *yard) {
		defer y.named("a")()
		defer y.named("b")()
		y.want("answerers", y.answerers("x", "x", "x", "x", "x", "x"), []string{"a", "a", "b", "a", "a", "b"})
	})
}

func TestLeast(t *testing.T) {
	inYard(t, &Relay{Targets: memTargets("a", "b"), Balance: Least}, func(y *yard) {
		defer y.named("a")()
		defer y.named("b")()
		first, second := y.open(""), y.open("")
		defer first.Close()
		pass(time.Second)
		if err := second.CloseWrite(); err != nil {
			y.Error(err)
		}
		answer, err := io.ReadAll(second)
		if err != nil {
			y.Error(err)
		}
		second.Close()
		synctest.Wait()
		free := string(answer[:1])
		y.want("answerers", y.answerers("x", "x", "x"), []string{free, free, free})
	})
}

// A target that goes moves its own callers only, and all get about the same number of them.
func TestHashMovesFew(t *testing.T) {
	const hosts = 6000
	var targets []*target
	for i := range 6 {
		targets = append(targets, newTarget(fmt.Sprintf("10.0.0.%d:80", i)))
	}
	gone := targets[2]
	fewer := slices.DeleteFunc(slices.Clone(targets), func(t *target) bool { return t == gone })
	got := map[*target]int{}
	for i := range hosts {
		host := fmt.Sprintf("192.168.%d.%d", i/250, i%250)
		before, after := Hash.choose(targets, host, i), Hash.choose(fewer, host, i)
		if got[before]++; before != gone && after != before {
			t.Fatalf("%s moved from %s to %s", host, before.address, after.address)
		}
	}
	fair := float64(hosts) / float64(len(targets))
	for target, n := range got {
		if math.Abs(float64(n)-fair) > 5*math.Sqrt(fair) {
			t.Errorf("%s has %d of %d hosts", target.address, n, hosts)
		}
	}
}

func TestDownIsLeftOut(t *testing.T) {
	for _, balance := range []Balance{First, RoundRobin, Least, Hash} {
		inYard(t, &Relay{Targets: memTargets("a", "b"), Balance: balance}, func(y *yard) {
			defer y.named("b")()
			y.want("answerers", y.answerers("v", "w", "x", "y", "z"), []string{"b", "b", "b", "b", "b"})
			y.want("calls of a", y.calls("a"), 1)
			y.want("changes", y.told(), []string{"mem:a false"})
			pass(time.Hour)
			y.want("answerers", sorted(y.answerers("w", "x", "y", "z")), []string{"b", "b", "b", "b"})
			y.want("calls of a", y.calls("a"), 2)
			stop := y.named("a")
			defer stop()
			pass(time.Hour)
			if got := y.answerers("w", "x", "y", "z"); !slices.Contains(got, "a") {
				y.Errorf("%v: a is up again, but nobody got it: %v", balance, got)
			}
			y.want("changes", y.told(), []string{"mem:a false", "mem:a true"})
		})
	}
}
