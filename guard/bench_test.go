package guard

import (
	"context"
	"net"
	"runtime"
	"testing"
	"time"

	"parley"
)

// What an idle conversation costs in stack and heap, the caller's end included, without a Guard and behind one. A Guard
// whose Handler needs too much stack shows as 4 KiB instead of 2.
func BenchmarkIdle(b *testing.B) {
	for name, g := range map[string]*Guard{
		"bare":    {},
		"limited": {MaxConns: 1e6, MaxPerHost: 1e6, Rate: 1e6},
		"hurried": {MaxConns: 1e6, MaxPerHost: 1e6, Rate: 1e6, FirstFrameWithin: time.Hour},
		"bounded": {MaxTime: time.Hour},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				stack, heap := idleCost(b, g.Handler(hearAll), 2000)
				b.ReportMetric(stack, "stack-B/conv")
				b.ReportMetric(heap, "heap-B/conv")
			}
		})
	}
}

func hearAll(ctx context.Context, c *parley.Conn) error {
	for {
		if _, err := c.Receive(ctx); err != nil {
			return err
		}
	}
}

func idleCost(b *testing.B, h parley.Handler, n int) (stack, heap float64) {
	ln, err := parley.Listen(b.Context(), "tcp:127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	served := make(chan error, 1)
	before := memory()
	go func() { served <- (&parley.Server{Handler: h}).Serve(ctx, ln) }()
	callers := make([]net.Conn, n)
	for i := range callers {
		if callers[i], err = net.Dial("tcp", ln.Addr().String()); err != nil {
			b.Fatal(err)
		}
		callers[i].Write([]byte("hello\n"))
	}
	after := memory()
	for _, c := range callers {
		c.Close()
	}
	stop()
	if err := <-served; err != nil {
		b.Fatal(err)
	}
	return float64(after.StackInuse-before.StackInuse) / float64(n), float64(after.HeapAlloc-before.HeapAlloc) / float64(n)
}

func memory() (m runtime.MemStats) {
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m
}

func BenchmarkGuard(b *testing.B) {
	for name, g := range map[string]*Guard{
		"conns": {MaxConns: 1e6}, "all": {MaxConns: 1e6, MaxPerHost: 1e6, Rate: 1e12, FirstFrameWithin: time.Hour},
	} {
		b.Run(name, func(b *testing.B) {
			h := g.Handler(func(context.Context, *parley.Conn) error { return nil })
			here, there := net.Pipe()
			defer here.Close()
			defer there.Close()
			c := parley.NewConn(addressed{here, tcp("10.0.0.1")}, nil)
			b.ReportAllocs()
			for b.Loop() {
				if err := h(b.Context(), c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
