package parleytest_test

import (
	"strings"
	"testing"

	"parley/parleytest"
)

// A recorder is a testing.TB that notes what a helper says to it.
type recorder struct {
	testing.TB
	cleanups []func()
	errors   []string
}

func (r *recorder) Helper()          {}
func (r *recorder) Failed() bool     { return len(r.errors) > 0 }
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Error(args ...any) {
	r.errors = append(r.errors, args[0].(string))
}

func waitForever(stop chan bool) { <-stop }

func TestLeaksFindsGoroutine(t *testing.T) {
	r := &recorder{TB: t}
	parleytest.Leaks(r)
	stop := make(chan bool)
	defer close(stop)
	go waitForever(stop)
	r.cleanups[0]()
	if len(r.errors) != 1 || !strings.Contains(r.errors[0], "waitForever") {
		t.Errorf("a goroutine that waits for ever was reported as %q", r.errors)
	}
}

func TestLeaksForgivesWhatEnds(t *testing.T) {
	r := &recorder{TB: t}
	old := make(chan bool)
	defer close(old)
	go waitForever(old) // begun before, so not of this test
	parleytest.Leaks(r)
	stop := make(chan bool)
	go waitForever(stop)
	close(stop)
	r.cleanups[0]()
	if len(r.errors) != 0 {
		t.Errorf("reported %q, though all has ended", r.errors)
	}
}
