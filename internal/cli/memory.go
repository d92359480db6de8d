package cli

import (
	"runtime/debug"
	"time"
)

// crowd is how many conversations must have begun for the memory that this took to be worth giving back.
const crowd = 1000

// giveBack returns memory to the system when a crowd has come and is settled: until the next collection of
// garbage, which may be minutes away, what their beginnings have cost stays with us, some 3 KB for each conversation of a
// relay. It takes some milliseconds of processor time once a crowd.
func (s *serving) giveBack(done <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for last, given := int64(0), int64(0); ; {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		begun := s.meter.Begun()
		if begun == last && begun-given >= crowd {
			debug.FreeOSMemory()
			given = begun
		}
		last = begun
	}
}
