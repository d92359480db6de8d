package sock

import (
	"io"
	"net"
	"os"
)

// sendStep is how much of a file the kernel is asked to move at once, in bytes: so often it is told how far it has got.
const sendStep = 256 << 10

// SendFile has the kernel move at most *left bytes of f to tc, from where f is read, and counts left down. Told is called
// after each step.
func SendFile(tc *net.TCPConn, f *os.File, left *int64, told func(n int64)) (total int64, err error) {
	for {
		n, err := tc.ReadFrom(io.LimitReader(f, min(sendStep, *left)))
		*left -= n
		total += n
		told(n)
		if err != nil || n == 0 {
			return total, err
		}
	}
}
