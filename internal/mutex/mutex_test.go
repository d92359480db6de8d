package mutex

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestExcludes(t *testing.T) {
	var m Mutex
	var wg sync.WaitGroup
	n := 0
	for range 8 {
		wg.Go(func() {
			for range 2000 {
				if err := m.Lock(t.Context()); err != nil {
					t.Error(err)
					return
				}
				n++
				m.Unlock()
			}
		})
	}
	wg.Wait()
	if n != 8*2000 {
		t.Errorf("counted %d, want %d: two goroutines held the mutex at once", n, 8*2000)
	}
}

func TestGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m Mutex
		if err := m.Lock(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := m.Lock(ctx); err != context.DeadlineExceeded {
			t.Errorf("Lock of a held mutex: %v, want the end of the context", err)
		}
		// Whoever gave up must not keep others from it.
		got := make(chan error)
		go func() { got <- m.Lock(t.Context()) }()
		synctest.Wait()
		m.Unlock()
		if err := <-got; err != nil {
			t.Errorf("Lock after Unlock: %v", err)
		}
		m.Unlock()
	})
}

func BenchmarkMutex(b *testing.B) {
	var m Mutex
	for b.Loop() {
		_ = m.Lock(context.Background())
		m.Unlock()
	}
}

func BenchmarkChannel(b *testing.B) {
	slot := make(chan struct{}, 1)
	for b.Loop() {
		select {
		case slot <- struct{}{}:
		default:
		}
		<-slot
	}
}
