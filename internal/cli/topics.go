package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"parley"
	"parley/frame"
)

// A topic is a page of help that is no verb, made from what the library says of itself.
type topic struct {
	name, short string
	text        func() string // made when it is read: --version should not wait for it
}

var allTopics = []topic{
	{"addresses", "how addresses are written", addressesText},
	{"formats", "how a message ends: what --frame understands", formatsText},
	{"exit-codes", "what the exit codes mean", func() string { return exitCodesText }},
}

func (t topic) command() *cobra.Command {
	show := func(cmd *cobra.Command, _ []string) { fmt.Fprintln(cmd.OutOrStdout(), t.text()) }
	cmd := &cobra.Command{Use: t.name, Short: t.short, GroupID: "learn", Run: show}
	cmd.SetHelpFunc(show)
	return cmd
}

const exitCodesText = `Exit codes:

    0  all that was said was taken, and all that was due was heard
    1  the work failed here: standard output closed, a file that cannot be read
    2  the command line cannot be meant; nothing was done
    3  undecided
    4  cannot reach the other end: refused, no such host, no permission
    5  timed out: --connect-timeout, --idle-timeout, --max-time
    6  reset or broken: some of what was said may be lost
    7  truncated or malformed: the other end stopped in the middle of a message
  130  interrupted`

func addressesText() string {
	var b strings.Builder
	b.WriteString("An address is scheme://target?params, scheme:target, or a short form:\n\n")
	for _, short := range shortForms {
		writeRow(&b, 21, "  "+short.form, short.meaning)
	}
	b.WriteString("\nSchemes:\n\n")
	for _, s := range parley.Schemes() {
		writeRow(&b, 35, fmt.Sprintf("  %-8s %s", s.Name, s.Syntax), s.Summary)
	}
	b.WriteString(`
Params, by the schemes that have them. They follow a question mark, joined by &,
so put such an address in quotes. In a target or a value %3F, %26 and %25 stand
for ?, & and %:
`)
	for _, group := range paramGroups() {
		fmt.Fprintf(&b, "\n  %s\n", group.schemes)
		for _, p := range group.params {
			name := p.Name
			if p.Value != "" {
				name += "=" + p.Value
			}
			writeRow(&b, 24, "    "+name, p.Summary)
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

// shortForms are the addresses that need no scheme.
var shortForms = []struct{ form, meaning string }{
	{"7070", "port 7070 of this machine only, IPv4 and IPv6; 0 is any free port"},
	{":7070", "port 7070 of every interface"},
	{"host:7070", "a host by name or number; [::1]:7070 for IPv6, [fe80::1%eth0]:7070 with its zone"},
	{"host:daytime", "a service by name; host:daytime(13) if the name may be unknown"},
	{"/path, ./path", "a Unix socket; @name is an abstract one (Linux)"},
	{"-", "standard input and output, as one end of relay"},
}

// lineWidth is what every terminal has room for.
const lineWidth = 80

// writeRow writes a row of two columns, the second of which begins at indent. What does not fit into it goes on below.
func writeRow(b *strings.Builder, indent int, left, right string) {
	b.WriteString(left)
	at := len(left)
	for i, word := range strings.Fields(right) {
		if at >= indent && (i == 0 || at+1+len(word) > lineWidth) {
			b.WriteString("\n")
			at = 0
		}
		gap := max(1, indent-at)
		b.WriteString(strings.Repeat(" ", gap) + word)
		at += gap + len(word)
	}
	b.WriteString("\n")
}

type paramGroup struct {
	schemes string
	params  []parley.Param
}

// paramGroups puts the params together that the same schemes have, so that each is told once.
func paramGroups() []paramGroup {
	var params []parley.Param
	schemes := map[parley.Param][]string{}
	for _, s := range parley.Schemes() {
		for _, p := range s.Params {
			if schemes[p] == nil {
				params = append(params, p)
			}
			schemes[p] = append(schemes[p], s.Name)
		}
	}
	var groups []paramGroup
	for _, p := range params {
		names := strings.Join(schemes[p], ", ")
		i := slices.IndexFunc(groups, func(g paramGroup) bool { return g.schemes == names })
		if i < 0 {
			i = len(groups)
			groups = append(groups, paramGroup{schemes: names})
		}
		groups[i].params = append(groups[i].params, p)
	}
	return groups
}

func formatsText() string {
	var b strings.Builder
	b.WriteString("A format tells how the end of a message is known. Put it in single quotes:\n\n")
	for _, h := range frame.Formats() {
		fmt.Fprintf(&b, "  %-24s %s\n  %24s   on the wire: %s\n", h.Syntax, h.Summary, "", h.Wire)
	}
	return strings.TrimRight(b.String(), "\n")
}
