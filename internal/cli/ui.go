package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"parley/internal/escape"
)

// How parley speaks to people. On standard error, each line headed "parley: ", in lower case and without a full stop:
// what happened, to what, why, what to do. Standard output is only what the other end said, or what was asked for. What a
// peer said never reaches a terminal unescaped, on either.
type ui struct {
	in       *os.File
	out, err *os.File

	inTerm, outTerm, errTerm bool
	colour                   bool // of standard output

	mu     sync.Mutex // one note at a time
	status string     // what stands on the terminal's last line, without a line end
}

func newUI(in, out, err *os.File) *ui {
	u := &ui{in: in, out: out, err: err}
	u.inTerm, u.outTerm, u.errTerm = isTerminal(in), isTerminal(out), isTerminal(err)
	_, plain := os.LookupEnv("NO_COLOR")
	u.colour = u.outTerm && !plain && os.Getenv("TERM") != "dumb"
	return u
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// note tells the person at standard error something.
func (u *ui) note(format string, args ...any) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.overwrite("")
	fmt.Fprintln(u.err, "parley: "+escape.Line(fmt.Sprintf(format, args...)))
}

// Write writes whole lines to standard error, between the notes.
func (u *ui) Write(p []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.overwrite("")
	return u.err.Write(p)
}

// setStatus shows text, in ASCII, on a line of its own that the next text, note or Write takes the place of. It is for
// terminals only.
func (u *ui) setStatus(text string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.overwrite(text)
}

// overwrite uses blanks and not an escape sequence, which not every terminal knows.
func (u *ui) overwrite(text string) {
	if u.status == "" && text == "" {
		return
	}
	blank := strings.Repeat(" ", max(0, len(u.status)-len(text)))
	back := ""
	if text == "" {
		back = "\r"
	}
	fmt.Fprint(u.err, "\r"+text+blank+back)
	u.status = text
}

// lines tells the person at standard error something of several lines.
func (u *ui) lines(text string) {
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		u.note("%s", line)
	}
}

// fail tells why the program ends, and what to do about it.
func (u *ui) fail(cmd *cobra.Command, err error) {
	var told toldError
	if errors.As(err, &told) || exitCode(err) == exitInterrupted {
		return
	}
	text := err.Error()
	if next := advice(err); next != "" {
		text += "; " + next
	}
	u.note("%s", text)
	if exitCode(err) == exitUsage && cmd != nil {
		u.note("parley help%s tells how it is used", verbOf(cmd))
	}
}

func verbOf(cmd *cobra.Command) string {
	if cmd.HasParent() {
		return " " + cmd.Name()
	}
	return ""
}

// output is where what peers say goes: escaped if it is a terminal.
func (u *ui) output() io.Writer {
	if u.outTerm {
		return escape.NewWriter(u.out)
	}
	return u.out
}

// hasInput reports whether standard input is there to be said: a terminal, a pipe or a file, but not /dev/null, which
// is what programs without an input are given.
func (u *ui) hasInput() bool {
	info, err := u.in.Stat()
	if err != nil {
		return false
	}
	return u.inTerm || info.Mode()&os.ModeCharDevice == 0
}

// paint colours text on a terminal; code is an SGR parameter.
func (u *ui) paint(code, text string) string {
	if !u.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
