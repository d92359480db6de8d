package sandbox

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"

	"parley/parleytest"
)

// What a test takes away it cannot have back. So each runs a child: this program again, with the name of one of children in
// its environment. There check counts what is not as it should be.
const childVariable = "SANDBOX_CHILD"

func TestMain(m *testing.M) {
	child, ok := children[os.Getenv(childVariable)]
	if !ok {
		os.Exit(parleytest.CheckLeaks(m))
	}
	child(os.Args[1])
	if failures > 0 {
		os.Exit(1)
	}
}

var failures int

// check fails the child if ok is false.
func check(ok bool, format string, args ...any) {
	if !ok {
		failures++
		fmt.Fprintf(os.Stderr, format+"\n", args...)
	}
}

// run runs a child, which works in a directory that anybody may search.
func run(t *testing.T, name string) {
	t.Helper()
	if children[name] == nil {
		t.Fatalf("there is no child %s", name)
	}
	cmd := exec.Command(os.Args[0], workplace(t))
	cmd.Env = append(os.Environ(), childVariable+"="+name, "GORACE=atexit_sleep_ms=0")
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "fatal error") {
		t.Errorf("%s: %v\n%s", name, err, out)
	}
}

// workplace makes a directory with the files in/file, in/other, out/file and out/other, which belong to nobody if the test runs as root.
func workplace(t *testing.T) string {
	t.Helper()
	top := t.TempDir()
	for dir := top; dir != filepath.Dir(os.TempDir()) && dir != "/" && strings.HasPrefix(dir, os.TempDir()+"/"); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"in/file", "in/other", "out/file", "out/other"} {
		path := filepath.Join(top, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
			t.Fatal(err)
		}
		if os.Getuid() == 0 {
			for _, p := range []string{path, filepath.Dir(path)} {
				if err := os.Chown(p, nobody, nobody); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return top
}

const nobody = 65534

// needLandlock skips a test where the kernel has no Landlock, or an older one than abi.
func needLandlock(t *testing.T, abi int) {
	t.Helper()
	has, err := ll.LandlockGetABIVersion()
	if err != nil {
		t.Skipf("this kernel has no Landlock: %v", err)
	}
	if has < abi {
		t.Skipf("this kernel's Landlock is of version %d, and this takes %d", has, abi)
	}
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
}

// restrictTo is Restrict in a child, where it must not fail.
func restrictTo(r Rights) {
	if err := Restrict(r); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
