//go:build unix

package child

import "syscall"

// Start starts the process. Its descriptors are set to block, as programs expect.
func (l *Launch) Start() (*Child, error) {
	var fds [3]uintptr
	for i, f := range l.Files {
		fds[i] = f.Fd()
	}
	return l.StartOn(fds[:])
}

// StartOn starts the process on descriptors of this one, in place of Files.
func (l *Launch) StartOn(fds []uintptr) (*Child, error) {
	c := &Child{terminal: l.Terminal}
	sys := syscall.SysProcAttr{Setpgid: !l.Terminal, Setsid: l.Terminal, Setctty: l.Terminal}
	c.prepare(&sys)
	pid, err := syscall.ForkExec(l.Program, l.Args, &syscall.ProcAttr{Dir: l.Dir, Env: l.Env, Files: fds, Sys: &sys})
	if err != nil {
		return nil, err
	}
	c.PID = pid
	c.adopt()
	return c, nil
}

// Terminate asks the group to end. It must not have been reaped.
//
// Only who sits at a terminal is hung up, too: to others SIGHUP means to read their settings again, or it takes them away
// before they have heard SIGTERM, which they are prepared for. Shells at a terminal ignore SIGTERM.
func (c *Child) Terminate() {
	if c.terminal {
		_ = syscall.Kill(-c.PID, syscall.SIGHUP)
	}
	_ = syscall.Kill(-c.PID, syscall.SIGTERM)
	_ = syscall.Kill(-c.PID, syscall.SIGCONT) // who has been stopped hears it only then
}

// Kill ends the group. It must not have been reaped.
func (c *Child) Kill() { _ = syscall.Kill(-c.PID, syscall.SIGKILL) }
