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

	mu sync.Mutex // one note at a time
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
	fmt.Fprintln(u.err, "parley: "+escape.Line(fmt.Sprintf(format, args...)))
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
