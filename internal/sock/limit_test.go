package sock

import (
	"testing"
	"testing/synctest"
	"time"
)

// passedAfter returns how long after start a limit passes that somebody waits for already; -1 if it does not for an hour.
func passedAfter(l *limit, start time.Time) time.Duration {
	select {
	case <-l.passed():
		return time.Since(start)
	case <-time.After(time.Hour):
		return -1
	}
}

func TestLimit(t *testing.T) {
	const never = -1
	for name, test := range map[string]struct {
		set  []time.Duration // from the beginning; 0 is the zero time
		want time.Duration
	}{
		"unset":               {nil, never},
		"none":                {[]time.Duration{0}, never},
		"future":              {[]time.Duration{time.Minute}, time.Minute},
		"past":                {[]time.Duration{-time.Minute}, 0},
		"later":               {[]time.Duration{time.Second, time.Minute}, time.Minute},
		"sooner":              {[]time.Duration{time.Minute, time.Second}, time.Second},
		"taken back":          {[]time.Duration{time.Second, 0}, never},
		"past, taken back":    {[]time.Duration{-time.Second, 0}, never},
		"past, then future":   {[]time.Duration{-time.Second, time.Second}, time.Second},
		"future, then past":   {[]time.Duration{time.Second, -time.Second}, 0},
		"past, twice":         {[]time.Duration{-time.Second, -time.Minute}, 0},
		"none, then set":      {[]time.Duration{0, time.Second}, time.Second},
		"past, none, and set": {[]time.Duration{-time.Second, 0, time.Second}, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, start := newLimit(), time.Now()
				for _, d := range test.set {
					l.set(at(start, d))
				}
				if got := passedAfter(&l, start); got != test.want {
					t.Errorf("passed after %v, want %v", got, test.want)
				}
				l.set(time.Time{})
			})
		})
	}
}

func at(start time.Time, d time.Duration) time.Time {
	if d == 0 {
		return time.Time{}
	}
	return start.Add(d)
}

// A change holds for those too who wait already.
func TestLimitChangedWhileWaitedFor(t *testing.T) {
	for name, test := range map[string]struct {
		first, then, want time.Duration
	}{
		"sooner":  {time.Minute, 2 * time.Second, 2 * time.Second},
		"later":   {time.Minute, 2 * time.Minute, 2 * time.Minute},
		"past":    {time.Minute, -time.Second, time.Second},
		"set":     {0, time.Minute, time.Minute},
		"removed": {time.Minute, 0, time.Second + time.Hour}, // never: who waits gives up
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, start := newLimit(), time.Now()
				l.set(at(start, test.first))
				passed := l.passed()
				<-time.After(time.Second)
				l.set(at(start, test.then))
				select {
				case <-passed:
				case <-time.After(time.Hour):
				}
				if got := time.Since(start); got != test.want {
					t.Errorf("passed after %v, want %v", got, test.want)
				}
			})
		})
	}
}

// After it has passed a limit can be set anew.
func TestLimitAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimit()
		for range 3 {
			start := time.Now()
			l.set(start.Add(time.Second))
			if got := passedAfter(&l, start); got != time.Second {
				t.Errorf("passed after %v", got)
			}
		}
	})
}

// Setting and passing at the same moment never panics and never blocks.
func TestLimitRace(t *testing.T) {
	l := newLimit()
	for i := range 2000 {
		l.set(time.Now().Add(time.Duration(i%50) * time.Microsecond))
	}
	l.set(Past)
	<-l.passed()
	l.set(time.Time{})
	if isClosed(l.passed()) {
		t.Error("passed, and none is set")
	}
}
