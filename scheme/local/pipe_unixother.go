//go:build unix && !linux

package local

// hold returns the path, as there is no other name. If the pipe is removed while its other end is waited for, a goroutine goes
// on waiting.
func hold(path string) (held string, unhold func()) { return path, func() {} }
