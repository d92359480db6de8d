//go:build !linux

package sys

import (
	"os"
	"syscall"
)

const canSplice = false

// KindOf returns what f is. Here only files are told from the rest.
func KindOf(f *os.File) Kind {
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		return File
	}
	return Other
}

// PassThrough is Linux's, and never called here: WayBetween does not choose it.
func PassThrough(from, to syscall.RawConn, m Moves) (fromErr, toErr error) {
	return unsupported("splice"), nil
}
