//go:build unix && !linux

package local

import (
	"os"
	"syscall"
)

// A handle is what the system knows a process by, which here is its number only. Waiting holds a thread for each process.
type handle struct{}

func (*handle) prepare(*syscall.SysProcAttr) {}

func (*handle) adopt() {}

// await waits until the process has ended, and reaps it: package os cannot do one without the other. So its number might be
// another's when the rest of its group is ended; but no system gives a number out while a group has it, and they give
// them out in turn.
func (p *process) await() exit {
	found, err := os.FindProcess(p.pid)
	if err != nil {
		return exit{-1, ""}
	}
	state, err := found.Wait()
	if err != nil {
		return exit{-1, ""}
	}
	return exitOf(state.Sys().(syscall.WaitStatus))
}

func (p *process) reap() {}

func exitOf(ws syscall.WaitStatus) exit {
	if ws.Signaled() {
		return exit{-1, ws.Signal().String()}
	}
	return exit{ws.ExitStatus(), ""}
}
