//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package local

import "golang.org/x/sys/unix"

// The requests of tcgetattr(3) and tcsetattr(3).
const getTermios, setTermios = unix.TIOCGETA, unix.TIOCSETA
