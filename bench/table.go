package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

var columns = []string{"work", "unit", "parley", "beside", "its figure", "ratio (least to most)", "limit", "", "date"}

// printTable writes the table that `make bench` is for.
func printTable(w io.Writer, works []work) {
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, strings.Join(columns, "\t"))
	for _, work := range works {
		for _, r := range work.Rows {
			fmt.Fprintln(table, strings.Join(r.cells(work.Date), "\t"))
		}
	}
	table.Flush()
}

// printMarkdown writes the results as README shows them: what kept
// rows from being measured is named below the table.
func printMarkdown(w io.Writer, r results) {
	fmt.Fprintf(w, "Medians, on %s.\n\n", r.Machine)
	fmt.Fprintf(w, "| %s |\n|%s\n", strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
	var missing []string
	for _, work := range r.Works {
		for _, row := range work.Rows {
			if row.Verdict == notMeasured {
				if !slices.Contains(missing, row.Problem) {
					missing = append(missing, row.Problem)
				}
				continue
			}
			fmt.Fprintf(w, "| %s |\n", strings.Join(row.cells(work.Date), " | "))
		}
	}
	fmt.Fprintln(w)
	for _, line := range runsOf(r.Works) {
		fmt.Fprintf(w, "%s\n", line)
	}
	if len(missing) > 0 {
		fmt.Fprintf(w, "Not measured: %s.\n", strings.Join(missing, "; "))
	}
}

// named is the work's name, and that other programs kept the machine busy.
func (w work) named() string {
	if w.Disturbed == 0 {
		return w.Name
	}
	return fmt.Sprintf("%s (disturbed by other programs: %d figures)", w.Name, w.Disturbed)
}

// runsOf says when and how the works were done and with which programs, those done
// alike in one line.
func runsOf(works []work) []string {
	var order []string
	names := map[string][]string{}
	versions := map[string]string{}
	for _, w := range works {
		how := fmt.Sprintf("on %s, rounds: %d", w.Date, w.Rounds)
		if names[how] == nil {
			order = append(order, how)
		}
		names[how] = append(names[how], w.named())
		maps.Copy(versions, w.Versions)
	}
	var lines []string
	for _, how := range order {
		lines = append(lines, fmt.Sprintf("Measured %s; %s.", how, strings.Join(names[how], ", ")))
	}
	if len(versions) > 0 {
		lines = append(lines, fmt.Sprintf("Versions: %s.", strings.Join(slices.Sorted(maps.Values(versions)), "; ")))
	}
	return lines
}
