package service

import (
	"net"
	"syscall"
)

// callerIDs returns the user and group that the caller on a Unix socket had when it called (unix(7), SO_PEERCRED).
func callerIDs(nc net.Conn) (uid, gid int, ok bool) {
	uc, ok := nc.(*net.UnixConn)
	if !ok {
		return 0, 0, false
	}
	rc, err := uc.SyscallConn()
	if err != nil {
		return 0, 0, false
	}
	var cred *syscall.Ucred
	var sysErr error
	err = rc.Control(func(fd uintptr) {
		cred, sysErr = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	if err != nil || sysErr != nil {
		return 0, 0, false
	}
	return int(cred.Uid), int(cred.Gid), true
}
