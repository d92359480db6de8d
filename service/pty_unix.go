//go:build unix

package service

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/creack/pty"
)

// openTerminal opens a pseudo-terminal as if it were two pipes; its ends for us are one file.
func (cmd *Command) openTerminal() (*tubes, error) {
	ours, theirs, err := openPty()
	if err != nil {
		return nil, err
	}
	t := &tubes{ours: [3]*os.File{ours, ours, nil}, theirs: [3]*os.File{theirs, theirs, theirs}}
	if cmd.Stderr == nil {
		return t, nil
	}
	if err := t.openError(cmd); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

func openPty() (ours, theirs *os.File, err error) {
	ours, theirs, err = pty.Open()
	if errors.Is(err, pty.ErrUnsupported) || errors.Is(err, os.ErrNotExist) {
		return nil, nil, fmt.Errorf("no pseudo-terminals on this system: %w", errors.Join(errors.ErrUnsupported, err))
	}
	if err != nil {
		return nil, nil, fmt.Errorf("no pseudo-terminal: %w", err)
	}
	err = pty.Setsize(ours, &pty.Winsize{Rows: 24, Cols: 80})
	if err == nil {
		// pty has made it block, and then Close could not end a Read.
		err = syscall.SetNonblock(int(ours.Fd()), true)
	}
	if err != nil {
		ours.Close()
		theirs.Close()
		return nil, nil, fmt.Errorf("no pseudo-terminal: %w", err)
	}
	return ours, theirs, nil
}

// tryTerminal reports whether there are pseudo-terminals.
func tryTerminal() error {
	ours, theirs, err := openPty()
	if err != nil {
		return err
	}
	theirs.Close()
	return ours.Close()
}
