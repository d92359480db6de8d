package parleytest

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// leakPatience is how long goroutines may take to end after a test has.
const leakPatience = 3 * time.Second

// CheckLeaks runs the tests of a package and fails if goroutines are left at the end: it prints their stacks to standard
// error. It waits up to 3 seconds for them to end. It is for TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(parleytest.CheckLeaks(m)) }
func CheckLeaks(m *testing.M) int {
	before := goroutines()
	code := m.Run()
	if code != 0 {
		return code
	}
	if left := leftSince(before, leakPatience); len(left) > 0 {
		fmt.Fprint(os.Stderr, leakReport(left))
		return 1
	}
	return 0
}

// Leaks fails t if goroutines begun after this call are left when t and the cleanups registered later have ended. It waits
// up to 3 seconds for them to end. It cannot tell whose a goroutine is, so t must not run in parallel with other tests.
func Leaks(t testing.TB) {
	t.Helper()
	before := goroutines()
	t.Cleanup(func() {
		if t.Failed() { // the failure is the news; what it left behind would hide it
			return
		}
		if left := leftSince(before, leakPatience); len(left) > 0 {
			t.Error(leakReport(left))
		}
	})
}

// leftSince returns the stacks of the goroutines that were not there before, when they have had patience to end.
func leftSince(before map[string]string, patience time.Duration) []string {
	deadline := time.Now().Add(patience)
	for wait := time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		var left []string
		for id, stack := range goroutines() {
			if _, old := before[id]; !old && !isTestings(stack) {
				left = append(left, stack)
			}
		}
		if len(left) == 0 || time.Now().After(deadline) {
			return left
		}
		<-time.After(wait)
	}
}

// isTestings reports whether a goroutine is the runtime's or package testing's, and not a test's.
func isTestings(stack string) bool {
	for _, own := range []string{
		"\ntesting.tRunner(", "\ntesting.(*M).", "\ntesting.runFuzzing(", "\ninternal/fuzz.",
		"\nos/signal.signal_recv(", "\nruntime.ensureSigM", "\nruntime/trace.",
	} {
		if strings.Contains(stack, own) {
			return true
		}
	}
	return false
}

func leakReport(left []string) string {
	return fmt.Sprintf("%d goroutines are left; every goroutine needs an owner that ends it:\n\n%s\n", len(left), strings.Join(left, "\n\n"))
}

// goroutines returns the stacks of all goroutines, by what the runtime calls them: "goroutine 7".
func goroutines() map[string]string {
	text := make([]byte, 64<<10)
	for {
		n := runtime.Stack(text, true)
		if n < len(text) {
			text = text[:n]
			break
		}
		text = make([]byte, 2*len(text))
	}
	stacks := map[string]string{}
	for stack := range strings.SplitSeq(string(text), "\n\n") {
		if id, _, ok := strings.Cut(stack, " ["); ok {
			stacks[id] = strings.TrimSpace(stack)
		}
	}
	return stacks
}
