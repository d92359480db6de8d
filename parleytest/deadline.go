package parleytest

import (
	"sync"
	"time"
)

// A deadline wakes those who wait on a sync.Cond when its time has come. All of it is guarded by the lock of that Cond.
type deadline struct {
	passed bool
	timer  *time.Timer
}

// set needs the lock. The zero time means never.
func (d *deadline) set(t time.Time, changed *sync.Cond) {
	if d.timer != nil {
		d.timer.Stop()
	}
	d.timer, d.passed = nil, false
	if t.IsZero() {
		return
	}
	wait := time.Until(t)
	if wait <= 0 {
		d.passed = true
		changed.Broadcast()
		return
	}
	var own *time.Timer
	own = time.AfterFunc(wait, func() {
		changed.L.Lock()
		defer changed.L.Unlock()
		if d.timer == own { // else it was set anew while this waited for the lock
			d.passed = true
			changed.Broadcast()
		}
	})
	d.timer = own
}
