//go:build unix

package local

import "syscall"

// begin starts the process in a group of its own; on a terminal in a session of its own, whose terminal that is. Its
// descriptors are set to block, as programs expect.
func (p *process) begin(l *launch) error {
	sys := syscall.SysProcAttr{Setpgid: !l.onTerm, Setsid: l.onTerm, Setctty: l.onTerm}
	p.prepare(&sys)
	keepFromCommands()
	var fds [3]uintptr
	for i, f := range l.files {
		fds[i] = f.Fd()
	}
	pid, err := syscall.ForkExec(l.program, l.args, &syscall.ProcAttr{Dir: l.dir, Env: l.env, Files: fds[:], Sys: &sys})
	if err != nil {
		return err
	}
	p.pid = pid
	p.adopt()
	return nil
}

// terminate and kill signal the group. They need the lock.
//
// Only who sits at a terminal is hung up, too: to others SIGHUP means to read their settings again, or it takes them away
// before they have heard SIGTERM, which they are prepared for. Shells at a terminal ignore SIGTERM.
func (p *process) terminate() {
	if p.onTerm {
		_ = syscall.Kill(-p.pid, syscall.SIGHUP)
	}
	_ = syscall.Kill(-p.pid, syscall.SIGTERM)
	_ = syscall.Kill(-p.pid, syscall.SIGCONT) // who has been stopped hears it only then
}

func (p *process) kill() { _ = syscall.Kill(-p.pid, syscall.SIGKILL) }
