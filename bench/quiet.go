package main

import (
	"context"
	"os"
	"runtime"
	"time"
)

const (
	// busy is the share of the machine from which the work of others is said
	// to spoil a figure.
	busy = 0.05
	// tries is how often a run is done at most to get a figure without that.
	tries = 3
	// tooShort is a run about which the kernel's ticks of 10 ms say nothing.
	tooShort = 300 * time.Millisecond
)

// A stillness watches how much processor time other programs use while a
// benchmark runs: figures taken on a busy machine are not worth much.
type stillness struct {
	began  time.Time
	others time.Duration // used by others since the machine started
}

func watchOthers() (stillness, error) {
	others, err := othersTime()
	return stillness{time.Now(), others}, err
}

// share says what share of the machine others used since s began.
func (s stillness) share() (float64, error) {
	others, err := othersTime()
	all := time.Since(s.began) * time.Duration(runtime.NumCPU())
	return max(0, float64(others-s.others)/float64(all)), err
}

// undisturbed does c's work once, and again if others used the machine
// meanwhile, as often as tries says: the same rule for every contender. It
// tells whether even the last figure was taken on a busy machine.
func undisturbed(ctx context.Context, c contender) (figure float64, disturbed bool, err error) {
	for range tries {
		quiet, err := watchOthers()
		if err != nil {
			return 0, false, err
		}
		if figure, err = once(ctx, c); err != nil {
			return 0, false, err
		}
		share, err := quiet.share()
		if err != nil {
			return 0, false, err
		}
		if share <= busy || time.Since(quiet.began) < tooShort {
			return figure, false, nil
		}
	}
	return figure, true, nil
}

// othersTime is the processor time of all programs but this one and the
// children that it has waited for.
func othersTime() (time.Duration, error) {
	machine, err := machineTime()
	if err != nil {
		return 0, err
	}
	own, err := processTime(os.Getpid(), userTime, systemTime, childrenUser, childrenSys)
	return machine - own, err
}
