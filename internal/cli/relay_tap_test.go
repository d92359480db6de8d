package cli

import (
	"os"
	"path/filepath"
	"testing"
)

// TestOpenTranscript: a line that was cut does not spoil the next.
func TestOpenTranscript(t *testing.T) {
	for before, want := range map[string]string{"": "new\n", "whole\n": "whole\nnew\n", "cu": "cu\nnew\n"} {
		name := filepath.Join(t.TempDir(), "t.jsonl")
		if before != "" {
			if err := os.WriteFile(name, []byte(before), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		f, err := openTranscript(name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = f.WriteString("new\n")
		f.Close()
		if got, _ := os.ReadFile(name); string(got) != want {
			t.Errorf("after %q: %q, want %q", before, got, want)
		}
	}
}
