package local

import (
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// How a process has ended can be asked again until it is reaped, also where there are no pidfds.
func TestLook(t *testing.T) {
	for script, want := range map[string]exit{
		"exit 0":        {0, ""},
		"exit 7":        {7, ""},
		"kill -KILL $$": {-1, "killed"},
	} {
		pid, err := syscall.ForkExec("/bin/sh", []string{"sh", "-c", script}, &syscall.ProcAttr{})
		must(t, err)
		for _, flags := range []int{0, unix.WNOHANG} {
			if e, ended := look(pid, flags); e != want || !ended {
				t.Errorf("%s: %+v, %v, want %+v", script, e, ended, want)
			}
		}
		p := process{pid: pid}
		p.reap()
		if e, ended := look(pid, 0); e.status != -1 || !ended {
			t.Errorf("%s: after it was reaped %+v, %v", script, e, ended)
		}
	}
}

func TestLookAtOneWhoRuns(t *testing.T) {
	pid, err := syscall.ForkExec("/bin/sh", []string{"sh", "-c", "kill -STOP $$"}, &syscall.ProcAttr{})
	must(t, err)
	if e, ended := look(pid, unix.WNOHANG); ended {
		t.Errorf("it has ended: %+v", e)
	}
	must(t, syscall.Kill(pid, syscall.SIGKILL))
	if e, _ := look(pid, 0); e.signal != "killed" {
		t.Errorf("%+v, want it killed", e)
	}
	p := process{pid: pid}
	p.reap()
}
