package frame

import (
	"bytes"
	"strconv"
)

// eol is how a line ends within a frame of several. The zero value is `line`.
type eol uint8

const (
	eolLine eol = iota // says LF, hears LF or CRLF
	eolLF
	eolCRLF
)

func (e eol) mark() mark { return [...]mark{markLine, markLF, markCRLF}[e] }

// ends reports whether a line can begin at data[at:]: at the very start, or
// where another has ended.
func (e eol) ends(data []byte, at int) bool {
	if at == 0 {
		return true
	}
	if e == eolCRLF {
		return at >= 2 && data[at-2] == '\r' && data[at-1] == '\n'
	}
	return data[at-1] == '\n'
}

// trim returns where the content of the line ends whose line end ends at
// data[:at], or -1 if no line ends there.
func (e eol) trim(data []byte, at int) int {
	if at == 0 || !e.ends(data, at) {
		return -1
	}
	if e == eolCRLF || e == eolLine && at >= 2 && data[at-2] == '\r' {
		return at - 2
	}
	return at - 1
}

// lineStart returns where the line begins that ends at data[:at], if that
// line is want, or -1. It looks at no other line, however long they are.
func (e eol) lineStart(data []byte, at int, want string) int {
	end := e.trim(data, at)
	start := end - len(want)
	if start < 0 || string(data[start:end]) != want || !e.ends(data, start) {
		return -1
	}
	return start
}

// cutHeard cuts the first line off wire, which ends in a line end. size
// counts the line end too.
func (e eol) cutHeard(wire []byte) (line []byte, size int) {
	if e == eolCRLF {
		i := index(wire, "\r\n")
		return wire[:i], i + 2
	}
	size = bytes.IndexByte(wire, '\n') + 1
	return wire[:e.trim(wire, size)], size
}

// cutText cuts the first line off a text that is to be said. Its lines end in
// LF; where a CR would not be kept, CRLF counts as one line end. The last
// line needs no LF. size counts the line end too.
func (e eol) cutText(text []byte) (line []byte, size int) {
	i := bytes.IndexByte(text, '\n')
	if i < 0 {
		return text, len(text)
	}
	if e != eolLF && i > 0 && text[i-1] == '\r' {
		return text[:i-1], i + 1
	}
	return text[:i], i + 1
}

// linesFormat is `blank line`, `2 blank lines` and `end "TEXT"`: lines, then
// the line last, times times.
//
// The text of such a frame is its lines, each followed by LF; the LF of the
// last line is left out unless that line is empty, so that no line ("") and
// one empty line ("\n") differ.
type linesFormat struct {
	eol     eol
	last    string // the line that ends the frame
	times   int    // how often it comes in a row
	stuffed bool   // dots at the start of lines are doubled; last begins with exactly one
}

func (f linesFormat) String() string {
	prefix := ""
	if f.eol != eolLine {
		prefix = f.eol.mark().name + " "
	}
	switch {
	case f.last == "" && f.times == 1:
		return prefix + "blank line"
	case f.last == "":
		return prefix + "2 blank lines"
	case f.stuffed:
		return prefix + "end " + strconv.Quote(f.last) + " stuffed"
	}
	return prefix + "end " + strconv.Quote(f.last)
}

func (f linesFormat) End() string {
	end := "a blank line"
	switch {
	case f.last != "":
		end = "the line " + strconv.Quote(f.last)
	case f.times == 2:
		end = "2 blank lines"
	}
	switch f.eol {
	case eolLF:
		return end + " (LF only)"
	case eolCRLF:
		return end + " (CRLF only)"
	}
	return end
}

func (f linesFormat) Append(dst, text []byte) ([]byte, error) {
	if err := f.check(text); err != nil {
		return dst, err
	}
	lineEnd := f.eol.mark().text
	for len(text) > 0 {
		line, size := f.eol.cutText(text)
		if f.stuffed && len(line) > 0 && line[0] == '.' {
			dst = append(dst, '.')
		}
		dst = append(dst, line...)
		dst = append(dst, lineEnd...)
		text = text[size:]
	}
	for range f.times {
		dst = append(dst, f.last...)
		dst = append(dst, lineEnd...)
	}
	return dst, nil
}

// check returns an error if a hearer would not hear text as it is.
func (f linesFormat) check(text []byte) error {
	run, runAt := 0, 0 // how many lines in a row were last, and where they began
	for at := 0; at < len(text); {
		line, size := f.eol.cutText(text[at:])
		switch {
		case f.eol != eolLF && len(line) > 0 && line[len(line)-1] == '\r':
			return endsInCR(f, at+len(line)-1)
		case f.stuffed || string(line) != f.last:
			run = 0
		case run == 0:
			run, runAt = 1, at
		default:
			run++
		}
		if run == f.times {
			return f.containsLast(runAt)
		}
		at += size
	}
	if run > 0 { // the first line of the end would complete it
		return f.containsLast(runAt)
	}
	return nil
}

func (f linesFormat) containsLast(at int) error {
	switch {
	case f.last != "":
		return containsEnd(f, at, "the line "+strconv.Quote(f.last), "end with another line, or with \".\" stuffed, or use a format with a length")
	case f.times == 2:
		return containsEnd(f, at, "an empty line that would be one of two in a row", "use end \"TEXT\", or a format with a length")
	}
	return containsEnd(f, at, "an empty line", "use 2 blank lines or end \"TEXT\", or a format with a length")
}

func (f linesFormat) Scan(data []byte, seen int, atEOF bool) ([]byte, int, error) {
	s, _ := f.find(data, seen, atEOF)
	if !s.whole {
		return nil, 0, nil
	}
	return f.plain(data[:s.to:s.to]), s.size, nil
}

// find judges each LF by the bytes before it only, so the LFs among those
// seen need not be looked at again, nor the start of a long line.
func (f linesFormat) find(data []byte, seen int, _ bool) (span, error) {
	for at := within(seen, data); ; {
		i := bytes.IndexByte(data[at:], '\n')
		if i < 0 {
			return span{}, nil
		}
		at += i + 1
		if start := f.lastStart(data, at); start >= 0 {
			return span{to: start, size: at, whole: true}, nil
		}
	}
}

// lastStart returns where the end of the frame begins if it ends at data[:at],
// or -1.
func (f linesFormat) lastStart(data []byte, at int) int {
	for range f.times {
		if at = f.eol.lineStart(data, at, f.last); at < 0 {
			return -1
		}
	}
	return at
}

// plain turns lines as they are on the wire into the text, in place.
func (f linesFormat) plain(wire []byte) []byte {
	if !f.stuffed && (f.eol == eolLF || bytes.IndexByte(wire, '\r') < 0) {
		return cutLastLF(wire, f.eol.lineStart(wire, len(wire), "") >= 0)
	}
	n, lastEmpty := 0, true
	for at := 0; at < len(wire); {
		line, size := f.eol.cutHeard(wire[at:])
		if f.stuffed && len(line) > 0 && line[0] == '.' {
			line = line[1:]
		}
		at += size
		lastEmpty = len(line) == 0
		n += copy(wire[n:], line)
		wire[n] = '\n'
		n++
	}
	return cutLastLF(wire[:n:n], lastEmpty)
}

// cutLastLF leaves out the LF of the last line unless that line is empty.
func cutLastLF(text []byte, lastEmpty bool) []byte {
	if len(text) == 0 || lastEmpty {
		return text
	}
	return text[: len(text)-1 : len(text)-1]
}
