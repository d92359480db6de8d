//go:build !unix

package systemd

import "errors"

// inUse is never said, as nothing is handed over.
var inUse = errors.ErrUnsupported

func kindOf(int) (kind, error) { return 0, errors.ErrUnsupported }
