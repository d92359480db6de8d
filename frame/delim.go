package frame

import (
	"bytes"
	"strconv"
)

// The remedy for a text that holds the end of its own frame.
const useLength = "split the text there, or use a format with a length, such as u32"

// lineFormat is `line`: says LF, hears LF or CRLF.
type lineFormat struct{}

func (lineFormat) String() string { return "line" }
func (lineFormat) End() string    { return "the end of a line" }

func (f lineFormat) Append(dst, text []byte) ([]byte, error) {
	if i := bytes.IndexByte(text, '\n'); i >= 0 {
		return dst, containsEnd(f, i, `"\n"`, useLength)
	}
	if n := len(text); n > 0 && text[n-1] == '\r' {
		return dst, endsInCR(f, n-1)
	}
	dst = append(dst, text...)
	return append(dst, '\n'), nil
}

// Scan does without a span: it is the path of every line heard, and the
// search in a short line takes no longer than making one.
func (lineFormat) Scan(data []byte, seen int, _ bool) ([]byte, int, error) {
	seen = within(seen, data)
	i := bytes.IndexByte(data[seen:], '\n')
	if i < 0 {
		return nil, 0, nil
	}
	end := seen + i
	size := end + 1
	if end > 0 && data[end-1] == '\r' {
		end--
	}
	return data[:end:end], size, nil
}

// endsInCR returns the error for a line that ends in CR, at byte at.
func endsInCR(f Format, at int) error {
	return containsEnd(f, at, `"\r" before a line end`, "the hearer would take it for a part of the line end; take it away, or use lf")
}

// A mark is a text that ends frames. Those that have a name are known by it.
type mark struct {
	name string // "lf", or "" if it has none
	text string // "\n"
}

// String returns the mark as it is written in formats.
func (m mark) String() string {
	if m.name != "" {
		return m.name
	}
	return strconv.Quote(m.text)
}

// words returns the mark as a person names it.
func (m mark) words() string {
	switch m.name {
	case "line":
		return "the end of a line"
	case "lf":
		return "an LF"
	case "crlf":
		return "a CRLF"
	case "nul":
		return "a NUL"
	}
	return "the text " + strconv.Quote(m.text)
}

// The marks with names. What `line` hears is decided where it is heard.
var (
	markLine = mark{"line", "\n"}
	markLF   = mark{"lf", "\n"}
	markCRLF = mark{"crlf", "\r\n"}
	markNUL  = mark{"nul", "\x00"}
)

// Made once, so that LF, CRLF and NUL do not allocate.
var (
	lf   Format = untilFormat{markLF}
	crlf Format = untilFormat{markCRLF}
	nul  Format = untilFormat{markNUL}
)

// untilFormat is `lf`, `crlf`, `nul` and `until "TEXT"`: the text, then a
// mark that is not part of it. The mark is not empty.
type untilFormat struct{ mark mark }

func (f untilFormat) String() string {
	if f.mark.name == "" {
		return "until " + f.mark.String()
	}
	return f.mark.name
}

func (f untilFormat) End() string { return f.mark.words() }

func (f untilFormat) Append(dst, text []byte) ([]byte, error) {
	at := index(text, f.mark.text)
	if at < 0 {
		at = endsEarly(text, f.mark.text)
	}
	if at >= 0 {
		return dst, containsEnd(f, at, strconv.Quote(f.mark.text), useLength)
	}
	dst = append(dst, text...)
	return append(dst, f.mark.text...), nil
}

func (f untilFormat) Scan(data []byte, seen int, atEOF bool) ([]byte, int, error) {
	s, _ := f.find(data, seen, atEOF)
	if !s.whole {
		return nil, 0, nil
	}
	return data[:s.to:s.to], s.size, nil
}

func (f untilFormat) find(data []byte, seen int, _ bool) (span, error) {
	// The mark may have begun in the last bytes of those seen.
	from := within(seen-len(f.mark.text)+1, data)
	i := index(data[from:], f.mark.text)
	if i < 0 {
		return span{}, nil
	}
	return span{to: from + i, size: from + i + len(f.mark.text), whole: true}, nil
}

// index returns where mark first is in data, or -1.
func index(data []byte, mark string) int {
	if len(mark) == 1 {
		return bytes.IndexByte(data, mark[0])
	}
	// A string of at most 32 bytes becomes a []byte without an allocation, so
	// only so much of the mark is searched for, and the rest compared.
	head := mark[:min(len(mark), 32)]
	for at := 0; ; at++ {
		i := bytes.Index(data[at:], []byte(head))
		if i < 0 || at+i+len(mark) > len(data) {
			return -1
		}
		at += i
		if string(data[at:at+len(mark)]) == mark {
			return at
		}
	}
}

// lastIndex returns where mark last is in data, or -1. It looks from the end,
// so its cost is that of the bytes after the mark.
func lastIndex(data []byte, mark string) int {
	final := mark[len(mark)-1]
	for end := len(data); end >= len(mark); {
		end = bytes.LastIndexByte(data[:end], final)
		if at := end + 1 - len(mark); at >= 0 && string(data[at:end+1]) == mark {
			return at
		}
	}
	return -1
}

// endsEarly returns where in text the mark begins if mark is first found in
// text+mark before the end of text, or -1: "a" before the mark "aa" ends
// early. The text does not contain the whole mark.
func endsEarly(text []byte, mark string) int {
	for n := min(len(text), len(mark)-1); n > 0; n-- {
		at := len(text) - n
		if string(text[at:]) == mark[:n] && mark[n:] == mark[:len(mark)-n] {
			return at
		}
	}
	return -1
}

// overlapsItself reports whether mark ends as it begins, as "aa" and "abca".
// Where it does not, every place it is found at is an end.
func overlapsItself(mark string) bool {
	for n := 1; n < len(mark); n++ {
		if mark[n:] == mark[:len(mark)-n] {
			return true
		}
	}
	return false
}
