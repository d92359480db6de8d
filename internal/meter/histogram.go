package meter

import (
	"slices"
	"sync/atomic"
	"time"
)

// bounds are the upper ends of a histogram's buckets: from what an echo on this machine takes to what nobody waits for.
var bounds = [...]time.Duration{
	10 * time.Microsecond, 20 * time.Microsecond, 50 * time.Microsecond,
	100 * time.Microsecond, 200 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond,
	10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second,
	10 * time.Second, 20 * time.Second, 50 * time.Second,
}

// A histogram counts durations by size. Its zero value is ready to use.
type histogram struct {
	buckets [len(bounds) + 1]atomic.Int64 // the last is of what exceeds all bounds
	sum     atomic.Int64                  // ns
}

func (h *histogram) add(d time.Duration) {
	i, _ := slices.BinarySearch(bounds[:], d)
	h.buckets[i].Add(1)
	h.sum.Add(int64(d))
}

// durations is what a histogram held at one moment.
type durations struct {
	buckets [len(bounds) + 1]int64
	count   int64
	sum     time.Duration
}

func (h *histogram) read() (d durations) {
	for i := range h.buckets {
		d.buckets[i] = h.buckets[i].Load()
		d.count += d.buckets[i]
	}
	d.sum = time.Duration(h.sum.Load())
	return d
}

// within returns the smallest bound that a share of the durations, between 0 and 1, does not exceed; false if that share
// exceeds all bounds, or if there are none.
func (d *durations) within(share float64) (time.Duration, bool) {
	var n int64
	for i, bound := range bounds {
		n += d.buckets[i]
		if n > 0 && float64(n) >= share*float64(d.count) {
			return bound, true
		}
	}
	return 0, false
}
