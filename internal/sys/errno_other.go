//go:build !windows

package sys

import "syscall"

// What may go wrong with sockets.
var (
	InUse        = Failure{syscall.EADDRINUSE}    // somebody has this address already
	NotAvailable = Failure{syscall.EADDRNOTAVAIL} // no address of this machine
	NoFamily     = Failure{syscall.EAFNOSUPPORT}  // no such address family on this machine
	WrongType    = Failure{syscall.EPROTOTYPE}    // the Unix socket there is of another type
	Refused      = Failure{syscall.ECONNREFUSED}  // nobody listens there
	Unreachable  = Failure{syscall.EHOSTUNREACH, syscall.ENETUNREACH}
	TimedOut     = Failure{syscall.ETIMEDOUT}    // the system itself has given up waiting
	Reset        = Failure{syscall.ECONNRESET}   // by the other end
	Aborted      = Failure{syscall.ECONNABORTED} // by this end's system
	NoReader     = Failure{syscall.EPIPE}        // written to an end that no longer reads
	TooLong      = Failure{syscall.EMSGSIZE}     // for one datagram
)

var (
	outOfMemory = Failure{syscall.ENOBUFS, syscall.ENOMEM}
	outOfFiles  = Failure{syscall.EMFILE, syscall.ENFILE}
	lostCaller  = Failure{syscall.ECONNABORTED, syscall.ECONNRESET, syscall.EPROTO}
)
