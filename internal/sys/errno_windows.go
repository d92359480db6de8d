package sys

import "syscall"

// What may go wrong with sockets. The numbers without a name in package syscall are those of winsock2.h and, where
// Windows reports an overlapped call, of winerror.h.
var (
	InUse        = Failure{wsaEADDRINUSE}                              // somebody has this address already
	NotAvailable = Failure{wsaEADDRNOTAVAIL}                           // no address of this machine
	NoFamily     = Failure{wsaEAFNOSUPPORT}                            // no such address family on this machine
	WrongType    = Failure{wsaEPROTOTYPE}                              // the Unix socket there is of another type
	Refused      = Failure{wsaECONNREFUSED, errorConnectionRefused}    // nobody listens there
	Unreachable  = Failure{wsaEHOSTUNREACH, wsaENETUNREACH}            // no way there
	TimedOut     = Failure{wsaETIMEDOUT}                               // the system itself has given up waiting
	Reset        = Failure{syscall.WSAECONNRESET, errorNetnameDeleted} // by the other end
	Aborted      = Failure{syscall.WSAECONNABORTED, errorAborted}      // by this end's system
	NoReader     = Failure{syscall.ERROR_BROKEN_PIPE, errorNoData}     // written to an end that no longer reads
	TooLong      = Failure{wsaEMSGSIZE}                                // for one datagram
)

var (
	outOfMemory = Failure{wsaENOBUFS}
	outOfFiles  = Failure{wsaEMFILE}
	lostCaller  = Failure{syscall.WSAECONNABORTED, syscall.WSAECONNRESET, errorNetnameDeleted}
)

const (
	wsaEMFILE        = syscall.Errno(10024)
	wsaEMSGSIZE      = syscall.Errno(10040)
	wsaEPROTOTYPE    = syscall.Errno(10041)
	wsaEAFNOSUPPORT  = syscall.Errno(10047)
	wsaEADDRINUSE    = syscall.Errno(10048)
	wsaEADDRNOTAVAIL = syscall.Errno(10049)
	wsaENETUNREACH   = syscall.Errno(10051)
	wsaENOBUFS       = syscall.Errno(10055)
	wsaETIMEDOUT     = syscall.Errno(10060)
	wsaECONNREFUSED  = syscall.Errno(10061)
	wsaEHOSTUNREACH  = syscall.Errno(10065)

	errorNetnameDeleted    = syscall.ERROR_NETNAME_DELETED
	errorNoData            = syscall.Errno(232)
	errorConnectionRefused = syscall.Errno(1225)
	errorAborted           = syscall.Errno(1236) // ERROR_CONNECTION_ABORTED
)
