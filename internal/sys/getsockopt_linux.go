//go:build linux && !386

package sys

import "syscall"

const sysGetsockopt = syscall.SYS_GETSOCKOPT
