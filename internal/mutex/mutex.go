// Package mutex has a mutex that can be waited for under a context.
package mutex

import (
	"context"
	"sync"
	"sync/atomic"
)

// A Mutex is a mutex that can be waited for under a context: whoever waits for a conversation must be able to give up. Its
// zero value is free.
//
// It is the mutex of Drepper, "Futexes Are Tricky", section 5, with a channel for the futex. A one-slot channel alone
// would do, but takes four channel operations a message and 96 bytes a mutex, which is much for an idle
// conversation; see the benchmarks.
type Mutex struct {
	state atomic.Int32 // 0 free, 1 held, 2 held and perhaps waited for
	once  sync.Once
	wake  chan struct{} // made when somebody waits for the first time; one slot
}

// Lock waits until the mutex is free, and takes it; or until ctx ends, whose error it returns. A free mutex is taken even if
// ctx has ended.
func (m *Mutex) Lock(ctx context.Context) error {
	if m.state.CompareAndSwap(0, 1) {
		return nil
	}
	return m.wait(ctx)
}

func (m *Mutex) wait(ctx context.Context) error {
	m.once.Do(func() { m.wake = make(chan struct{}, 1) })
	for m.state.Swap(2) != 0 {
		select {
		case <-m.wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Unlock frees the mutex, which must be held.
func (m *Mutex) Unlock() {
	if m.state.Swap(0) == 2 {
		select {
		case m.wake <- struct{}{}:
		default: // a wake-up is on its way already
		}
	}
}
