package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// results are the last figures of every work on one machine.
type results struct {
	Machine string `json:"machine"`
	Works   []work `json:"works"` // in the order of benchmarks
}

// A work is what one benchmark found, and when.
type work struct {
	Name      string            `json:"name"`
	Title     string            `json:"title"`
	Date      string            `json:"date"`
	Rounds    int               `json:"rounds"`
	Seconds   int               `json:"seconds"`   // length of a run, where that is chosen
	Disturbed int               `json:"disturbed"` // figures taken while other programs kept the machine busy
	Versions  map[string]string `json:"versions"`  // of the programs that took part
	Rows      []row             `json:"rows"`
}

func newWork(name string, r report, o options, versions map[string]string) work {
	w := work{Name: name, Title: r.title, Date: time.Now().Format(time.DateOnly), Rounds: o.rounds, Seconds: o.seconds,
		Versions: map[string]string{"parley": versions["parley"]}, Rows: r.rows}
	for _, s := range r.all {
		w.Disturbed += s.disturbed
		for program, version := range versions {
			if s.ok() && tookPart(program, s.name) {
				w.Versions[program] = version
			}
		}
	}
	return w
}

// tookPart says whether a contender's name, such as "haproxy, nbthread 1",
// names the program.
func tookPart(program, contender string) bool {
	return slices.Contains(strings.FieldsFunc(contender, func(r rune) bool { return r == ' ' || r == ',' }), program)
}

// load reads what an earlier run kept in dir; that there was none is no error.
func load(dir string) (results, error) {
	var r results
	text, err := os.ReadFile(filepath.Join(dir, "latest.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("read %s: %w; remove it to begin anew", filepath.Join(dir, "latest.json"), err)
	}
	return r, nil
}

// merge puts the new works in the place of their older selves. Figures of
// another machine say nothing beside those of this one, so they go.
func (r results) merge(machine string, fresh []work) results {
	merged := results{Machine: machine, Works: fresh}
	if r.Machine != machine {
		r.Works = nil
	}
	for _, old := range r.Works {
		if !slices.ContainsFunc(fresh, func(w work) bool { return w.Name == old.Name }) {
			merged.Works = append(merged.Works, old)
		}
	}
	slices.SortStableFunc(merged.Works, func(a, b work) int { return place(a.Name) - place(b.Name) })
	return merged
}

// place is where in the order of the benchmarks name comes.
func place(name string) int {
	for i, b := range benchmarks() {
		if b.name == name {
			return i
		}
	}
	return -1 // of an older version of this program
}

// save writes latest.json and latest.svg.
func (r results) save(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "latest.json"), append(text, '\n'), 0o644),
		os.WriteFile(filepath.Join(dir, "latest.svg"), []byte(chart(r)), 0o644))
}
