package local

import "os"

// A handle is what the system knows a process by.
type handle struct{ process *os.Process }

func (p *process) begin(l *launch) (err error) {
	p.process, err = os.StartProcess(l.program, l.args, &os.ProcAttr{Dir: l.dir, Env: l.env, Files: l.files[:]})
	if err == nil {
		p.pid = p.process.Pid
	}
	return err
}

func (p *process) await() exit {
	state, err := p.process.Wait()
	if err != nil {
		return exit{-1, ""}
	}
	return exit{state.ExitCode(), ""}
}

func (p *process) reap() {}

// Windows has no signals and no groups: who must end is ended.
func (p *process) terminate() { p.kill() }
func (p *process) kill()      { _ = p.process.Kill() }
