// Package merge brings what many goroutines hear to one loop.
package merge

import (
	"context"
	"io"
	"sync"
)

// A Merger has feeds, each a goroutine, and one loop. Things travel in batches, all that one read brought, so that handing
// over costs little however short they are.
type Merger[T any] struct {
	out   chan *Batch[T]
	feeds sync.WaitGroup
	spare sync.Pool
}

// A Batch is handed over at once.
type Batch[T any] struct {
	Items []T
	Err   error     // told after the items
	Of    T         // what Err is told with
	Over  io.Closer // closed when the loop has done with all the rest; nil: nothing
}

// New returns a Merger without feeds.
func New[T any]() *Merger[T] {
	return &Merger[T]{out: make(chan *Batch[T]), spare: sync.Pool{New: func() any { return new(Batch[T]) }}}
}

// Go starts a feed. Once Each runs, only feeds may start others.
func (m *Merger[T]) Go(feed func()) { m.feeds.Go(feed) }

// Batch returns an empty one.
func (m *Merger[T]) Batch() *Batch[T] { return m.spare.Get().(*Batch[T]) }

// Pass hands b over, which is then no longer the feed's; false means that nobody wants it any more.
func (m *Merger[T]) Pass(ctx context.Context, b *Batch[T]) bool {
	select {
	case m.out <- b:
		return true
	case <-ctx.Done():
		return false
	}
}

// Each is the loop. It ends when all feeds have, or when yield returns false.
func (m *Merger[T]) Each(yield func(T, error) bool) {
	go m.closeWhenFed()
	for b := range m.out {
		for _, item := range b.Items {
			if !yield(item, nil) {
				return
			}
		}
		if b.Err != nil && !yield(b.Of, b.Err) {
			return
		}
		m.recycle(b)
	}
}

func (m *Merger[T]) closeWhenFed() {
	m.feeds.Wait()
	close(m.out)
}

// Finish waits until every feed has let go, after Each and once their context has ended.
func (m *Merger[T]) Finish() {
	for b := range m.out {
		m.recycle(b)
	}
}

func (m *Merger[T]) recycle(b *Batch[T]) {
	if b.Over != nil {
		b.Over.Close()
	}
	clear(b.Items)
	*b = Batch[T]{Items: b.Items[:0]}
	m.spare.Put(b)
}
