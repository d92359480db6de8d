package child

import "os"

// A handle is what the system knows a process by.
type handle struct{ process *os.Process }

// Start starts the process.
func (l *Launch) Start() (*Child, error) {
	p, err := os.StartProcess(l.Program, l.Args, &os.ProcAttr{Dir: l.Dir, Env: l.Env, Files: l.Files[:]})
	if err != nil {
		return nil, err
	}
	return &Child{PID: p.Pid, handle: handle{p}}, nil
}

// Await waits until the process has ended.
func (c *Child) Await() Exit {
	state, err := c.process.Wait()
	if err != nil {
		return unknown
	}
	return Exit{Status: state.ExitCode()}
}

// Reap has nothing left to do here.
func (*Child) Reap() {}

// Terminate is Kill: Windows has no signals and no groups, so who must end is ended.
func (c *Child) Terminate() { c.Kill() }

// Kill ends the process.
func (c *Child) Kill() { _ = c.process.Kill() }
