//go:build unix && (race || !linux || !(amd64 || arm64))

package sys

import "syscall"

// The race detector takes what is written before a Write to have happened before
// what follows the Read that sees its bytes. Package syscall tells it so, a raw
// call does not; so under -race Linux comes here too, and
// so it does on the processors that few have. These calls wait if somebody has made
// the socket blocking, but the scheduler knows of it.

func read(fd uintptr, p []byte) (int, error)  { return syscall.Read(int(fd), p) }
func write(fd uintptr, p []byte) (int, error) { return syscall.Write(int(fd), p) }
