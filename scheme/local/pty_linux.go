package local

import (
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// The requests of tcgetattr(3) and tcsetattr(3).
const getTermios, setTermios = unix.TCGETS, unix.TCSETS

// openMaster makes a pseudo-terminal (pts(4)). Nobody has opened the terminal yet, not even for a moment, so that reading waits
// for who does.
func openMaster(s size) (*master, error) {
	f, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, noTerminals(err)
	}
	m := &master{File: f}
	if err = m.unlock(); err == nil {
		err = m.resize(s)
	}
	if err != nil {
		f.Close()
		return nil, noTerminals(err)
	}
	return m, nil
}

// unlock finds out the name of the terminal, and lets it be opened.
func (m *master) unlock() error {
	return m.control(func(fd int) error {
		n, err := unix.IoctlGetUint32(fd, unix.TIOCGPTN)
		if err != nil {
			return err
		}
		m.slave = "/dev/pts/" + strconv.FormatUint(uint64(n), 10)
		return unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	})
}

// await has reading wait for somebody to open the terminal, or not: what somebody has opened and closed, it does not wait for.
// It returns a file that must stay open for that, which there is none of.
func (m *master) await(wait bool) (kept *os.File, err error) {
	if wait {
		return nil, nil
	}
	f, err := m.openSlave()
	if err != nil {
		return nil, err
	}
	return nil, f.Close()
}
