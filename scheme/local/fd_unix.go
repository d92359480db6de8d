//go:build unix

package local

import (
	"cmp"
	"fmt"
	"io/fs"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// A descriptor is what the system says of one that was given.
type descriptor struct {
	given
	stat  unix.Stat_t
	flags int // as of open(2)
}

// examine asks the system about a descriptor. One that is closed at exec was not there when this process was started, unless we
// have made it so: it is the Go runtime's, or somebody's who would be robbed of it.
func examine(d given) (descriptor, error) {
	own := descriptor{given: d}
	kept, err := unix.FcntlInt(uintptr(d), unix.F_GETFD, 0)
	if err != nil || d > 2 && kept&unix.FD_CLOEXEC != 0 && !isInherited(d) {
		return own, fmt.Errorf("%s is not open: this process was started without it (%w); the shell gives one by %d<FILE, %d>FILE or %d<>FILE",
			d, unix.EBADF, d, d, d)
	}
	if own.flags, err = unix.FcntlInt(uintptr(d), unix.F_GETFL, 0); err != nil {
		return own, fmt.Errorf("%s: %w", d, os.NewSyscallError("fcntl", err))
	}
	if err := unix.Fstat(int(d), &own.stat); err != nil {
		return own, fmt.Errorf("%s: %w", d, os.NewSyscallError("fstat", err))
	}
	if own.is(unix.S_IFDIR) {
		return own, fmt.Errorf("%s: %w", d, unix.EISDIR)
	}
	return own, nil
}

func (d *descriptor) is(kind uint32) bool { return uint32(d.stat.Mode)&unix.S_IFMT == kind }

func (d *descriptor) readable() bool { return d.flags&unix.O_ACCMODE != unix.O_WRONLY }
func (d *descriptor) writable() bool { return d.flags&unix.O_ACCMODE != unix.O_RDONLY }

// open makes a conversation of descriptors. A socket is one as it is.
func open(addr Addr, in, out given) (net.Conn, error) {
	hears, err := examine(in)
	if err != nil {
		return nil, err
	}
	speaks, err := examine(out)
	if err != nil {
		return nil, err
	}
	one := hears.stat.Dev == speaks.stat.Dev && hears.stat.Ino == speaks.stat.Ino
	if one && hears.is(unix.S_IFSOCK) {
		return hears.socket(speaks)
	}
	if in == out {
		return hears.alone(addr)
	}
	return twoFiles(addr, hears, speaks)
}

// socket makes a conversation of a socket. speaks is the same, or a copy of it.
func (d *descriptor) socket(speaks descriptor) (net.Conn, error) {
	if _, err := unix.Getpeername(int(d.given)); err != nil {
		return nil, fmt.Errorf("%s is a socket without another end (%w): it listens, or was never connected", d.given, os.NewSyscallError("getpeername", err))
	}
	f, err := d.duplicate()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	nc, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.given, err)
	}
	if err := cmp.Or(d.giveUp(), speaks.giveUp()); err != nil {
		nc.Close()
		return nil, err
	}
	return nc, nil
}

// alone makes a conversation of one descriptor, in the directions that it was opened for.
func (d *descriptor) alone(addr Addr) (net.Conn, error) {
	f, err := d.copy(d.flags & unix.O_ACCMODE)
	if err != nil {
		return nil, err
	}
	switch {
	case !d.writable():
		e := newEnd(addr, f, nil)
		e.in = &lentIn{e.in, d.giveUp}
		e.out = &untaken{onlyRead(addr, "; to keep what is said to it, write fd:IN,OUT")}
		return e, nil
	case !d.readable():
		e := newEnd(addr, nil, f)
		e.out = &lentOut{e.out, d.giveUp}
		return e, nil
	}
	e := newEnd(addr, f, f)
	e.in = &lentIn{e.in, d.giveUp}
	return e, nil
}

// twoFiles makes a conversation of a descriptor to hear and one to speak to.
func twoFiles(addr Addr, hears, speaks descriptor) (net.Conn, error) {
	switch {
	case !hears.readable():
		return nil, fmt.Errorf("%s cannot be heard, only written (%w)", hears.given, fs.ErrPermission)
	case !speaks.writable():
		return nil, fmt.Errorf("%s cannot be written, only heard (%w)", speaks.given, fs.ErrPermission)
	}
	in, err := hears.copy(unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	out, err := speaks.copy(unix.O_WRONLY)
	if err != nil {
		in.Close()
		return nil, err
	}
	e := newEnd(addr, in, out)
	e.in = &lentIn{e.in, hears.giveUp}
	e.out = &lentOut{e.out, speaks.giveUp}
	return e, nil
}

// copy returns a file of the same, which can be waited for if the system lets it. What is shared with other processes, such
// as whether calls wait, is left as it is.
func (d *descriptor) copy(access int) (*os.File, error) {
	waits := d.flags&unix.O_NONBLOCK == 0
	if waits && (d.is(unix.S_IFIFO) || d.isTerminal()) {
		if f := d.reopen(access); f != nil {
			return f, nil
		}
	}
	return d.duplicate()
}

func (d *descriptor) isTerminal() bool {
	_, err := unix.IoctlGetWinsize(int(d.given), unix.TIOCGWINSZ)
	return err == nil && d.is(unix.S_IFCHR)
}

func (d *descriptor) duplicate() (*os.File, error) {
	fd, err := unix.FcntlInt(uintptr(d.given), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.given, os.NewSyscallError("dup", err))
	}
	return os.NewFile(uintptr(fd), d.given.String()), nil
}

// giveUp puts nothing in the place of a pipe or socket, so that its other end notices that nobody reads or writes it here any
// more. The number stays in use: whoever closes it closes nobody else's. Standard error is left, for the last words of this
// process.
func (d *descriptor) giveUp() error {
	if d.given == 2 || !d.is(unix.S_IFIFO) && !d.is(unix.S_IFSOCK) {
		return nil
	}
	nothing, err := openNothing()
	if err != nil {
		return fmt.Errorf("cannot let go of %s: %w", d.given, err)
	}
	defer nothing.Close()
	if err := replace(int(nothing.Fd()), int(d.given)); err != nil {
		return fmt.Errorf("cannot let go of %s: %w", d.given, os.NewSyscallError("dup", err))
	}
	return nil
}

// openNothing opens the null device. Where no file can be opened, as in a sandbox or a chroot, it is the reading end of a pipe
// that nobody writes to: whoever reads it is at the end, and whoever writes to it is refused, without the SIGPIPE by which a
// write to standard output would end this process.
func openNothing() (*os.File, error) {
	if null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0); err == nil {
		return null, nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	return r, w.Close()
}
