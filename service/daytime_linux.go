package service

import "syscall"

// Bits of the status that adjtimex(2) returns, and what it says of the largest possible error.
const (
	leapInsert     = 0x10 // STA_INS
	leapDelete     = 0x20 // STA_DEL
	unsynchronized = 0x40 // STA_UNSYNC
	second         = 1e6  // of maxerror, which is in microseconds
)

// kernelClock asks without changing anything, for which no right is needed.
func kernelClock() clockState {
	var tx syscall.Timex
	if _, err := syscall.Adjtimex(&tx); err != nil {
		return unknownClock
	}
	return clockStateOf(tx.Status, int64(tx.Maxerror))
}

func clockStateOf(status int32, maxError int64) clockState {
	var s clockState
	switch {
	case status&unsynchronized != 0 || maxError > 5*second:
		s = unknownClock
	case maxError > second:
		s.health = 1
	}
	switch {
	case status&leapInsert != 0:
		s.leap = 1
	case status&leapDelete != 0:
		s.leap = 2
	}
	return s
}
