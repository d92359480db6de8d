package local

import (
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"parley"
)

// asChild says that TestStdioOfProcess runs in a process of its own, whose standard input and output are its to take.
const asChild = "LOCAL_TEST_STDIO"

func TestStdioOfProcess(t *testing.T) {
	if os.Getenv(asChild) != "" {
		answerOnce(t)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestStdioOfProcess$")
	cmd.Env = append(os.Environ(), asChild+"=1")
	cmd.Stdin = strings.NewReader("one\ntwo\n")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil || string(out) != "heard one\nheard two\n" {
		t.Errorf("the other process said %q and ended with %v", out, err)
	}
}

// answerOnce hears lines, and answers them.
func answerOnce(t *testing.T) {
	c := dial(t, "-")
	for _, again := range []string{"-", "stdio:", "fd:0", "fd:1"} {
		if _, err := parley.Dial(t.Context(), again); err == nil || !strings.Contains(err.Error(), "already: -;") {
			t.Errorf("%s, a second time: %v", again, err)
		}
	}
	if _, err := parley.Dial(t.Context(), "stdio:x"); err == nil || !strings.Contains(err.Error(), "- or stdio:") {
		t.Errorf("stdio:x: %v", err)
	}
	for f, err := range c.Frames(t.Context()) {
		must(t, err)
		must(t, f.Reply(t.Context(), append([]byte("heard "), f.Data...)))
	}
	must(t, c.CloseWrite())
	if runtime.GOOS == "windows" {
		return
	}
	if _, err := io.WriteString(os.Stdout, "this is for nobody\n"); err != nil {
		t.Errorf("after the end of standard output a write to it is %v, want it to go to the null device", err)
	}
}
