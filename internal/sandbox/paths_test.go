package sandbox

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestReplaced(t *testing.T) {
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"rules", "live", "archive", "map/..1"} {
		if err := os.MkdirAll(filepath.Join(top, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{
		"live/cert": "../archive/cert1", "map/..data": "..1", "map/file": "..data/file",
		"rules/absolute": filepath.Join(top, "archive/cert1"), "way": "live", "round": "round",
	} {
		if err := os.Symlink(target, filepath.Join(top, link)); err != nil {
			t.Skipf("no links here: %v", err)
		}
	}
	for file, want := range map[string]string{
		"rules/file":     "rules",
		"rules/absolute": "rules archive",
		"live/cert":      "live archive",
		"way/cert":       "live archive", // the directory that is meant, not the link to it
		"map/file":       "map map/..1",  // as Kubernetes writes ConfigMaps
		"nowhere/file":   "no such",
		"round":          "links",
	} {
		got, err := Replaced(filepath.Join(top, file))
		var names []string
		for _, dir := range got {
			name, _ := filepath.Rel(top, dir)
			names = append(names, filepath.ToSlash(name))
		}
		if err != nil {
			if !strings.Contains(err.Error(), want) && !os.IsNotExist(err) {
				t.Errorf("%s: %v, want %s", file, err, want)
			}
		} else if strings.Join(names, " ") != want {
			t.Errorf("%s: %v, want %s", file, names, want)
		}
	}
}

func TestAnd(t *testing.T) {
	a := Rights{Read: []string{"a"}, Connect: []uint16{53}}
	both := a.And(Rights{Read: []string{"b"}}, Rights{Make: []string{"c"}})
	if !slices.Equal(both.Read, []string{"a", "b"}) || !slices.Equal(both.Make, []string{"c"}) || len(both.Connect) != 1 {
		t.Errorf("got %+v", both)
	}
	if len(a.Read) != 1 {
		t.Errorf("And changed what it was called on: %+v", a)
	}
}
