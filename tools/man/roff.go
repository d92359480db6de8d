package main

import (
	"regexp"
	"strings"
)

// A roff collects a page in the macros of man(7), which every man program reads.
type roff struct{ strings.Builder }

// raw writes a line that is roff already.
func (r *roff) raw(line string) { r.WriteString(line + "\n") }

func (r *roff) line(text string) { r.raw(escape(text)) }

func (r *roff) title(p page) {
	r.raw(`.\" Made from the help of the program by make man; do not edit.`)
	r.raw(`.TH ` + strings.ToUpper(p.name) + ` ` + p.file()[len(p.name)+1:] + ` "" parley "parley manual"`)
	r.raw(`.nh`) // no hyphens in what may be copied
	r.raw(`.ad l`)
}

func (r *roff) head(title string) { r.raw(".SH " + title) }

// item is an entry of a list; term is roff already.
func (r *roff) item(term, text string) {
	r.raw(".TP")
	r.raw(term)
	r.line(text)
}

// verbatim keeps the lines of text as they are.
func (r *roff) verbatim(text string) {
	r.raw(".nf")
	for line := range strings.SplitSeq(text, "\n") {
		r.line(strings.TrimPrefix(line, "  "))
	}
	r.raw(".fi")
}

// In the help, an indented line of two columns is an entry of a list, one far to the right goes on with the entry before
// it, and any other is a heading in the list.
var (
	entry  = regexp.MustCompile(`^ +(\S.*?) {2,}(\S.*)$`)
	goOn   = regexp.MustCompile(`^ {20,}(\S.*)$`)
	blanks = regexp.MustCompile(` {2,}`)
)

// text writes paragraphs and lists as the help has them.
func (r *roff) text(help string) {
	gap := false // an empty line came before
	for line := range strings.SplitSeq(help, "\n") {
		switch {
		case strings.HasPrefix(line, " "):
			r.indented(line)
		case line != "" && gap:
			r.raw(".PP")
			r.line(line)
		case line != "":
			r.line(line)
		}
		gap = line == ""
	}
}

func (r *roff) indented(line string) {
	if more := goOn.FindStringSubmatch(line); more != nil {
		r.raw(".br")
		r.line(more[1])
		return
	}
	columns := entry.FindStringSubmatch(line)
	if columns == nil {
		r.raw(".PP")
		r.raw(italic(strings.TrimSpace(line)))
		return
	}
	term, text := columns[1], columns[2]
	if cut := blanks.FindAllStringIndex(text, -1); cut != nil { // of three columns, two are the term
		last := cut[len(cut)-1]
		term, text = term+" "+text[:last[0]], text[last[1]:]
	}
	r.item(bold(term), text)
}

func bold(text string) string   { return `\fB` + escape(text) + `\fR` }
func italic(text string) string { return `\fI` + escape(text) + `\fR` }

// Characters that roff would take for something else, or print as another one than was typed.
var escapes = strings.NewReplacer(`\`, `\e`, `-`, `\-`, `'`, `\(aq`, "`", `\(ga`, `^`, `\(ha`, `~`, `\(ti`)

func escape(text string) string {
	text = escapes.Replace(text)
	if strings.HasPrefix(text, ".") {
		return `\&` + text
	}
	return text
}
