package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A page is one man page.
type page struct {
	name    string // parley-call
	section int    // of the manual: 1 for verbs, 7 for topics
	text    string
}

func (p page) file() string { return fmt.Sprintf("%s.%d", p.name, p.section) }
func (p page) ref() string  { return fmt.Sprintf("%s(%d)", p.name, p.section) }

// Some commands are no verbs. Topics have a page in section 7; the exit codes are a section of each verb's page; help and
// completion are the same for every program made with cobra, and need none.
const exitCodes = "exit-codes"

var (
	topics  = map[string]bool{"addresses": true, "formats": true}
	without = map[string]bool{exitCodes: true, "help": true, "completion": true}
)

// manual returns the page of the program, then those of its verbs and topics in the order of their names.
func manual(root *cobra.Command) ([]page, error) {
	codes, _, err := root.Find([]string{exitCodes})
	if err != nil {
		return nil, err
	}
	commands := []*cobra.Command{root}
	for _, cmd := range root.Commands() {
		if !cmd.Hidden && !without[cmd.Name()] {
			commands = append(commands, cmd)
		}
	}
	pages := make([]page, len(commands))
	for i, cmd := range commands {
		pages[i] = page{name: strings.ReplaceAll(cmd.CommandPath(), " ", "-"), section: 1}
		if topics[cmd.Name()] {
			pages[i].section = 7
		}
	}
	for i, cmd := range commands {
		pages[i].text = pages[i].write(cmd, codes.Long, pages)
	}
	return pages, nil
}

// write returns the text of the page. It has no date and no version, so that it changes only when the help does.
func (p page) write(cmd *cobra.Command, exitCodes string, all []page) string {
	var r roff
	r.title(p)
	r.head("NAME")
	r.line(p.name + " - " + cmd.Short)
	if p.section == 1 {
		r.head("SYNOPSIS")
		synopsis(&r, cmd)
	}
	r.head("DESCRIPTION")
	r.text(orShort(cmd))
	if p.section == 1 {
		verbs(&r, cmd)
		options(&r, cmd)
		r.head("EXIT STATUS")
		r.text(withoutHeading(exitCodes))
		environment(&r)
		examples(&r, cmd)
	}
	seeAlso(&r, p, all)
	return r.String()
}

func orShort(cmd *cobra.Command) string {
	if cmd.Long == "" {
		return cmd.Short
	}
	return cmd.Long
}

// withoutHeading drops a first line such as "Exit codes:".
func withoutHeading(text string) string {
	if first, rest, ok := strings.Cut(text, "\n\n"); ok && strings.HasSuffix(first, ":") {
		return rest
	}
	return text
}

func synopsis(r *roff, cmd *cobra.Command) {
	if !cmd.HasParent() {
		r.raw(bold("parley") + " " + italic("VERB") + " [" + italic("OPTION") + "...] [" + italic("ARGUMENT") + "...]")
		return
	}
	_, arguments, _ := strings.Cut(cmd.Use, " ")
	words := []string{bold(cmd.CommandPath())}
	if cmd.HasAvailableLocalFlags() {
		words = append(words, "["+italic("OPTION")+"...]")
	}
	if arguments != "" {
		words = append(words, escape(arguments))
	}
	r.raw(strings.Join(words, " "))
}

func verbs(r *roff, cmd *cobra.Command) {
	if cmd.HasParent() {
		return
	}
	r.head("VERBS")
	for _, verb := range cmd.Commands() {
		if !verb.Hidden {
			r.item(bold(verb.Name()), verb.Short)
		}
	}
}

func options(r *roff, cmd *cobra.Command) {
	r.head("OPTIONS")
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	option := func(f *pflag.Flag) {
		if !f.Hidden {
			r.item(optionTerm(f), optionText(f))
		}
	}
	cmd.LocalFlags().VisitAll(option)
	cmd.InheritedFlags().VisitAll(option)
}

// optionTerm is "-f, --frame string".
func optionTerm(f *pflag.Flag) string {
	term := bold("--" + f.Name)
	if f.Shorthand != "" {
		term = bold("-"+f.Shorthand) + ", " + term
	}
	if value, _ := pflag.UnquoteUsage(f); value != "" {
		term += " " + italic(value)
	}
	return term
}

func optionText(f *pflag.Flag) string {
	_, text := pflag.UnquoteUsage(f)
	switch f.DefValue {
	case "", "0", "0s", "false", "[]":
		return text
	}
	return text + " (default " + f.DefValue + ")"
}

func environment(r *roff) {
	r.head("ENVIRONMENT")
	r.item(bold("NO_COLOR"), "if it is set, even to nothing, what is printed on a terminal has no colours")
	r.item(bold("TERM"), "if it is dumb, likewise")
}

func examples(r *roff, cmd *cobra.Command) {
	if cmd.Example != "" {
		r.head("EXAMPLES")
		r.verbatim(cmd.Example)
	}
}

func seeAlso(r *roff, p page, all []page) {
	var others []string
	for _, other := range all {
		if other.name != p.name {
			others = append(others, bold(other.name)+strings.TrimPrefix(other.ref(), other.name))
		}
	}
	r.head("SEE ALSO")
	r.raw(strings.Join(others, ",\n"))
}
