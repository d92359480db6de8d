package sys

import (
	"os"
	"syscall"
)

const canSplice = true

// KindOf returns what f is.
func KindOf(f *os.File) (k Kind) {
	rc, err := f.SyscallConn()
	if err != nil {
		return Other
	}
	_ = rc.Control(func(fd uintptr) { k = kindOf(fd) })
	return k
}

func kindOf(fd uintptr) Kind {
	var st syscall.Stat_t
	if syscall.Fstat(int(fd), &st) != nil {
		return Other
	}
	switch st.Mode & syscall.S_IFMT {
	case syscall.S_IFIFO:
		return Pipe
	case syscall.S_IFREG:
		if flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_GETFL, 0); errno == 0 && flags&syscall.O_APPEND != 0 {
			return Other // splice(2) refuses it
		}
		return File
	case syscall.S_IFSOCK:
		if isStream(fd) && (isTCP(fd) || isUnix(fd)) {
			return Stream
		}
	}
	return Other
}
