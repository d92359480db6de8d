package cli

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"parley/frame"
)

func TestTourCommandsByHand(t *testing.T) {
	ports := []string{"7070", "7071", "7072"}
	tests := []struct {
		part part
		want string
	}{
		{part{args: []string{"listen", "{1}"}, more: []string{"--count", "3"}}, "parley listen 7070"},
		{part{args: []string{"call", "--say", "Hello there!", "{1}"}}, "parley call --say 'Hello there!' 7070"},
		{part{args: []string{"call", "{1}"}, input: "a\nb\n"}, `printf 'a\nb\n' | parley call 7070`},
		{part{args: []string{"tour-end", "loop", "{1}", "{2}", "udp:{3}"}}, "parley tour-end loop 7070 7071 udp:7072"},
		{
			part{args: []string{"ask", "{1}", strings.Repeat("long ", 10), "--frame", "crlf blank line", "--reply-frame", "until close"}},
			"parley ask 7070 '" + strings.Repeat("long ", 10) + "' \\\n             --frame 'crlf blank line' --reply-frame 'until close'",
		},
	}
	for _, tt := range tests {
		if got := tt.part.byHand(ports); got != tt.want {
			t.Errorf("got\n%s\nwant\n%s", got, tt.want)
		}
	}
}

// What the tour relies on in its own table.
func TestTourClassics(t *testing.T) {
	if len(classics) != 7 {
		t.Errorf("there are %d classics; the texts say seven", len(classics))
	}
	root := NewCommand()
	for _, c := range classics {
		texts := map[string]bool{}
		for _, p := range append([]part{c.server}, c.callers...) {
			if cmd, _, err := root.Find(p.args); err != nil || cmd == root {
				t.Errorf("%s: no verb %q", c.title, p.args[0])
			}
			if key := strings.Join(p.args, " ") + p.input; texts[key] {
				t.Errorf("%s: two callers say the same, so that their transcripts cannot be told apart: %s", c.title, key)
			} else {
				texts[key] = true
			}
			if strings.ContainsAny(p.input, `'%\`) {
				t.Errorf("%s: printf would not print %q as it is", c.title, p.input)
			}
		}
		if c.server.args[0] == "tour-end" && !slices.ContainsFunc(tourRoles, func(r tourRole) bool { return r.name == c.server.args[1] }) {
			t.Errorf("%s: tour-end has no %q", c.title, c.server.args[1])
		}
		for line := range strings.SplitSeq(c.title+"\n"+c.why, "\n") {
			if len(line) > 95 {
				t.Errorf("%d columns: %s", len(line), line)
			}
		}
	}
	for _, r := range tourRoles {
		frame.MustParse(r.hear)
		frame.MustParse(r.say)
	}
}

func TestTourChoosesClassics(t *testing.T) {
	tests := []struct {
		args        []string
		first, last int
		wrong       bool
	}{
		{nil, 1, 7, false},
		{[]string{"1"}, 1, 1, false},
		{[]string{"7"}, 7, 7, false},
		{[]string{"0"}, 0, 0, true},
		{[]string{"8"}, 0, 0, true},
		{[]string{"three"}, 0, 0, true},
		{[]string{"1", "2"}, 0, 0, true},
	}
	for _, tt := range tests {
		first, last, err := chosenClassics(tt.args)
		if first != tt.first || last != tt.last || (exitCode(err) == exitUsage) != tt.wrong {
			t.Errorf("%q: got %d to %d, error %v; want %d to %d, wrong %v", tt.args, first, last, err, tt.first, tt.last, tt.wrong)
		}
	}
}

// A program that is not there, and one that fails, are told by the command and its exit code.
func TestTourTellsWhatFailed(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	failing, err := exec.LookPath("false")
	if err != nil {
		t.Skip("no program called false")
	}
	tests := []struct{ program, want string }{
		{t.TempDir() + "/none", "parley listen 0 --json"},
		{failing, "ended with exit status 1"},
	}
	for _, tt := range tests {
		tour := &touring{u: new(ui), program: tt.program}
		p, err := tour.play(t.Context(), &classics[0])
		if p != nil || err == nil || !strings.Contains(err.Error(), tt.want) || exitCode(err) != exitFailed {
			t.Errorf("%s: got %v, error %v; want %q", tt.program, p, err, tt.want)
		}
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
