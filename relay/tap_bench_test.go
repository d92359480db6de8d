package relay

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"parley"
	"parley/frame"
	"parley/parleytest"
)

// The cost of a Tap in the path of the bytes. The Tap's goroutine works at the same time, and what it cannot follow is
// lost, as the last column tells.
func BenchmarkTapPiece(b *testing.B) {
	for _, size := range []int{64, 64 << 10} {
		for name, opts := range map[string]TapOptions{
			"pieces": {},
			"all":    {Keep: -1},
			"lines":  {Frame: [2]frame.Format{frame.Line(), frame.Line()}},
		} {
			b.Run(fmt.Sprintf("%d/%s", size, name), func(b *testing.B) {
				c := benchTap(b, opts)
				p := bytes.Repeat([]byte("a line of sixty-four bytes, as the programs of this world say..\n"), size/64)
				b.SetBytes(int64(len(p)))
				b.ReportAllocs()
				for b.Loop() {
					c.piece(0, p, false)
				}
				reportLost(b, c)
			})
		}
	}
}

// How much a Tap's goroutine can write: who says something waits until there is room.
func BenchmarkTapWrites(b *testing.B) {
	for _, size := range []int{64, 64 << 10} {
		for name, opts := range map[string]TapOptions{
			"pieces": {},
			"lines":  {Frame: [2]frame.Format{frame.Line(), frame.Line()}},
		} {
			b.Run(fmt.Sprintf("%d/%s", size, name), func(b *testing.B) {
				c := benchTap(b, opts)
				p := bytes.Repeat([]byte("a line of sixty-four bytes, as the programs of this world say..\n"), size/64)
				b.SetBytes(int64(len(p)))
				b.ReportAllocs()
				for b.Loop() {
					for lost := int64(1); lost > 0; {
						before, _ := c.tap.Lost()
						c.piece(0, p, false)
						now, _ := c.tap.Lost()
						if lost = now - before; lost > 0 {
							time.Sleep(100 * time.Microsecond)
						}
					}
				}
				if err := c.tap.Close(); err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}

// A million lines of 64 bytes a second, each a piece of its own or 64 in one: how many are lost.
func BenchmarkTapMillion(b *testing.B) {
	for _, inPiece := range []int{1, 64} {
		b.Run(fmt.Sprintf("%d in a piece", inPiece), func(b *testing.B) {
			c := benchTap(b, TapOptions{Frame: [2]frame.Format{frame.Line(), frame.Line()}})
			p := bytes.Repeat([]byte("a line of sixty-four bytes, as the programs of this world say..\n"), inPiece)
			due := time.Now()
			for b.Loop() {
				if ahead := time.Until(due); ahead > time.Millisecond {
					time.Sleep(ahead)
				}
				c.piece(0, p, false)
				due = due.Add(time.Duration(inPiece) * time.Microsecond)
			}
			reportLost(b, c)
		})
	}
}

// A request and a reply, with a pause in which the Tap's goroutine goes to sleep: what waking it costs.
func BenchmarkTapWakes(b *testing.B) {
	c := benchTap(b, TapOptions{})
	p := make([]byte, 64)
	b.ReportAllocs()
	for b.Loop() {
		c.piece(0, p, false)
		for end := time.Now().Add(20 * time.Microsecond); time.Now().Before(end); {
		}
	}
	reportLost(b, c)
}

func benchTap(b *testing.B, opts TapOptions) *tapped {
	t := NewTap(io.Discard, opts)
	b.Cleanup(func() { _ = t.Close() })
	x, y := tapPair(b)
	return t.open(x, y, [2]string{"client", "server"})
}

func reportLost(b *testing.B, c *tapped) {
	lost, _ := c.tap.Lost()
	b.ReportMetric(100*float64(lost)/float64(b.N), "%lost")
}

// tapPair is a conversation's two ends.
func tapPair(t testing.TB) (a, b *parley.Conn) {
	cfg := &parley.Config{Schemes: []parley.Scheme{new(parleytest.Network).Scheme()}}
	ln, err := cfg.Listen(t.Context(), "mem:server")
	if err != nil {
		t.Fatal(err)
	}
	a, err = cfg.Dial(t.Context(), "mem:server")
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	b = accepted.(*parley.Conn)
	t.Cleanup(func() { a.Close(); b.Close(); ln.Close() })
	return a, b
}
