package service

import (
	"os"
	"syscall"
	"unsafe"
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

// await waits until the process has ended, and leaves it to be reaped: until then its number stays its own.
func (p *process) await() {
	if p.file != nil {
		rc, err := p.file.SyscallConn()
		if err == nil {
			err = rc.Read(func(uintptr) bool { return hasEnded(p.pid, syscall.WNOHANG) })
		}
		p.file.Close()
		if err == nil {
			return
		}
	}
	hasEnded(p.pid, 0)
}

// hasEnded reports whether pid has ended, or waits until it has if flags are 0. It is waitid(2), for package syscall lacks it.
func hasEnded(pid, flags int) bool {
	const (
		byPID    = 1
		infoSize = 128 // of a siginfo_t, whose first word is SIGCHLD if there is something to tell
	)
	for {
		var info [infoSize / 8]uint64
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, byPID, uintptr(pid), uintptr(unsafe.Pointer(&info)),
			uintptr(syscall.WEXITED|syscall.WNOWAIT|flags), 0, 0)
		if errno != syscall.EINTR {
			return errno != 0 || *(*int32)(unsafe.Pointer(&info)) != 0
		}
	}
}

// reap takes the exit status of a process that has ended.
func (p *process) reap() exit {
	for {
		var ws syscall.WaitStatus
		_, err := syscall.Wait4(p.pid, &ws, 0, nil)
		if err == nil {
			return exitOf(ws)
		}
		if err != syscall.EINTR {
			return exit{-1, nil} // somebody else has reaped it
		}
	}
}
