package local

import (
	"errors"
	"fmt"
	"io/fs"
)

func makePipe(string, fs.FileMode) error {
	return fmt.Errorf("there are no named pipes with a path on Windows: %w", errors.ErrUnsupported)
}

func wakerOf(string, int) (wake func() bool, done func()) {
	return func() bool { return false }, func() {}
}
