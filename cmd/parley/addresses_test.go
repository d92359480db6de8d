//go:build unix

package main

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	lib "parley"
	"parley/relay"
)

const docs = "../../docs"

// addressPage is the page of a scheme. Those for one family of IP only are on the page of both.
func addressPage(scheme string) string {
	return filepath.Join(docs, "addresses", strings.TrimRight(scheme, "46")+".md")
}

func readDoc(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestAddressPages: each scheme has a page with all of its params and no others, and the index knows it.
func TestAddressPages(t *testing.T) {
	index := readDoc(t, filepath.Join(docs, "addresses", "README.md"))
	pages := map[string]bool{filepath.Join(docs, "addresses", "README.md"): true}
	for _, s := range lib.Schemes() {
		name := addressPage(s.Name)
		pages[name] = true
		var want []string
		for _, p := range s.Params {
			want = append(want, strings.TrimSuffix(p.Name+"="+p.Value, "="))
		}
		slices.Sort(want)
		if got := paramsOf(readDoc(t, name)); !slices.Equal(got, want) {
			t.Errorf("%s has the params\n%q, but %s addresses have\n%q", name, got, s.Name, want)
		}
		if link := "[" + strings.TrimRight(s.Name, "46") + "](" + filepath.Base(name) + ")"; !strings.Contains(index, link) {
			t.Errorf("the index has no link %s", link)
		}
	}
	found, err := filepath.Glob(filepath.Join(docs, "addresses", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	if want := slices.Sorted(maps.Keys(pages)); !slices.Equal(found, want) {
		t.Errorf("there are the pages %q, and should be %q", found, want)
	}
}

// TestHelpAddresses: the help has every scheme, param and short form, on a terminal of 80 columns.
func TestHelpAddresses(t *testing.T) {
	out, err := parley("help", "addresses").Output()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"7070 ", "- "}
	for _, s := range lib.Schemes() {
		want = append(want, s.Name+" ")
		for _, p := range s.Params {
			want = append(want, strings.TrimSuffix(p.Name+"="+p.Value, "=")+" ")
		}
	}
	for _, w := range want {
		if !regexp.MustCompile("(?m)^ +" + regexp.QuoteMeta(w)).Match(out) {
			t.Errorf("no line begins with %q", w)
		}
	}
	for line := range strings.Lines(string(out)) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

// paramsOf returns what the first column of the table under "## Params" has in code marks.
func paramsOf(page string) (params []string) {
	_, section, _ := strings.Cut(page, "\n## Params\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(section, -1) {
		params = append(params, row[1])
	}
	slices.Sort(params)
	return params
}

// An example is a script that a page shows, and what it prints.
type example struct {
	line   int
	needs  []string // programs that are not everywhere
	script string
	prints string
	told   bool // what it prints
}

var (
	fenced  = regexp.MustCompile("(?ms)^```(.*?)\n(.*?)^```$")
	command = regexp.MustCompile("(?:^    .*|`)\\bparley ([a-z]+)\\b")
	flag    = regexp.MustCompile("(?:^|[\\s`(])(--[a-z][a-z-]+)")
)

// examplesOf returns the blocks marked sh, each with the block marked text that follows it. After sh may stand: needs PROGRAM...
func examplesOf(page string) (all []example) {
	for _, at := range fenced.FindAllStringSubmatchIndex(page, -1) {
		mark, body := strings.Fields(page[at[2]:at[3]]), page[at[4]:at[5]]
		switch {
		case len(mark) == 0:
		case mark[0] == "sh":
			e := example{line: 1 + strings.Count(page[:at[0]], "\n"), script: body}
			if len(mark) > 1 {
				e.needs = mark[2:]
			}
			all = append(all, e)
		case mark[0] == "text" && len(all) > 0 && !all[len(all)-1].told:
			all[len(all)-1].prints, all[len(all)-1].told = body, true
		}
	}
	return all
}

// TestDocExamples: what docs/addresses and docs/relaying.md show does what they say, typed into an empty directory.
func TestDocExamples(t *testing.T) {
	for _, name := range pagesWithExamples(t) {
		examples := examplesOf(readDoc(t, name))
		if len(examples) == 0 && filepath.Base(name) != "README.md" {
			t.Errorf("%s has no example", name)
		}
		for _, e := range examples {
			t.Run(filepath.Base(name)+":"+strconv.Itoa(e.line), func(t *testing.T) {
				t.Parallel()
				e.run(t)
			})
		}
	}
}

func pagesWithExamples(t *testing.T) []string {
	pages, err := filepath.Glob(filepath.Join(docs, "addresses", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	return append(pages, filepath.Join(docs, "relaying.md"))
}

// run plays the script, with whatever it has started in the background.
func (e example) run(t *testing.T) {
	for _, needed := range e.needs {
		if _, err := exec.LookPath(needed); err != nil {
			t.Skipf("no %s here", needed)
		}
	}
	cmd := exec.Command("sh", "-eu", "-c", e.script)
	cmd.Dir = t.TempDir()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p := start(t, cmd)
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }) // what a script that failed leaves behind
	if code := p.wait(); code != 0 {
		t.Errorf("exit code %d\nstderr: %s", code, clip(p.err.text()))
	}
	if e.told {
		p.says(e.prints)
	}
}

// TestDocFlags: the pages show no flag that the verb of the line does not have. Without a verb the page on relaying means relay.
func TestDocFlags(t *testing.T) {
	help := map[string]string{}
	for _, name := range pagesWithExamples(t) {
		for line := range strings.Lines(fenced.ReplaceAllString(readDoc(t, name), "")) { // what is in there is run
			verb := ""
			if m := command.FindStringSubmatch(line); m != nil {
				verb = m[1]
			} else if filepath.Base(name) == "relaying.md" {
				verb = "relay"
			}
			for _, f := range flag.FindAllStringSubmatch(line, -1) {
				if verb == "" {
					continue
				}
				if help[verb] == "" {
					text, _ := parley("help", verb).Output() // nothing, if there is no such verb
					help[verb] = string(text) + " "
				}
				if !regexp.MustCompile(f[1] + `\s`).MatchString(help[verb]) {
					t.Errorf("%s: %s has no flag %s: %s", name, verb, f[1], strings.TrimSpace(line))
				}
			}
		}
	}
}

// TestFaultTable: the page on relaying has all faults and no others, as the library writes them.
func TestFaultTable(t *testing.T) {
	_, section, _ := strings.Cut(readDoc(t, filepath.Join(docs, "relaying.md")), "\n## Faults\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var got, want []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(section, -1) {
		got = append(got, row[1])
	}
	for _, k := range relay.FaultKinds() {
		want = append(want, k.Syntax)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the table has\n%q, and there are\n%q", got, want)
	}
}
