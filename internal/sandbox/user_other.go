//go:build !unix

package sandbox

import (
	"errors"
	"fmt"
	"runtime"
)

func setUser(string) error {
	return fmt.Errorf("%s has no users of that kind: %w", runtime.GOOS, errors.ErrUnsupported)
}
