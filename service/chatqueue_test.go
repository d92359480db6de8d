package service

import (
	"testing"
	"testing/synctest"
	"time"
)

// stuckQueue is a queue of a caller to whom nothing can be said, with so many lines.
func stuckQueue(t *testing.T, lines int, taken func() int64) *chatQueue {
	stuck := make(chan struct{})
	q := &chatQueue{limit: 8, taken: taken, say: func([]byte) error { <-stuck; return nil }}
	for range lines {
		q.push([]byte("line"))
	}
	t.Cleanup(func() {
		close(stuck)
		if err := q.finish(); err != nil {
			t.Error(err)
		}
	})
	return q
}

// A caller whose kernel takes something has patience, also while nothing more can be said to ours, and nobody looks.
func TestChatQueueSeesWhatIsTaken(t *testing.T) {
	tests := []struct {
		name  string
		lines int
		level int32
		taken func(s int64) int64 // after so many seconds
		left  bool                // there is patience after 10 seconds
	}{
		{"takes nothing", 6, chatHalf, func(int64) int64 { return 7 }, false},
		{"takes something", 6, chatHalf, func(s int64) int64 { return s }, true},
		{"took something", 6, chatHalf, func(s int64) int64 { return min(s, 6) }, false},
		{"took something of late", 6, chatHalf, func(s int64) int64 { return min(s, 8) }, true},
		{"full, waited for by a flood", 8, chatHalf, func(s int64) int64 { return s }, true},
		{"full, waited for by people", 8, chatFull, func(s int64) int64 { return s }, false},
		{"not full, waited for by people", 6, chatFull, func(s int64) int64 { return s }, true},
		{"nothing to take", 8, chatFull, func(int64) int64 { return -1 }, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				q := stuckQueue(t, test.lines, func() int64 { return test.taken(int64(time.Since(begin).Seconds())) })
				<-time.After(10 * time.Second)
				if drained, left := q.draining(test.level); drained == nil || (left > 0) != test.left {
					t.Errorf("%v is left to wait, room %v", left, drained == nil)
				}
			})
		})
	}
}
