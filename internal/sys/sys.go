// Package sys holds the little that package net does not offer: one read or
// write that never waits, what the kernel knows of a socket's queues, socket
// options by name, who holds a port, and bytes moved from a socket to a pipe
// without passing through the process.
//
// It calls the system itself, through package syscall, so that a user of
// parley takes in no other module. What a system cannot do is an error that
// wraps [errors.ErrUnsupported] and says what was wanted.
package sys

import (
	"errors"
	"fmt"
	"runtime"
)

// unsupported says that this system cannot do what.
func unsupported(what string) error {
	return fmt.Errorf("%s on %s: %w", what, runtime.GOOS, errors.ErrUnsupported)
}
