package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestLogQueueKeepsOrder(t *testing.T) {
	var b strings.Builder
	q := newLogQueue(&b)
	want := ""
	for i := range logRoom / 2 {
		line := fmt.Sprintln("line", i)
		want += line
		fmt.Fprint(q, line)
	}
	q.close()
	if lost, why := q.missing(); lost != 0 || why != nil || b.String() != want {
		t.Errorf("%d lines lost (%v), %d bytes written of %d", lost, why, b.Len(), len(want))
	}
}

// TestLogQueueNeverWaits: nobody reads; every line is either written, waits, or is counted.
func TestLogQueueNeverWaits(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	q := newLogQueue(w)
	line := strings.Repeat("x", 1<<10) + "\n"
	const all = 2 * logRoom
	for range all {
		fmt.Fprint(q, line)
	}
	lost, why := q.missing()
	if lost < all-logRoom-128 || lost == all || why == nil {
		t.Errorf("%d of %d lines lost: %v", lost, all, why)
	}
	r.Close()
	q.close()
	if lost, why := q.missing(); lost <= logRoom || why == nil {
		t.Errorf("%d lines lost after the reader left: %v", lost, why)
	}
	fmt.Fprint(q, "late\n") // must not panic
}

func TestLogQueueTellsWhy(t *testing.T) {
	q := newLogQueue(failing{})
	fmt.Fprint(q, "one\n")
	fmt.Fprint(q, "two\n")
	q.close()
	if lost, why := q.missing(); lost != 2 || !errors.Is(why, syscall.ENOSPC) {
		t.Errorf("%d lines lost: %v", lost, why)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, syscall.ENOSPC }
