//go:build unix

package cli

import "syscall"

// openFiles is how many descriptors this process may have; Go has taken all that it may.
func openFiles() (n uint64, known bool) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, false
	}
	return uint64(limit.Cur), true
}
