//go:build !unix

package sandbox

import (
	"errors"
	"fmt"
	"runtime"
)

func findUser(string) (func() error, error) {
	return nil, fmt.Errorf("%s has no users of that kind: %w", runtime.GOOS, errors.ErrUnsupported)
}
