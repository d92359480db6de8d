//go:build linux && (amd64 || arm64) && !race

package sys

import (
	"syscall"
	"unsafe"
)

// maxRaw is the largest buffer read or written behind the scheduler's back.
// Copying 64 KiB takes some 10 µs, which is how long a stop of the world (for
// the garbage collector) may have to wait for us; above it, what the scheduler
// costs is lost in what the copying costs.
const maxRaw = 64 << 10

// The calls are recv(2) and send(2), whose MSG_DONTWAIT holds for one call. What
// makes a descriptor non-blocking, O_NONBLOCK, holds for everybody who shares the
// socket, and is taken away by whoever calls File().Fd(): a read that then waits
// without the scheduler's knowledge stops the whole process.
const (
	readFlags  = syscall.MSG_DONTWAIT
	writeFlags = syscall.MSG_DONTWAIT | syscall.MSG_NOSIGNAL
)

// read is recv(2) with the scheduler left out. syscall.Read tells it that this
// thread may block, before the call and after it; with MSG_DONTWAIT it never
// blocks, so there is nothing to tell. It saves 25 to 30 ns of some 215 (an empty
// read of a socketpair, BenchmarkRead).
func read(fd uintptr, p []byte) (int, error) {
	if len(p) > maxRaw {
		return counted(syscall.Syscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), readFlags, 0, 0))
	}
	return counted(syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), readFlags, 0, 0))
}

// write is to send(2) as read is to recv(2).
func write(fd uintptr, p []byte) (int, error) {
	if len(p) > maxRaw {
		return counted(syscall.Syscall6(syscall.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), writeFlags, 0, 0))
	}
	return counted(syscall.RawSyscall6(syscall.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), writeFlags, 0, 0))
}

// counted turns what a system call returns into what package syscall does.
func counted(n, _ uintptr, errno syscall.Errno) (int, error) {
	switch errno {
	case 0:
		return int(n), nil
	case syscall.EAGAIN:
		return 0, again
	}
	return 0, errno
}

// again is made an error once, as the runtime does that in a function that an idle conversation has no stack for.
var again error = syscall.EAGAIN
