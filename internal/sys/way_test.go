package sys

import (
	"runtime"
	"testing"
)

// TestWayBetween is the table of WayBetween's comment.
func TestWayBetween(t *testing.T) {
	table := map[Kind][4]Way{ // to Stream, Pipe, File, Other
		Stream: {Through, Splice, Through, Copy},
		Pipe:   {Copy, Copy, Copy, Copy},
		File:   {SendFile, Copy, Copy, Copy},
		Other:  {Copy, Copy, Copy, Copy},
	}
	if runtime.GOOS != "linux" {
		table[Stream] = [4]Way{Copy, Copy, Copy, Copy}
	}
	for from, ways := range table {
		for i, to := range []Kind{Stream, Pipe, File, Other} {
			if got := WayBetween(from, to); got != ways[i] {
				t.Errorf("from %d to %d: %d, want %d", from, to, got, ways[i])
			}
		}
	}
}
