package cli

import (
	"fmt"
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
	b.WriteString(`An address is scheme://target?params, scheme:target, or a short form:

  7070               port 7070 of this machine only, IPv4 and IPv6; 0 is any free port
  :7070              port 7070 of every interface
  host:7070          a host by name or number; [::1]:7070 for IPv6, [fe80::1%eth0]:7070 with its zone
  host:daytime       a service by name; host:daytime(13) if the name may be unknown
  /path, ./path      a Unix socket; @name is an abstract one (Linux)

Schemes:

`)
	for _, s := range parley.Schemes() {
		fmt.Fprintf(&b, "  %-8s %-26s %s\n", s.Name, s.Syntax, s.Summary)
	}
	b.WriteString("\nParams, after a question mark and joined by &; put such an address in quotes:\n")
	for _, group := range paramGroups() {
		fmt.Fprintf(&b, "\n  %s\n", group.schemes)
		for _, p := range group.params {
			name := p.Name
			if p.Value != "" {
				name += "=" + p.Value
			}
			fmt.Fprintf(&b, "    %-22s %s\n", name, p.Summary)
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

type paramGroup struct {
	schemes string
	params  []parley.Param
}

// paramGroups puts the schemes with the same params together.
func paramGroups() []paramGroup {
	var groups []paramGroup
	index := map[string]int{}
	for _, s := range parley.Schemes() {
		key := fmt.Sprint(s.Params)
		if i, ok := index[key]; ok {
			groups[i].schemes += ", " + s.Name
			continue
		}
		index[key] = len(groups)
		groups = append(groups, paramGroup{s.Name, s.Params})
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
