//go:build unix

package local

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// openSlave opens the terminal, without making it that of this program.
func (m *master) openSlave() (*os.File, error) {
	f, err := os.OpenFile(m.slave, os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, noTerminals(err)
	}
	return f, nil
}

// resize says how large the terminal is.
func (m *master) resize(s size) error {
	return m.control(func(fd int) error {
		return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: s.lines, Col: s.columns})
	})
}

// makeRaw has bytes pass as they are, both ways, as cfmakeraw(3) does.
func (m *master) makeRaw() error {
	return m.control(func(fd int) error {
		mode, err := unix.IoctlGetTermios(fd, getTermios)
		if err != nil {
			return err
		}
		mode.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
		mode.Oflag &^= unix.OPOST
		mode.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
		mode.Cflag = mode.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
		mode.Cc[unix.VMIN], mode.Cc[unix.VTIME] = 1, 0
		return unix.IoctlSetTermios(fd, setTermios, mode)
	})
}

func (m *master) control(f func(fd int) error) error {
	rc, err := m.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := rc.Control(func(fd uintptr) { failed = f(int(fd)) }); err != nil {
		return err
	}
	return os.NewSyscallError("ioctl", failed)
}

// isCanonical reports whether the terminal hears lines, and Ctrl-D as an end. So does each that is new, which is the answer
// where it cannot be asked.
func isCanonical(f *os.File) bool {
	canonical := true
	err := (&master{File: f}).control(func(fd int) error {
		if mode, err := unix.IoctlGetTermios(fd, getTermios); err == nil {
			canonical = mode.Lflag&unix.ICANON != 0
		}
		return nil
	})
	return err == nil && canonical
}

// isHungUp reports whether err says that nobody has a terminal open any more.
func isHungUp(err error) bool { return errors.Is(err, syscall.EIO) }

// noTerminals is why there is no pseudo-terminal to be had.
func noTerminals(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("no pseudo-terminals on this system: %w", errors.Join(errors.ErrUnsupported, err))
	}
	return fmt.Errorf("no pseudo-terminal: %w", err)
}
