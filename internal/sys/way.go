package sys

// A Kind is what a descriptor is, as far as moving bytes goes.
type Kind int

const (
	Other  Kind = iota // a terminal, a device, a datagram socket, a file open for appending, or what is no descriptor at all
	Stream             // a stream socket, of TCP or Unix
	Pipe
	File // a regular file
)

// A Way is how bytes get from one descriptor to another.
type Way int

const (
	Copy     Way = iota // read and written, through memory of this process
	SendFile            // sendfile(2)
	Splice              // splice(2)
	Through             // splice(2) twice, through a pipe of our own: see [PassThrough]
)

// WayBetween chooses the way from one descriptor to another:
//
//	from     to Stream  to Pipe  to File  to Other
//	Stream   Through    Splice   Through  Copy
//	Pipe     Copy       Copy     Copy     Copy
//	File     SendFile   Copy     Copy     Copy
//	Other    Copy       Copy     Copy     Copy
//
// From a pipe to a socket copying is faster than splice(2): a pipe that [GrowPipe] has grown, read into a buffer of 1 MiB,
// gave 30 % more bytes a second for less processor time (two cores, Linux 6.18). Between pipes and files package os finds its own ways, such as
// copy_file_range(2). On systems other than Linux only SendFile is there.
func WayBetween(from, to Kind) Way {
	switch {
	case from == File && to == Stream:
		return SendFile
	case !canSplice || from != Stream:
		return Copy
	case to == Stream || to == File:
		return Through
	case to == Pipe:
		return Splice
	}
	return Copy
}

// Moves is told how far a [PassThrough] has got, in the goroutine that runs it.
type Moves struct {
	Took  func(n int) // n bytes have been taken out of the socket
	Gave  func(n int) // n bytes of those have been given to the other descriptor
	Waits func()      // nothing is there: it waits for the socket
	Stuck func()      // it waits for the other descriptor
}
