package sys

import "syscall"

// SocketQueues asks the kernel for the queues of a TCP or Unix socket. It is an
// error only when the socket is closed (net.ErrClosed) or of another kind
// (errors.ErrUnsupported). macOS puts what is written to a Unix socket straight
// into the other end's queue, so for those only Unread is known.
func SocketQueues(rc syscall.RawConn) (Queues, error) {
	q := unknownQueues
	var known bool
	err := rc.Control(func(fd uintptr) {
		kind, _ := getInt(fd, syscall.SO_TYPE)
		if kind != syscall.SOCK_STREAM {
			return
		}
		known = true
		q.Unread = count(fd, syscall.SO_NREAD)
		if isInternet(fd) {
			q.Unacked = count(fd, syscall.SO_NWRITE)
		}
	})
	if err == nil && !known {
		err = unsupported("queues of a socket that is neither TCP nor a Unix stream")
	}
	return q, err
}

// count is a socket option that is a number of bytes; -1 if there is none.
func count(fd uintptr, option int) int {
	n, err := getInt(fd, option)
	if err != nil {
		return -1
	}
	return n
}

func getInt(fd uintptr, option int) (int, error) {
	return syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, option)
}

func isInternet(fd uintptr) bool {
	name, err := syscall.Getsockname(int(fd))
	if err != nil {
		return false
	}
	_, isUnix := name.(*syscall.SockaddrUnix)
	return !isUnix
}
