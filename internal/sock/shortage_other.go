//go:build !unix

package sock

import "syscall"

// shortages are the errors of accept that say nothing against the listener.
var shortages = []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED, syscall.ECONNRESET}
