package child

import (
	"os"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func fork(t *testing.T, script string) int {
	t.Helper()
	pid, err := syscall.ForkExec("/bin/sh", []string{"sh", "-c", script}, &syscall.ProcAttr{})
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// How a process has ended can be asked again until it is reaped, also where there are no pidfds.
func TestLook(t *testing.T) {
	for script, want := range map[string]Exit{
		"exit 0": {}, "exit 7": {Status: 7}, "kill -KILL $$": {-1, syscall.SIGKILL},
	} {
		pid := fork(t, script)
		for _, flags := range []int{0, unix.WNOHANG} {
			if e, ended := look(pid, flags); e != want || !ended {
				t.Errorf("%s: %+v, %v, want %+v", script, e, ended, want)
			}
		}
		(&Child{PID: pid}).Reap()
		if e, ended := look(pid, 0); e != unknown || !ended {
			t.Errorf("%s: after it was reaped %+v, %v", script, e, ended)
		}
	}
}

func TestLookAtOneWhoRuns(t *testing.T) {
	pid := fork(t, "kill -STOP $$")
	if e, ended := look(pid, unix.WNOHANG); ended {
		t.Errorf("it has ended: %+v", e)
	}
	c := &Child{PID: pid}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if e, _ := look(pid, 0); e.Signal != syscall.SIGKILL {
		t.Errorf("%+v, want it killed", e)
	}
	c.Reap()
}

// TestStoppedHearsTerminate: also who has been stopped ends when it is asked to, with all of its group.
func TestStoppedHearsTerminate(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	l := Launch{Program: "/bin/sh", Args: []string{"sh", "-c", "kill -STOP $$; exit 3"}, Files: [3]*os.File{null, null, null}}
	c, err := l.Start()
	if err != nil {
		t.Fatal(err)
	}
	c.Terminate()
	if e := c.Await(); e.Signal != syscall.SIGTERM {
		t.Errorf("%+v, want it ended by SIGTERM", e)
	}
	c.Kill() // the group's number is still its own
	c.Reap()
}
