//go:build !race

package relay_test

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"testing"

	"parley"
	"parley/relay"
)

// An idle pair behind a Server takes two goroutines, which need no more than their first 2 KiB of stack, and little memory
// beside. It is measured in a process of its own, as stacks that others have used are used again. The race detector makes
// them larger.
func TestIdlePairsAreSmall(t *testing.T) {
	if os.Getenv("RELAY_IDLE") == "" {
		child := exec.Command(os.Args[0], "-test.run=^TestIdlePairsAreSmall$", "-test.v")
		child.Env = append(os.Environ(), "RELAY_IDLE=measure")
		out, err := child.CombinedOutput()
		if t.Logf("%s", out); err != nil {
			t.Error(err)
		}
		return
	}
	const many = 2000
	stack, heap, goroutines := idlePairs(t, many)
	t.Logf("an idle pair has %d bytes of stack and %d of heap, in %.2f goroutines", stack/many, heap/many, float64(goroutines)/many)
	if stack/many > 5<<10 || goroutines > 2*many+10 {
		t.Error("that is too much")
	}
}

// idlePairs returns how much more there is while so many pairs wait: of the relay's ends only, as the others have no
// goroutines, but their memory counts.
func idlePairs(t *testing.T, many int) (stack, heap int64, goroutines int) {
	ctx, stop := context.WithCancel(t.Context())
	front, err := parley.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	back, err := parley.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dialled := make(chan *parley.Conn, 1)
	held := make(chan [2]*parley.Conn, many)
	server := &parley.Server{Grace: 1, Handler: func(ctx context.Context, c *parley.Conn) error {
		to := <-dialled
		held <- [2]*parley.Conn{c, to}
		_, err := relay.Join(ctx, c, to, nil)
		return err
	}}
	over := make(chan error, 1)
	go func() { over <- server.Serve(ctx, front) }()
	clients, targets := make([]*parley.Conn, many), make([]*parley.Conn, many)
	before := memory()
	for i := range many {
		to, err := parley.Dial(ctx, back.Address()) // not by the handler, whose stack that would make larger for good
		if err != nil {
			t.Fatal(err)
		}
		dialled <- to
		if clients[i], err = parley.Dial(ctx, front.Address()); err != nil {
			t.Fatal(err)
		}
		nc, err := back.Accept()
		if err != nil {
			t.Fatal(err)
		}
		targets[i] = nc.(*parley.Conn)
	}
	for range many {
		for _, c := range <-held {
			for c.State().Hearing.IsZero() {
				runtime.Gosched()
			}
		}
	}
	after := memory()
	stop()
	<-over
	for i := range many {
		clients[i].Close()
		targets[i].Close()
	}
	back.Close()
	return after.stack - before.stack, after.heap - before.heap, after.goroutines - before.goroutines
}

type usage struct {
	stack, heap int64
	goroutines  int
}

func memory() usage {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return usage{int64(stats.StackInuse), int64(stats.HeapInuse), runtime.NumGoroutine()}
}
