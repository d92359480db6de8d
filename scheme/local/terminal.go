package local

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
)

// newTerminalEnd makes an end of the master of a terminal.
func newTerminalEnd(addr Addr, m *os.File) *end {
	return &end{addr: addr, in: &shown{waited{m}}, out: &typed{waited: waited{m}}}
}

// shown is what is written on a terminal.
type shown struct{ waited }

// Read ends when nobody has the terminal open any more. If somebody opens it again, there is more to read.
func (s *shown) Read(p []byte) (int, error) {
	n, err := s.File.Read(p)
	if isHungUp(err) {
		err = io.EOF
	}
	return n, err
}

func (s *shown) file() *os.File { return nil } // the kernel knows nothing of its end

// typed is what is typed on a terminal.
type typed struct {
	waited
	last atomic.Int32 // the byte typed last, as finish needs to know
}

func (t *typed) Write(p []byte) (int, error) {
	n, err := t.File.Write(p)
	if n > 0 {
		t.last.Store(int32(p[n-1]))
	}
	return n, err
}

func (t *typed) file() *os.File { return nil }

// finish types Ctrl-D, which a terminal that hears lines takes for the end. To close it would throw away what nobody has read
// yet, both ways.
func (t *typed) finish() error {
	if !isCanonical(t.File) {
		return fmt.Errorf("on a terminal in raw mode there is no Ctrl-D to say the end: %w", errors.ErrUnsupported)
	}
	end := "\x04"
	if last := byte(t.last.Load()); last != 0 && strings.IndexByte(lineEnds, last) < 0 {
		end = "\x04\x04" // the first only hands over the line so far
	}
	if _, err := t.File.WriteString(end); err != nil && !isHungUp(err) {
		return err
	}
	return nil
}

// lineEnds are the bytes after which a line is empty: CR and LF, and Ctrl-C, -D, -U and -\.
const lineEnds = "\r\n\x03\x04\x15\x1c"
