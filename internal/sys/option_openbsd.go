package sys

import "syscall"

const (
	reusePort    = syscall.SO_REUSEPORT
	keepIdle     = none // OpenBSD has one interval for all sockets: sysctl net.inet.tcp.keepidle
	keepInterval = none
)
