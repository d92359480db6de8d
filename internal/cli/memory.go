package cli

import (
	"runtime/debug"
	"time"
)

// crowd is how many conversations must have come, or gone, for their memory to be worth giving back.
const crowd = 1000

// giveBack returns memory to the system when a crowd has come and is settled, or has gone: until the next collection of
// garbage, which may be minutes away, what their beginnings have cost stays with us, some 3 KB for each conversation of a
// relay. It takes some milliseconds of processor time once a crowd.
func (s *serving) giveBack(done <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for last, given := 0, 0; ; {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		open := s.meter.Open()
		if settled := open == last; settled && max(open-given, given-open) >= crowd {
			debug.FreeOSMemory()
			given = open
		}
		last = open
	}
}
