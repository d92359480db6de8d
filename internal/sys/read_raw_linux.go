//go:build linux && !race

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

// read is read(2) with the scheduler left out. syscall.Read tells it that this
// thread may block, before the call and after it; a non-blocking descriptor
// never blocks, so there is nothing to tell. It saves 25 to 30 ns of some 215 (an
// empty read of a socketpair, BenchmarkRead).
func read(fd uintptr, p []byte) (int, error) {
	if len(p) > maxRaw {
		return syscall.Read(int(fd), p)
	}
	n, _, errno := syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// write is to write(2) as read is to read(2).
func write(fd uintptr, p []byte) (int, error) {
	if len(p) > maxRaw {
		return syscall.Write(int(fd), p)
	}
	n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
