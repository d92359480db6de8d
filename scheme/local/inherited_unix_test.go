//go:build unix

package local

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"testing"

	"parley"
)

// asInheritor says that a test runs in a process of its own, which was started with descriptors.
const asInheritor = "LOCAL_TEST_INHERITOR"

// inherits runs a test once more in a process of its own, with files as descriptors 3, 4 and so on, and closes them here.
func inherits(t *testing.T, files ...*os.File) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), asInheritor+"=1")
	cmd.ExtraFiles, cmd.Stdout, cmd.Stderr = files, os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
	for _, f := range files {
		f.Close()
	}
}

// A command has none of the descriptors that fd addresses are made of, whether before it was started or later: otherwise
// their other ends would wait for the command, too.
func TestCommandInheritsNone(t *testing.T) {
	if os.Getenv(asInheritor) != "" {
		speakBesideCommands(t)
		return
	}
	var read, written [2]*os.File
	for i := range read {
		var err error
		read[i], written[i], err = os.Pipe()
		must(t, err)
		defer read[i].Close()
	}
	inherits(t, written[:]...)
	for i, r := range read {
		if got := hearAll(t, r); got != "from the one that was started with it\n" {
			t.Errorf("descriptor %d: heard %q", 3+i, got)
		}
	}
}

func speakBesideCommands(t *testing.T) {
	before := dial(t, "fd:3")
	for range 2 {
		command := dial(t, "exec:sh -c 'echo leaked >&3; echo leaked >&4; exit 9' 2>&1?stderr=null")
		_, err := io.ReadAll(command)
		must(t, err)
		failed := new(ExitError)
		if err := command.NetConn().(*execConn).Wait(t.Context()); !errors.As(err, &failed) || failed.Signal != "" {
			t.Errorf("the command ended with %v", err)
		}
	}
	for _, c := range []*parley.Conn{before, dial(t, "fd:4")} {
		must(t, c.Send(t.Context(), []byte("from the one that was started with it")))
		must(t, c.Close())
	}
	if _, err := examine(5); err == nil {
		t.Error("descriptor 5 was not there at the start, and can be had")
	}
}
