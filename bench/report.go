package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// A report is what one benchmark found.
type report struct {
	title string // what was done
	unit  string // of the figures
	all   []series
	rows  []row
	notes []string
}

// failures are the problems of contenders that took part and failed. A peer
// that is not installed is no failure.
func (r report) failures() []error {
	var all []error
	for _, s := range r.all {
		var missing missingError
		if s.problem != nil && !errors.As(s.problem, &missing) {
			all = append(all, fmt.Errorf("%s: %s failed, see above", r.title, s.name))
		}
	}
	return all
}

// print writes the figures of every contender.
func (r report) print(w io.Writer) {
	fmt.Fprintf(w, "\n%s\n", r.title)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "%s\tmin\tmedian\tmax\t\n", r.unit)
	for _, s := range r.all {
		if !s.ok() {
			fmt.Fprintf(table, "%s\t-\t-\t-\t\n", s.name)
			continue
		}
		f := spreadOf(s.figures)
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t\n", s.name, number(f.Min), number(f.Median), number(f.Max))
	}
	table.Flush()
	for _, s := range r.all {
		if s.problem != nil {
			fmt.Fprintf(w, "  left out: %s: %v\n", s.name, s.problem)
		}
		if s.disturbed > 0 {
			fmt.Fprintf(w, "  DISTURBED: %s: other programs kept the machine busy in %d of %d rounds\n",
				s.name, s.disturbed, len(s.figures))
		}
	}
	for _, note := range r.notes {
		fmt.Fprintln(w, "  "+note)
	}
}

// number writes f so that a person can read it: 12,345,678 or 0.0123.
func number(f float64) string {
	if f < 1000 {
		return fmt.Sprintf("%.3g", f)
	}
	digits := fmt.Sprintf("%.0f", f)
	var out strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			out.WriteByte(',')
		}
		out.WriteRune(d)
	}
	return out.String()
}
