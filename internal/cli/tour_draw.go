package cli

import (
	"bytes"
	"fmt"
	"net"
	"slices"
	"strings"
	"unicode/utf8"

	"parley/internal/escape"
)

// laneWidth is the room between the two bars, and maxText what of a text is drawn in it. A picture fits into 80 columns.
const (
	laneWidth = 56
	maxText   = laneWidth - len("----- ") - len(" ---")
	maxRows   = 8 // of one message
)

// The colours of those who speak: of the server, and of its callers one after the other.
const serverColour = "33"

var callerColours = []string{"36", "35", "32", "34"}

// draw returns the lines of a picture: who said what, from above to below as it happened.
//
//	client                                server
//	  |----- Hello there!\n ---------------->|
//	  |<---- (end) --------------------------|
func (t *touring) draw(p *picture) []string {
	d := drawing{u: t.u, p: p, margin: len(roleClient) / 2}
	for _, talk := range p.talks {
		d.margin = max(d.margin, utf8.RuneCountInString(talk.name)+1)
		d.several = d.several || talk.name != ""
		d.doors = d.doors || talk.server != p.talks[0].server
	}
	lines := []string{d.header()}
	for _, a := range p.arrows {
		lines = append(lines, d.arrow(a)...)
	}
	return lines
}

// A drawing is a picture being drawn.
type drawing struct {
	u       *ui
	p       *picture
	margin  int  // left of the bars
	several bool // callers, whose names stand at the arrows
	doors   bool // the server has several, which stand at the arrows
}

const indent = "   "

// header names the ends over their bars. Several callers have their names at the arrows.
func (d *drawing) header() string {
	room := d.margin + laneWidth + len("||") - len(roleServer)/2
	left := ""
	if !d.several {
		left = d.u.paint(callerColours[0], roleClient)
		room -= len(roleClient)
	}
	return indent + left + strings.Repeat(" ", room) + d.u.paint(serverColour, roleServer)
}

// arrow returns one row for each line of the message; the arrow itself is in the first.
func (d *drawing) arrow(a arrow) []string {
	rows := textRows(a)
	colour := serverColour
	if a.from == roleClient {
		colour = callerColours[a.talk%len(callerColours)]
	}
	name, door := "", ""
	if d.several {
		name = d.p.talks[a.talk].name
	}
	if d.doors {
		door = doorName(d.p.talks[a.talk].server)
	}
	bar := d.u.paint("2", "|")
	lines := []string{d.left(name, a) + bar + d.lane(a, colour, rows[0]) + bar + door}
	for _, row := range rows[1:] {
		room := strings.Repeat(" ", laneWidth-len("----- ")-row.width())
		lines = append(lines, d.left("", a)+bar+"      "+d.text(row)+room+bar)
	}
	return lines
}

func (d *drawing) left(name string, a arrow) string {
	return indent + d.u.paint(callerColours[a.talk%len(callerColours)], fmt.Sprintf("%-*s", d.margin, name))
}

func doorName(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return " " + escape.Line(port)
}

// lane draws one arrow: to the right the client speaks, to the left the server. An x instead of the head is a message
// that was not heard.
func (d *drawing) lane(a arrow, colour string, row textRow) string {
	tail := strings.Repeat("-", laneWidth-len("----- ")-row.width()-1)
	head, back := "-----", tail
	switch {
	case a.from == roleClient && a.heard:
		back = tail[1:] + ">"
	case a.from == roleClient:
		back = tail[1:] + "x"
	case a.heard:
		head = "<----"
	default:
		head = "x----"
	}
	return d.u.paint(colour, head) + " " + d.text(row) + " " + d.u.paint(colour, back)
}

func (d *drawing) text(row textRow) string {
	if row.mark == "" {
		return row.text
	}
	return row.text + d.u.paint("2", row.mark)
}

// A textRow is a line of a message, with its line end as it was on the wire.
type textRow struct{ text, mark string }

func (r textRow) width() int { return utf8.RuneCountInString(r.text) + utf8.RuneCountInString(r.mark) }

// textRows cuts a message into rows that fit, and escapes what a terminal would obey.
func textRows(a arrow) []textRow {
	if a.end {
		return []textRow{{"", "(end)"}}
	}
	var rows []textRow
	for line := range bytes.Lines(a.wire) {
		rows = append(rows, newTextRow(line))
	}
	switch {
	case len(rows) == 0:
		rows = append(rows, textRow{"", "(empty)"})
	case len(rows) > maxRows:
		rest := len(rows) - maxRows + 1
		rows = append(slices.Clip(rows[:maxRows-1]), textRow{"", fmt.Sprintf("(and %d more lines)", rest)})
	}
	return rows
}

func newTextRow(line []byte) textRow {
	text, mark := line, ""
	for _, end := range []struct{ bytes, shown string }{{"\r\n", `\r\n`}, {"\n", `\n`}} {
		if rest, ok := bytes.CutSuffix(line, []byte(end.bytes)); ok {
			text, mark = rest, end.shown
			break
		}
	}
	shown := []rune(escape.Line(string(text)))
	if room := maxText - len(mark); len(shown) > room {
		shown = append(shown[:room-len("...")], []rune("...")...)
	}
	return textRow{string(shown), mark}
}
