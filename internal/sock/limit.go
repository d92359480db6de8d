package sock

import (
	"sync"
	"time"
)

// A limit is a deadline that can be waited for, as those of net.Pipe.
type limit struct {
	mu    sync.Mutex
	timer *time.Timer
	past  chan struct{} // closed when the deadline has passed
}

func newLimit() limit { return limit{past: make(chan struct{})} }

// set changes the deadline, for those too who wait already. The zero time means none.
func (l *limit) set(t time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer != nil && !l.timer.Stop() {
		<-l.past // the timer's function is about to close it
	}
	l.timer = nil
	closed := isClosed(l.past)
	wait := time.Until(t)
	switch {
	case t.IsZero() || wait > 0:
		if closed {
			l.past = make(chan struct{})
		}
		if !t.IsZero() {
			past := l.past
			l.timer = time.AfterFunc(wait, func() { close(past) })
		}
	case !closed:
		close(l.past)
	}
}

func (l *limit) passed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.past
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
