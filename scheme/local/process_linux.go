package local

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A handle is what the system knows a process by: a pidfd (Linux 5.3), which Go's poller waits for. A blocking wait would
// hold a thread for each process, and Go gives a program no more than 10,000.
type handle struct {
	pidfd int
	file  *os.File // of pidfd; nil on a system without
}

func (h *handle) prepare(sys *syscall.SysProcAttr) { sys.PidFD = &h.pidfd }

func (h *handle) adopt() {
	if h.pidfd < 0 || syscall.SetNonblock(h.pidfd, true) != nil {
		return
	}
	h.file = os.NewFile(uintptr(h.pidfd), "pidfd")
}

// await waits until the process has ended, and leaves it to be reaped.
func (p *process) await() (e exit) {
	if p.file != nil {
		defer p.file.Close()
		rc, err := p.file.SyscallConn()
		if err == nil {
			err = rc.Read(func(uintptr) (ended bool) {
				e, ended = look(p.pid, unix.WNOHANG)
				return ended
			})
		}
		if err == nil {
			return e
		}
	}
	e, _ = look(p.pid, 0)
	return e
}

// A childInfo is the siginfo_t that waitid(2) fills in, up to what is asked for here.
type childInfo struct {
	signo     int32
	err, code int32 // the other way round on MIPS, and err is 0
	_         [0]uintptr
	pid       int32
	uid       uint32
	status    int32
}

// look reports how pid has ended, if it has; with flags 0 it waits until then.
func look(pid, flags int) (e exit, ended bool) {
	for {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOWAIT|flags, nil)
		child := (*childInfo)(unsafe.Pointer(&info))
		switch {
		case err == unix.EINTR:
		case err != nil: // somebody else has reaped it
			return exit{-1, ""}, true
		case child.signo == 0:
			return exit{}, false
		case child.err|child.code == exitedByItself:
			return exit{int(child.status), ""}, true
		default:
			return exit{-1, syscall.Signal(child.status).String()}, true
		}
	}
}

// exitedByItself is CLD_EXITED of sigaction(2), which package unix lacks.
const exitedByItself = 1

// reap lets the system forget the process, which has ended.
func (p *process) reap() {
	for {
		if _, err := syscall.Wait4(p.pid, nil, 0, nil); err != syscall.EINTR {
			return
		}
	}
}
