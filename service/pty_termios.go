//go:build linux || solaris || aix

package service

import "golang.org/x/sys/unix"

// getTermios is the request of tcgetattr(3).
const getTermios = unix.TCGETS
