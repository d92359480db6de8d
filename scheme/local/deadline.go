package local

import (
	"sync"
	"time"
)

// A deadline closes a channel when its time has come, for who waits for something that has no deadlines of its own. The zero
// value never does.
type deadline struct {
	mu     sync.Mutex
	timer  *time.Timer
	passed chan struct{} // closed when the time has come
}

// set has the deadline come at t; the zero time means never.
func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stop()
	if t.IsZero() {
		return
	}
	wait := time.Until(t)
	if wait <= 0 {
		close(d.passed)
		return
	}
	passed := d.passed
	d.timer = time.AfterFunc(wait, func() { close(passed) })
}

// stop forgets the time that was set. If it has come already, or is just about to, those who wait from now on get another
// channel. It needs the lock.
func (d *deadline) stop() {
	running := d.timer == nil || d.timer.Stop()
	d.timer = nil
	if d.passed == nil || !running || isClosed(d.passed) {
		d.passed = make(chan struct{})
	}
}

// wait returns a channel that is closed when the time has come. Who waits while the deadline is set anew goes on waiting for
// the new one.
func (d *deadline) wait() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.passed == nil {
		d.passed = make(chan struct{})
	}
	return d.passed
}

func (d *deadline) hasPassed() bool { return isClosed(d.wait()) }

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
