//go:build !race

package meter

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"testing"

	"parley"
)

// A conversation that waits for a frame below a Meter's Handler needs no more than a goroutine's first 2 KiB of stack. It is
// measured in a process of its own, as stacks that others have used are used again. The race
// detector makes them larger.
func TestWaitsInSmallStack(t *testing.T) {
	if os.Getenv("METER_STACK") == "" {
		child := exec.Command(os.Args[0], "-test.run=^TestWaitsInSmallStack$")
		child.Env = append(os.Environ(), "METER_STACK=measure")
		if out, err := child.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	const many = 500
	m := New()
	h := m.Handler("idle", func(ctx context.Context, c *parley.Conn) error {
		_, err := c.Receive(ctx)
		return err
	})
	if per := serveIdle(t, many, h, m.Observe("idle")) / many; per > 3<<10 {
		t.Errorf("a waiting conversation has %d bytes of stack", per)
	}
}

// serveIdle returns how many bytes of stack more there are while so many conversations wait.
func serveIdle(t *testing.T, many int, h parley.Handler, observe func(parley.Event)) int64 {
	ctx, stop := context.WithCancel(t.Context())
	cfg := &parley.Config{Observe: observe}
	ln, err := cfg.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	held := make(chan *parley.Conn, many)
	server := &parley.Server{Handler: func(ctx context.Context, c *parley.Conn) error {
		held <- c
		return h(ctx, c)
	}}
	over := make(chan error, 1)
	go func() { over <- server.Serve(ctx, ln) }()
	before := stacks()
	for range many {
		c, err := parley.Dial(ctx, ln.Address())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	for range many {
		for c := <-held; c.State().Hearing.IsZero(); {
			runtime.Gosched()
		}
	}
	grown := stacks() - before
	stop()
	<-over
	return grown
}

func stacks() int64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.StackInuse)
}
