package merge

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
)

type closer struct{ n atomic.Int32 }

func (c *closer) Close() error { c.n.Add(1); return nil }

func TestMerge(t *testing.T) {
	m := New[int]()
	over := new(closer)
	m.Go(func() {
		b := m.Batch()
		b.Items = append(b.Items, 1, 2)
		m.Pass(t.Context(), b)
		m.Go(func() { // a feed may start others
			b := m.Batch()
			b.Items, b.Over = append(b.Items, 3), over
			m.Pass(t.Context(), b)
		})
	})
	broken := errors.New("broken")
	m.Go(func() {
		b := m.Batch()
		b.Err, b.Of = broken, 4
		m.Pass(t.Context(), b)
	})
	var got []int
	m.Each(func(n int, err error) bool {
		if (n == 4) != (err == broken) {
			t.Errorf("%d with %v", n, err)
		}
		got = append(got, n)
		return true
	})
	m.Finish()
	if slices.Sort(got); !slices.Equal(got, []int{1, 2, 3, 4}) {
		t.Errorf("got %v", got)
	}
	if n := over.n.Load(); n != 1 {
		t.Errorf("closed %d times", n)
	}
}

// TestLeftEarly: the loop is left, and every feed is let go.
func TestLeftEarly(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	m := New[int]()
	over := new(closer)
	let := make(chan bool, 2)
	for range 2 {
		m.Go(func() {
			for {
				b := m.Batch()
				b.Items, b.Over = append(b.Items, 1), over
				if !m.Pass(ctx, b) {
					let <- true
					return
				}
			}
		})
	}
	m.Each(func(int, error) bool { return false })
	cancel()
	m.Finish()
	<-let
	<-let
}
