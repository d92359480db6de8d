package service

import "testing"

func TestClockState(t *testing.T) {
	for _, tt := range []struct {
		name     string
		status   int32
		maxError int64 // microseconds
		want     clockState
	}{
		{"kept", 0x2001, 20_000, clockState{0, 0}},
		{"kept, long unheard of", 0x2001, 2_000_000, clockState{1, 0}},
		{"far off", 0x2001, 6_000_000, clockState{4, 0}},
		{"not kept", 0x40, 16_000_000, clockState{4, 0}},
		{"not kept, though its error is small", 0x40, 0, clockState{4, 0}},
		{"a second more", 0x11, 0, clockState{0, 1}},
		{"a second less", 0x21, 0, clockState{0, 2}},
	} {
		if got := clockStateOf(tt.status, tt.maxError); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestKernelClock(t *testing.T) {
	if s := kernelClock(); s.health != 0 && s.health != 1 && s.health != 4 || s.leap < 0 || s.leap > 2 {
		t.Errorf("the kernel's clock is %+v", s)
	}
}
