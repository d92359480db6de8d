//go:build unix && !linux

package child

import (
	"os"
	"syscall"
)

// A handle is what the system knows a process by, which here is its number only. Waiting holds a thread for each process.
type handle struct{}

func (*handle) prepare(*syscall.SysProcAttr) {}

func (*handle) adopt() {}

// Await waits until the process has ended, and reaps it: package os cannot do one without the other. So its number might be
// another's when the rest of its group is ended; but no system gives a number out while a group has it, and they give
// them out in turn.
func (c *Child) Await() Exit {
	found, err := os.FindProcess(c.PID)
	if err != nil {
		return unknown
	}
	state, err := found.Wait()
	if err != nil {
		return unknown
	}
	status := state.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return Exit{-1, status.Signal()}
	}
	return Exit{Status: status.ExitStatus()}
}

// Reap has nothing left to do here.
func (*Child) Reap() {}
