//go:build !unix

package sys

// CanRead says whether Read and Write work on this system.
const CanRead = false

// Read is for Unix; here it is an error that wraps [errors.ErrUnsupported].
func Read(fd uintptr, p []byte) (n int, again bool, err error) {
	return 0, false, unsupported("a read that never waits")
}

// Write is for Unix; here it is an error that wraps [errors.ErrUnsupported].
func Write(fd uintptr, p []byte) (n int, again bool, err error) {
	return 0, false, unsupported("a write that never waits")
}
