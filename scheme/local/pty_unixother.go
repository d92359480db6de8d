//go:build unix && !linux

package local

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/creack/pty"
)

// openMaster makes a pseudo-terminal.
func openMaster(s size) (*master, error) {
	ours, theirs, err := pty.Open()
	if errors.Is(err, pty.ErrUnsupported) {
		return nil, fmt.Errorf("no pseudo-terminals on this system: %w", errors.ErrUnsupported)
	}
	if err != nil {
		return nil, noTerminals(err)
	}
	defer theirs.Close()
	m := &master{ours, theirs.Name()}
	// pty has made it block, and then Close could not end a Read.
	err = errors.Join(m.resize(s), syscall.SetNonblock(int(ours.Fd()), true))
	if err != nil {
		ours.Close()
		return nil, noTerminals(err)
	}
	return m, nil
}

// await has reading wait for somebody to open the terminal, or not. These systems say that nobody has it open, not whether
// anybody has had: so it is kept open, and reading never ends.
func (m *master) await(wait bool) (kept *os.File, err error) {
	if !wait {
		return nil, nil
	}
	return m.openSlave()
}
