package meter

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"parley"
)

// pipe returns both ends of a TCP conversation on this machine; cfg is the accepted end's.
func pipe(t testing.TB, cfg *parley.Config) (caller, accepted *parley.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	out, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	in, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	caller, accepted = parley.NewConn(out, nil), parley.NewConn(in, cfg)
	t.Cleanup(func() { caller.Close(); accepted.Close() })
	return caller, accepted
}

func BenchmarkHandler(b *testing.B) {
	caller, _ := pipe(b, nil)
	h := New().Handler("none", func(context.Context, *parley.Conn) error { return io.EOF })
	for b.Loop() {
		_ = h(b.Context(), caller)
	}
}

// BenchmarkFrame is what a frame heard and its reply cost, with as many conversations as there are processors.
func BenchmarkFrame(b *testing.B) {
	m := New()
	observe := m.Observe("answer")
	b.RunParallel(func(p *testing.PB) {
		_, c := pipe(b, nil)
		m.service("answer").enter(c)
		now := time.Now()
		for p.Next() {
			observe(parley.Event{Kind: parley.Heard, Conn: c, Time: now})
			observe(parley.Event{Kind: parley.Said, Conn: c, Time: now})
		}
	})
}
