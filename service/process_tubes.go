package service

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"

	"parley"
)

// tubes are the pipes to a process: our ends of its standard input, output and error, and its own. Without
// Command.Stderr, theirs[2] is the standard error of this program, and there is no ours[2].
type tubes struct {
	ours, theirs [3]*os.File
}

func (cmd *Command) openTubes() (*tubes, error) {
	t := new(tubes)
	if err := t.open(cmd); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

func (t *tubes) open(cmd *Command) (err error) {
	if t.theirs[0], t.ours[0], err = os.Pipe(); err != nil {
		return err
	}
	if t.ours[1], t.theirs[1], err = os.Pipe(); err != nil {
		return err
	}
	return t.openError(cmd)
}

// openError gives the process its standard error.
func (t *tubes) openError(cmd *Command) (err error) {
	t.theirs[2] = os.Stderr
	if cmd.Stderr != nil {
		t.ours[2], t.theirs[2], err = os.Pipe()
	}
	return err
}

// terminal reports whether input and output are a terminal, one file.
func (t *tubes) terminal() bool { return t.ours[0] == t.ours[1] }

// closeTheirs closes the ends that the process has copies of.
func (t *tubes) closeTheirs() {
	for i, f := range t.theirs {
		if f != nil && f != os.Stderr {
			f.Close()
		}
		t.theirs[i] = nil
	}
}

// close closes what is still open. Calls that wait for one of ours then return.
func (t *tubes) close() {
	t.closeTheirs()
	for _, f := range t.ours {
		if f != nil {
			f.Close() // a second time is an error that means nothing
		}
	}
}

// release lets go of what a process that has ended has left behind: what comes within letGo is still heard.
func (t *tubes) release() {
	for _, f := range t.ours[1:] {
		if f != nil {
			_ = f.SetReadDeadline(time.Now().Add(letGo))
		}
	}
}

// feed gives the process all its input.
func (t *tubes) feed(text []byte) error {
	_, err := t.ours[0].Write(text)
	t.ours[0].Close()
	if isUnread(err) {
		return nil
	}
	return err
}

// isUnread reports whether err says that the reader of a pipe has left, which is his good right.
func isUnread(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, fs.ErrClosed)
}

// stderrLine is the longest line that Command.Stderr is told of in one piece, in bytes.
const stderrLine = 4096

// tellLines tells Command.Stderr of each line, in a goroutine; told is closed when all have been.
func (t *tubes) tellLines(cmd *Command, c *parley.Conn) (told <-chan struct{}) {
	done := make(chan struct{})
	if t.ours[2] == nil {
		close(done)
		return done
	}
	go func() {
		defer close(done)
		eachLine(t.ours[2], func(line []byte) { cmd.Stderr(c, line) })
	}()
	return done
}

// eachLine calls tell for each line of r, until it ends or fails.
func eachLine(r *os.File, tell func(line []byte)) {
	lines := bufio.NewReaderSize(r, stderrLine)
	middle := false // of a line that comes in pieces
	for {
		line, err := lines.ReadSlice('\n')
		whole := bytes.HasSuffix(line, []byte("\n"))
		if whole {
			line = bytes.TrimSuffix(line[:len(line)-1], []byte("\r"))
		}
		if len(line) > 0 || whole && !middle {
			tell(line)
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
		middle = !whole
	}
}
