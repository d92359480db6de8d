package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"parley/internal/escape"
)

// The tour is the first thing a new user runs, so nothing in it is made up: every end is a process of its own, and what
// is drawn is what these processes wrote into their transcripts.

func tourCommand(u *ui) *cobra.Command {
	return &cobra.Command{
		Use:     "tour [NUMBER]",
		GroupID: "learn",
		Short:   "see seven conversations held on this machine, and the commands for them",
		Long: `Holds seven classic conversations, each between processes of its own on this machine, draws who said what to whom, and
tells the commands that do the same by hand. With a NUMBER from 1 to 7 it holds only that one.

All that is drawn was said, and what was said is compared with what was heard. The exit code is 0 only if nothing was
lost.`,
		Example: `  parley tour
  parley tour 3                     only the third conversation`,
		ValidArgs: []string{"1", "2", "3", "4", "5", "6", "7"},
		RunE: func(cmd *cobra.Command, args []string) error {
			first, last, err := chosenClassics(args)
			if err != nil {
				return err
			}
			return (&touring{u: u}).run(cmd.Context(), first, last)
		},
	}
}

// chosenClassics returns which classics to hold, counted from 1.
func chosenClassics(args []string) (first, last int, err error) {
	switch len(args) {
	case 0:
		return 1, len(classics), nil
	case 1:
	default:
		return 0, 0, usagef("one number at most, and %d were given", len(args))
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 1 || n > len(classics) {
		return 0, 0, usagef("%q is not the number of a conversation: they are 1 to %d", args[0], len(classics))
	}
	return n, n, nil
}

// A touring is the verb tour.
type touring struct {
	u       *ui
	program string // this one, for the ends to run

	callers, messages int
	bytes             int64
}

func (t *touring) run(ctx context.Context, first, last int) (err error) {
	if t.program, err = os.Executable(); err != nil {
		return err
	}
	if err := t.print(t.welcome(last - first + 1)); err != nil {
		return err
	}
	for n := first; n <= last; n++ {
		if err := t.hold(ctx, n); err != nil {
			return err
		}
	}
	return t.print(t.farewell(last - first + 1))
}

// hold holds one conversation and prints it. Nothing is printed while its processes run: where nobody reads any more, the
// system may end us at the next line, and then neither a process nor a file may be left behind.
func (t *touring) hold(ctx context.Context, n int) error {
	c := &classics[n-1]
	p, err := t.play(ctx, c)
	if p == nil {
		return t.failed(n, c, err)
	}
	var b strings.Builder
	t.head(&b, n, c, p)
	for _, line := range t.draw(p) {
		b.WriteString(line + "\n")
	}
	if err == nil {
		t.outcome(&b, c, p)
	}
	b.WriteString("\n")
	if err := t.print(b.String()); err != nil {
		return err
	}
	return t.failed(n, c, err)
}

func (t *touring) print(text string) error {
	_, err := io.WriteString(t.u.out, text)
	return localOutput(err)
}

// failed tells which conversation went wrong, and why.
func (t *touring) failed(n int, c *classic, err error) error {
	if err == nil || exitCode(err) == exitInterrupted {
		return err
	}
	t.u.note("conversation %d (%s) went wrong:", n, c.title)
	for line := range strings.SplitSeq(strings.TrimSpace(err.Error()), "\n") {
		t.u.note("  %s", line)
	}
	return toldError{err}
}

func (t *touring) welcome(count int) string {
	text := "Seven conversations on this machine: who speaks first, how a message ends, who ends."
	if count == 1 {
		text = "One of seven conversations on this machine."
	}
	if _, err := exec.LookPath("parley"); err != nil {
		text += "\nTo try the commands: go install ./cmd/parley, or write go run ./cmd/parley instead of parley."
	}
	return text + "\n\n"
}

func (t *touring) farewell(count int) string {
	held := fmt.Sprintf("%s held, nothing lost", counted(count, "conversation"))
	return fmt.Sprintf(`%s, %s, %d bytes in all: each was heard as it was said.
%s

Next: parley help, or parley help call; the README says how to do all this in a Go program of your own.
`, counted(t.callers, "caller"), counted(t.messages, "message"), t.bytes, t.u.paint("1", held))
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// head tells what a conversation is about and how to hold it by hand.
func (t *touring) head(b *strings.Builder, n int, c *classic, p *picture) {
	fmt.Fprintf(b, "%s\n", t.u.paint("1", fmt.Sprintf("%d  %s", n, c.title)))
	for line := range strings.SplitSeq(c.why, "\n") {
		fmt.Fprintf(b, "   %s\n", line)
	}
	b.WriteString("\n")
	t.command(b, "server", c.server.byHand(p.ports))
	for _, caller := range c.callers {
		t.command(b, cmp.Or(caller.name, "client"), caller.byHand(p.ports))
	}
	b.WriteString("\n")
}

func (t *touring) command(b *strings.Builder, who, command string) {
	fmt.Fprintf(b, "   %-6s %s %s\n", who, t.u.paint("2", "$"), t.u.paint("1", command))
}

// outcome tells what came of a conversation: what one end heard.
func (t *touring) outcome(b *strings.Builder, c *classic, p *picture) {
	fmt.Fprintf(b, "\n   %s\n", p.fill(c.outcome))
	for _, text := range p.outcome {
		for line := range strings.Lines(strings.ReplaceAll(text, "\r\n", "\n")) {
			b.WriteString(strings.TrimRight("     "+escape.Line(strings.TrimSuffix(line, "\n")), " ") + "\n")
		}
	}
	t.callers += len(p.talks)
	for _, a := range p.arrows {
		if !a.end {
			t.messages++
			t.bytes += a.size
		}
	}
}
