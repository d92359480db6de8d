//go:build unix

package service

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
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

// endTerminal says the caller's end to the terminal f, after the byte last. A close would throw away what nobody has read
// yet, so it is left to where there is no other way. An error means that nobody is there to be told.
func endTerminal(f *os.File, last byte) {
	switch {
	case !isCanonical(f):
		f.Close()
	case last == 0 || strings.IndexByte(lineEnds, last) >= 0:
		_, _ = f.Write([]byte("\x04"))
	default: // the first only hands over the line so far
		_, _ = f.Write([]byte("\x04\x04"))
	}
}

// lineEnds are the bytes after which a line is empty: CR and LF, and Ctrl-C, -D, -U and -\.
const lineEnds = "\r\n\x03\x04\x15\x1c"

// isCanonical reports whether the terminal hears lines, and Ctrl-D as an end. So does each that is new, which is the answer
// where it cannot be asked.
func isCanonical(f *os.File) bool {
	canonical := true
	rc, err := f.SyscallConn()
	if err != nil {
		return false
	}
	err = rc.Control(func(fd uintptr) {
		if mode, err := unix.IoctlGetTermios(int(fd), getTermios); err == nil {
			canonical = mode.Lflag&unix.ICANON != 0
		}
	})
	return err == nil && canonical
}
