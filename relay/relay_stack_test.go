//go:build !race

package relay

import (
	"context"
	"net"
	"os"
	"os/exec"
	"runtime"
	"testing"

	"parley"
)

// Both goroutines of a conversation in which nothing happens need no more than their first 2 KiB of stack. It is measured in
// a process of its own, as stacks that others have used are used again. The race detector makes them larger.
func TestWaitsInSmallStacks(t *testing.T) {
	if os.Getenv("RELAY_STACK") == "" {
		child := exec.Command(os.Args[0], "-test.run=^TestWaitsInSmallStacks$")
		child.Env = append(os.Environ(), "RELAY_STACK=measure", "GODEBUG=adaptivestackstart=0") // which makes all stacks larger if most are
		out, err := child.CombinedOutput()
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	const many = 500
	target, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	joined := make(chan *parley.Conn, many)
	r := &Relay{Targets: []string{target.Addr().String()}}
	r.Joined = func(caller, _ *parley.Conn) { joined <- caller }
	ln, err := parley.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan error)
	go func() { over <- (&parley.Server{Handler: r.Handle, Grace: -1}).Serve(ctx, ln) }()
	runtime.GC()
	before := stacks()
	var ends []net.Conn
	for range many {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		end, err := target.Accept()
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, c, end)
		for caller := <-joined; caller.State().Hearing.IsZero(); {
			runtime.Gosched()
		}
	}
	runtime.GC() // for the stacks of those who found the target
	per := (stacks() - before) / many
	t.Logf("%d bytes of stack for each conversation", per)
	if per > 5<<10 {
		t.Errorf("a waiting conversation has %d bytes of stack", per)
	}
	for _, end := range ends {
		end.Close()
	}
	stop()
	<-over
}

func stacks() int64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.StackInuse)
}
