//go:build unix && (race || !linux)

package sys

import "syscall"

// The race detector takes what is written before a Write to have happened before
// what follows the Read that sees its bytes. Package syscall tells it so, a raw
// call does not; so under -race Linux comes here too.

func read(fd uintptr, p []byte) (int, error)  { return syscall.Read(int(fd), p) }
func write(fd uintptr, p []byte) (int, error) { return syscall.Write(int(fd), p) }
