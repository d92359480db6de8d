package relay

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley"
)

func TestProbes(t *testing.T) {
	inYard(t, &Relay{Targets: memTargets("a", "b"), ProbeEvery: 10 * time.Second}, func(y *yard) {
		defer y.named("b")()
		ctx, stop := context.WithCancel(y.Context())
		over := make(chan error)
		go func() { over <- y.relay.Run(ctx) }()
		pass(time.Minute)
		y.want("changes", y.told(), []string{"mem:a false"})
		if n := y.calls("a"); n < 6 || n > 8 {
			y.Errorf("%d probes in a minute", n)
		}
		before := y.calls("a")
		for range 100 {
			y.want("answer", y.call("", "x"), `b heard "x"`)
		}
		y.want("callers given to a target that its probe finds down", y.calls("a")-before, 0)
		stopA := y.named("a")
		pass(12 * time.Second)
		y.want("answer", y.call("", "x"), `a heard "x"`)
		stopA()
		pass(12 * time.Second)
		y.want("changes", y.told(), []string{"mem:a false", "mem:a true", "mem:a false"})
		stop()
		y.want("Run", <-over, nil)
	})
}

// If all are down callers do not wait for probes.
func TestRetryBetweenProbes(t *testing.T) {
	inYard(t, &Relay{Targets: memTargets("a"), ProbeEvery: time.Hour, RetryFor: time.Minute}, func(y *yard) {
		ctx, stop := context.WithCancel(y.Context())
		over := make(chan error)
		go func() { over <- y.relay.Run(ctx) }()
		synctest.Wait()
		answers := make(chan string, 1)
		go func() { answers <- y.call("", "x") }()
		pass(10 * time.Second)
		defer y.named("a")()
		y.want("answer", <-answers, `a heard "x"`)
		stop()
		<-over
	})
}

func TestProbesNeverOverlap(t *testing.T) {
	var mu sync.Mutex
	now, most, all := 0, 0, 0
	count := func(n int) {
		mu.Lock()
		defer mu.Unlock()
		if now += n; n > 0 {
			all++
		}
		most = max(most, now)
	}
	r := &Relay{Targets: []string{"a"}, ProbeEvery: time.Second, DialTimeout: 25 * time.Second}
	r.Dial = func(ctx context.Context, address string) (*parley.Conn, error) {
		count(1)
		defer count(-1)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), time.Hour)
		defer stop()
		if err := r.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	if most != 1 || all < 100 {
		t.Errorf("%d probes at once, %d in all", most, all)
	}
}

func TestRunWithoutProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), time.Hour)
		defer stop()
		began := time.Now()
		if err := new(Relay).Run(ctx); err != nil || time.Since(began) != time.Hour {
			t.Errorf("Run returned %v after %v", err, time.Since(began))
		}
	})
}

func TestIsProbed(t *testing.T) {
	tests := map[string]bool{
		"7070": true, "host:80": true, "tls:host:443": true, "/run/socket": true, "@name": true, "unix:/x?type=seqpacket": true,
		"mem:x": true, "udp:host:53": false, "udp6://host:53": false, "unix:/x?type=datagram": false, "-": false,
		"stdio:": false, "exec:cat": false, "exec://cat": false, "file:x": false, "fd:3": false, "pty:": false, "pipe:/x": false,
	}
	for address, want := range tests {
		if got := newTarget(address).probed; got != want {
			t.Errorf("%s is probed: %v", address, got)
		}
	}
}

// Changed hears the changes one after the other, and each once, however many find out.
func TestChangesInOrder(t *testing.T) {
	r := &Relay{Targets: []string{"a"}}
	up, inside := true, false
	r.Changed = func(_ string, now bool, _ error) {
		if inside || now == up {
			t.Error("a change was told twice, or two at once")
		}
		inside, up = true, now
		inside = false
	}
	r.once.Do(r.setup)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 200 {
				var why error
				if i%2 == 0 {
					why = fmt.Errorf("down")
				}
				r.change(r.all[0], why)
			}
		})
	}
	all.Wait()
}
