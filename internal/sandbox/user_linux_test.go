package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestBecomeUser(t *testing.T) {
	needRoot(t)
	run(t, "user")
}

func userChild(dir string) {
	check(os.Chmod(filepath.Join(dir, "out", "file"), 0) == nil, "chmod")
	becomeNobody()
	id := fmt.Sprintf("\t%[1]d\t%[1]d\t%[1]d\t%[1]d", nobody)
	everyThread("Uid:" + id)
	everyThread("Gid:" + id)
	everyThread(fmt.Sprintf("Groups:\t%d ", nobody))
	everyThread("CapEff:\t0000000000000000")
	check(syscall.Setuid(0) != nil, "root can be had back")
	err := setUser("root")
	check(err != nil, "root can be had back by setUser")
	becomeNobody() // he is that already
	err = setUser("1:1")
	check(err != nil && strings.Contains(err.Error(), "1:1") && strings.Contains(err.Error(), "only root may"), "another user: %v", err)
}

func TestLookUp(t *testing.T) {
	for _, test := range []struct {
		name     string
		uid, gid int
		failure  string
	}{
		{"12345:54321", 12345, 54321, ""},
		{"nobody", nobody, nobody, ""},
		{"nobody:root", nobody, 0, ""},
		{fmt.Sprint(nobody), nobody, nobody, ""},
		{"12345", 0, 0, "write NUMBER:GROUP"},
		{"root", 0, 0, "that is root"},
		{"0:1", 0, 0, "that is root"},
		{"nobody-of-that-name", 0, 0, "nobody-of-that-name"},
		{"nobody:nobody-of-that-name", 0, 0, "nobody-of-that-name"},
		{"", 0, 0, "write USER"},
		{":1", 0, 0, "write USER"},
		{"1:", 0, 0, "write USER"},
		{"4294967295:1", 0, 0, "unknown user"},
		{"-1", 0, 0, "unknown user"},
	} {
		id, err := lookUp(test.name)
		switch {
		case test.failure != "" && (err == nil || !strings.Contains(err.Error(), test.failure)):
			t.Errorf("%q: %v, want that it says %q", test.name, err, test.failure)
		case test.failure == "" && (err != nil || id.uid != test.uid || id.gid != test.gid || len(id.groups) == 0):
			t.Errorf("%q: %+v, %v; want %d:%d", test.name, id, err, test.uid, test.gid)
		}
	}
}

func FuzzLookUp(f *testing.F) {
	for _, name := range []string{"1:1", "0", "root:0", "4294967295", ":", "a:b:c"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		id, err := lookUp(name)
		if err == nil && (id.uid <= 0 || id.gid < 0 || len(id.groups) == 0) {
			t.Errorf("%q is %+v", name, id)
		}
	})
}
