package child

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

// Await waits until the process has ended, and leaves it to be reaped. It is called once.
func (c *Child) Await() (e Exit) {
	if c.file != nil {
		defer c.file.Close()
		rc, err := c.file.SyscallConn()
		if err == nil {
			err = rc.Read(func(uintptr) (ended bool) {
				e, ended = look(c.PID, unix.WNOHANG)
				return ended
			})
		}
		if err == nil {
			return e
		}
	}
	e, _ = look(c.PID, 0)
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

// exitedByItself is CLD_EXITED of sigaction(2), which package unix lacks.
const exitedByItself = 1

// look reports how pid has ended, if it has; with flags 0 it waits until then.
func look(pid, flags int) (e Exit, ended bool) {
	for {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOWAIT|flags, nil)
		child := (*childInfo)(unsafe.Pointer(&info))
		switch {
		case err == unix.EINTR:
		case err != nil:
			return unknown, true
		case child.signo == 0:
			return Exit{}, false
		case child.err|child.code == exitedByItself:
			return Exit{Status: int(child.status)}, true
		default:
			return Exit{-1, syscall.Signal(child.status)}, true
		}
	}
}

// Reap lets the system forget the process, which has ended.
func (c *Child) Reap() {
	for {
		if _, err := syscall.Wait4(c.PID, nil, 0, nil); err != syscall.EINTR {
			return
		}
	}
}
