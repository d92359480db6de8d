package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"parley/parleytest"
)

// TestMain runs the tests, or the program where the test binary was copied under its name: every parley that the tests
// start is built from this source, and with the race detector where the tests are.
func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){"parley": main})
}

type leakChecked struct{ m *testing.M }

func (l leakChecked) Run() int {
	os.Setenv("GORACE", hasty)
	return parleytest.CheckLeaks(l.m)
}

// hasty keeps the race detector from waiting a second when a program leaves; here hundreds leave.
const hasty = "atexit_sleep_ms=0"

// TestScripts plays testdata/*.txtar: what a user could type.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("LF", "\n") // which no script can write
			env.Setenv("GORACE", hasty)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits": scriptExits,
			"ready": scriptReady,
		},
	})
}

// scriptExits runs a program that must leave with an exit code: exits CODE PROGRAM [ARGS...].
func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARGS...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	var failed *exec.ExitError
	switch got := 0; {
	case errors.As(err, &failed):
		got = failed.ExitCode()
		fallthrough
	case err == nil:
		if got != want {
			ts.Fatalf("exit code %d, want %d", got, want)
		}
	default:
		ts.Fatalf("%v", err)
	}
}

// scriptReady waits for a file that --ready-file names, and puts its line into a variable: ready FILE VARIABLE.
func scriptReady(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: ready FILE VARIABLE")
	}
	var text []byte
	ok := poll(func() bool {
		var err error
		text, err = os.ReadFile(ts.MkAbs(args[0]))
		return err == nil
	})
	if !ok {
		ts.Fatalf("no file %s after %v", filepath.Base(args[0]), tooLong)
	}
	ts.Setenv(args[1], strings.TrimSpace(string(text)))
}

// tooLong is when a test gives up waiting for what must happen. No test waits so long if all is well.
const tooLong = 40 * time.Second

// poll asks until cond holds; false means that it never did. It is for what gives no sign when it happens.
func poll(cond func() bool) bool {
	for deadline := time.Now().Add(tooLong); !cond(); <-time.After(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}
