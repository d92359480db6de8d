//go:build !linux && !darwin

package sys

import "syscall"

// SocketQueues is not known here: an error that wraps [errors.ErrUnsupported].
func SocketQueues(rc syscall.RawConn) (Queues, error) {
	return unknownQueues, unsupported("the queues of a socket")
}
