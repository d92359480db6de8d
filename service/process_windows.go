package service

import (
	"os"
	"slices"
)

// A handle is what the system knows a process by.
type handle struct {
	process *os.Process
	state   *os.ProcessState
}

func (p *process) begin(cmd *Command, f *found, env []string, files [3]*os.File, _ bool) (err error) {
	p.process, err = os.StartProcess(f.program, cmd.Args, &os.ProcAttr{
		Dir: cmd.Dir, Env: slices.Concat(f.env, env), Files: files[:],
	})
	if err == nil {
		p.pid = p.process.Pid
	}
	return err
}

func (p *process) await() { p.state, _ = p.process.Wait() }

func (p *process) reap() exit {
	if p.state == nil {
		return exit{-1, nil}
	}
	return exit{p.state.ExitCode(), nil}
}

// Windows has no signals: who must end is ended.
func (p *process) terminate() { p.kill() }
func (p *process) kill()      { _ = p.process.Kill() }
