//go:build freebsd || netbsd || dragonfly

package sys

import "syscall"

const (
	reusePort    = syscall.SO_REUSEPORT
	keepIdle     = syscall.TCP_KEEPIDLE
	keepInterval = syscall.TCP_KEEPINTVL
)
