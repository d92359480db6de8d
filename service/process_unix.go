//go:build unix

package service

import (
	"os"
	"slices"
	"syscall"
)

// begin starts the process. The descriptors are set to block, as programs expect.
func (p *process) begin(cmd *Command, f *found, env []string, files [3]*os.File, terminal bool) error {
	var fds [3]uintptr
	for i, file := range files {
		fds[i] = file.Fd()
	}
	return p.fork(cmd, f, env, fds[:], terminal)
}

// fork starts the process on descriptors of this one, in a group of its own; on a terminal in a session of its own, whose
// terminal that is.
func (p *process) fork(cmd *Command, f *found, env []string, fds []uintptr, terminal bool) error {
	sys := syscall.SysProcAttr{Setpgid: !terminal, Setsid: terminal, Setctty: terminal}
	p.prepare(&sys)
	pid, err := syscall.ForkExec(f.program, cmd.Args, &syscall.ProcAttr{
		Dir: cmd.Dir, Env: slices.Concat(f.env, env), Files: fds, Sys: &sys,
	})
	if err != nil {
		return err
	}
	p.pid = pid
	p.adopt()
	return nil
}

// terminate and kill signal the group. They need the lock: after reaping, the number may be another's.
func (p *process) terminate() { _ = syscall.Kill(-p.pid, syscall.SIGTERM) }
func (p *process) kill()      { _ = syscall.Kill(-p.pid, syscall.SIGKILL) }

func exitOf(ws syscall.WaitStatus) exit {
	if ws.Signaled() {
		return exit{-1, ws.Signal()}
	}
	return exit{ws.ExitStatus(), nil}
}
