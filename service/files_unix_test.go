//go:build unix

package service_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Opening a pipe that nobody writes to must not wait for ever.
func TestFilesServesNoPipes(t *testing.T) {
	tr := newTree(t)
	if err := syscall.Mkfifo(filepath.Join(tr.dir, "pipe"), 0o644); err != nil {
		t.Skip(err)
	}
	call := served(t, filesOf(t, tr.dir).Handle)
	for path, want := range map[string]bool{"/pipe": false, "/": true} {
		got := raw(t, call, "GET", path)
		if strings.HasPrefix(got, "HTTP/1.1 200 ") != want || strings.Contains(got, "pipe<") {
			t.Errorf("GET %s:\n%s", path, got)
		}
	}
}
