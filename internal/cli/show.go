package cli

import (
	"fmt"
	"io"
	"strings"

	"parley/internal/escape"
	"parley/transcript"
)

// A shower shows what passes to a person, as --show asks for it: each line of a transcript with one Write. A standard error
// that is gone is nobody's loss.
type shower struct {
	w       io.Writer
	message func(w io.Writer, f transcript.Frame)
}

// newShower returns what shows a line. The bytes of a message are not kept.
func newShower(kind string, w io.Writer) (func(transcript.Line), error) {
	switch kind {
	case "text":
		return (&shower{w, showText}).show, nil
	case "hex":
		return (&shower{w, showHex}).show, nil
	case "json":
		lines := transcript.NewWriter(w)
		return func(l transcript.Line) { _ = lines.Write(l) }, nil
	}
	return nil, usagef("--show %s: there are text, hex and json", kind)
}

func (s *shower) show(l transcript.Line) {
	var b strings.Builder
	if f, ok := l.(transcript.Frame); ok {
		s.message(&b, f)
	} else {
		showHappened(&b, l)
	}
	_, _ = io.WriteString(s.w, b.String())
}

// showText is one line for a message, whatever is in it.
func showText(w io.Writer, f transcript.Frame) {
	fmt.Fprintf(w, "%s> %s%s\n", speaker(f), onOneLine(string(f.Data)), remark(f))
}

// speaker is who said it, in which conversation.
func speaker(f transcript.Frame) string {
	return fmt.Sprintf("%d %s", f.Call, escape.Line(f.Role))
}

// remark says what is not in the text.
func remark(f transcript.Frame) (text string) {
	if f.Clipped {
		text = fmt.Sprintf("… (%d bytes)", f.Bytes)
	}
	if f.Part {
		text += " (unfinished)"
	}
	return text
}

var lineEnds = strings.NewReplacer("\r", `\r`, "\n", `\n`, "\t", `\t`)

// onOneLine escapes as escape.Line, but shows line ends and tabs as programmers write them.
func onOneLine(s string) string { return lineEnds.Replace(escape.But(s, "\r\n\t")) }

// hexRow is how many bytes are in a row.
const hexRow = 16

// showHex is a row for each 16 bytes: where in the message they are, their values, what they are as ASCII, who said them.
func showHex(w io.Writer, f transcript.Frame) {
	for at := 0; at == 0 || at < len(f.Data); at += hexRow {
		row := f.Data[at:min(at+hexRow, len(f.Data))]
		head := ""
		if len(row) > 8 {
			head = fmt.Sprintf("% x  % x", row[:8], row[8:])
		} else {
			head = fmt.Sprintf("% x", row)
		}
		more := ""
		if at+hexRow >= len(f.Data) {
			more = remark(f)
		}
		fmt.Fprintf(w, "%08x  %-48s  %-18s  %s%s\n", at, head, "|"+ascii(row)+"|", speaker(f), more)
	}
}

// ascii shows what is printable, and dots.
func ascii(p []byte) string {
	shown := make([]byte, len(p))
	for i, c := range p {
		shown[i] = '.'
		if ' ' <= c && c <= '~' {
			shown[i] = c
		}
	}
	return string(shown)
}

// showHappened is a line for what is no message. Who writes the transcript, a person knows.
func showHappened(w io.Writer, l transcript.Line) {
	switch l := l.(type) {
	case transcript.Opened:
		fmt.Fprintf(w, "%d opened%s\n", l.Call, listEnds(l.Ends))
	case transcript.HalfClosed:
		fmt.Fprintf(w, "%d %s has said its end\n", l.Call, escape.Line(l.Role))
	case transcript.Closed:
		how := ""
		if l.How != "" && l.How != transcript.HowClean {
			how = ": " + escape.Line(l.How)
		}
		if l.Untaken > 0 {
			how += fmt.Sprintf(", %d bytes said to it were not taken", l.Untaken)
		}
		fmt.Fprintf(w, "%d %s is closed%s\n", l.Call, escape.Line(l.Role), how)
	case transcript.Lost:
		fmt.Fprintf(w, "%d not shown: %d messages, %d bytes (%s)\n", l.Call, l.Count, l.Bytes, escape.Line(l.Why))
	}
}

func listEnds(ends []transcript.End) string {
	var list strings.Builder
	for i, end := range ends {
		sep := ", "
		if i == 0 {
			sep = ": "
		}
		list.WriteString(sep + escape.Line(strings.TrimSpace(end.Role+" "+end.Addr)))
	}
	return list.String()
}
