package sys

import (
	"os"
	"runtime"
	"strings"
	"syscall"
)

const (
	keepIdle     = syscall.TCP_KEEPIDLE
	keepInterval = syscall.TCP_KEEPINTVL
)

// reusePort is SO_REUSEPORT, asm-generic/socket.h: package syscall has it for some
// processors only.
var reusePort = reusePortNumber()

func reusePortNumber() int {
	if strings.HasPrefix(runtime.GOARCH, "mips") {
		return 0x200
	}
	return 0xf
}

// BindToInterface makes fd use the network interface of that name and no other
// (SO_BINDTODEVICE, socket(7)). Before Linux 5.7 only root may.
func BindToInterface(fd uintptr, name string) error {
	return os.NewSyscallError("setsockopt SO_BINDTODEVICE "+name, syscall.BindToDevice(int(fd), name))
}

// Autobind gives fd, a Unix datagram socket, an abstract name that the kernel
// chooses, so that its datagrams can be answered (unix(7), autobind feature).
func Autobind(fd uintptr) error {
	return os.NewSyscallError("bind", syscall.Bind(int(fd), &syscall.SockaddrUnix{}))
}

// SetMode gives fd, a Unix socket not yet bound, the permissions that its file will be made with, but for those that the
// umask takes away (unix_bind in net/unix/af_unix.c): the file is never there with more.
func SetMode(fd uintptr, mode os.FileMode) error {
	return os.NewSyscallError("fchmod", syscall.Fchmod(int(fd), uint32(mode.Perm())))
}
