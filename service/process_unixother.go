//go:build unix && !linux

package service

import (
	"os"
	"syscall"
)

// A handle is how a process was found to have ended. Waiting holds a thread for each process here.
type handle struct {
	state *os.ProcessState
}

func (*handle) prepare(*syscall.SysProcAttr) {}

func (*handle) adopt() {}

// await waits until the process has ended, and reaps it: package os cannot do one without the other. So its number might be
// another's for the moment until wait has the lock; systems give numbers out in turn, so that it is not.
func (p *process) await() {
	found, err := os.FindProcess(p.pid)
	if err == nil {
		p.state, _ = found.Wait()
	}
}

// reap returns what await has found.
func (p *process) reap() exit {
	if p.state == nil {
		return exit{-1, nil}
	}
	return exitOf(p.state.Sys().(syscall.WaitStatus))
}
