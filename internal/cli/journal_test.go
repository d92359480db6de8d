package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley"
)

// TestNotesAreCounted: of what many callers bring about in a second, some is told, and what was not is counted.
func TestNotesAreCounted(t *testing.T) {
	name := filepath.Join(t.TempDir(), "err")
	out, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	j, err := newJournal(newUI(os.Stdin, os.Stdout, out), "")
	if err != nil {
		t.Fatal(err)
	}
	const all = 3 * noteBurst
	for range all {
		j.With("service", "echo").Warn("refused", "err", errors.New("why"))
	}
	j.Warn("something else", "err", parley.ErrIdle)
	j.end()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	told := strings.Count(string(text), "parley: refused (service echo")
	if told < noteBurst || told >= all || !strings.Contains(string(text), "more of refused (service echo)") ||
		!strings.Contains(string(text), "something else: nothing said or heard for too long; the limit is --idle") {
		t.Errorf("%d of %d told:\n%s", told, all, text)
	}
}
