//go:build unix

package local

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// A terminal is waited for, heard by lines and ended by Ctrl-D, and stays as it is for those who share it.
func TestTerminalDescriptor(t *testing.T) {
	master, slave, err := pty.Open()
	if err != nil {
		t.Skip(err)
	}
	defer master.Close()
	fd, err := syscall.Dup(int(slave.Fd()))
	must(t, err)
	must(t, slave.Close())
	c := dial(t, fmt.Sprintf("fd:%d", lend(t, fd)))

	must(t, c.SetReadDeadline(time.Now().Add(time.Millisecond)))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("until its deadline a read is %v", err)
	}
	must(t, c.SetReadDeadline(time.Time{}))
	if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK != 0 {
		t.Errorf("calls of those who share the terminal do not wait any more (%v)", err)
	}
	if err := c.CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("half-close of a terminal is %v, want errors.ErrUnsupported", err)
	}
	must(t, c.Send(t.Context(), []byte("who is there?")))
	echoed := make([]byte, len("who is there?\r\n"))
	if _, err := io.ReadFull(master, echoed); err != nil || string(echoed) != "who is there?\r\n" {
		t.Errorf("the terminal shows %q and %v", echoed, err)
	}
	_, err = master.WriteString("me\n\x04")
	must(t, err)
	hears(t, c, "me")
	if _, err := c.Receive(t.Context()); err != io.EOF {
		t.Errorf("Ctrl-D is %v, want io.EOF", err)
	}
}
