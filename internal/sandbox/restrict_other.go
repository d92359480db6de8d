//go:build !linux

package sandbox

import (
	"errors"
	"fmt"
	"runtime"
)

func restrict(r Rights) error {
	if err := r.checkPaths(); err != nil {
		return err
	}
	return fmt.Errorf("sandbox: files, ports and new privileges stay open: Landlock is of Linux, not of %s: %w", runtime.GOOS, errors.ErrUnsupported)
}
