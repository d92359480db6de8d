package sys

// Queues says what the kernel knows of a stream socket. Numbers are bytes; -1
// means that this system, or this kind of socket, cannot say.
type Queues struct {
	// Unacked is what we have written and the other kernel has not acknowledged
	// (SIOCOUTQ on TCP, tcp(7)). It counts sequence numbers, so on Linux our FIN
	// is one more until it is acknowledged. Acknowledged is not read: the bytes
	// may still lie in the other kernel.
	Unacked int

	// Unread is what has come to us and nobody has read (SIOCINQ, FIONREAD).
	Unread int

	// ZeroWindow says that the other end of a TCP conversation has closed its
	// window while we have bytes to send: it is not reading. It needs Linux 5.4;
	// before that it is seen only when a window probe has gone unanswered.
	ZeroWindow bool

	// Charged is, for a Unix socket, the memory charged to us for what the other
	// end has not read (SIOCOUTQ, unix(7)). It is more than the bytes themselves;
	// 0 means that all is read.
	Charged int
}

// unknownQueues is where every system starts from.
var unknownQueues = Queues{Unacked: -1, Unread: -1, Charged: -1}
