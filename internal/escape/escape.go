// Package escape shows what a peer said as text that does nothing on a terminal but show.
package escape

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Writer writes to a terminal what a peer said. Control characters and bytes that are no UTF-8 are shown as \x1b and
// the like, so that no peer can move the cursor, set titles, or have the terminal answer; line ends and tabs pass. A
// character split over two writes is put together again.
type Writer struct {
	w    io.Writer
	part []byte // the beginning of a character
	cr   bool   // a CR is held back, as it may belong to a CRLF
}

// NewWriter returns a Writer to w, a terminal.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

func (e *Writer) Write(p []byte) (int, error) {
	text := append(e.part, p...)
	e.part = nil
	if tail := cutCharacter(text); tail > 0 {
		e.part = append([]byte(nil), text[len(text)-tail:]...)
		text = text[:len(text)-tail]
	}
	if e.cr {
		text = append([]byte{'\r'}, text...)
		e.cr = false
	}
	if n := len(text); n > 0 && text[n-1] == '\r' {
		e.cr = true
		text = text[:n-1]
	}
	if _, err := io.WriteString(e.w, Text(strings.ReplaceAll(string(text), "\r\n", "\n"))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close shows what is left of a character that never became whole.
func (e *Writer) Close() error {
	rest := string(e.part)
	if e.cr {
		rest = "\r" + rest
	}
	_, err := io.WriteString(e.w, Text(rest))
	return err
}

// cutCharacter returns how many bytes at the end of p are the beginning of a longer character.
func cutCharacter(p []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		if b := p[len(p)-n:]; utf8.RuneStart(b[0]) {
			if utf8.FullRune(b) {
				return 0
			}
			return n
		}
	}
	return 0
}

// Text escapes all but what a terminal shows, line ends and tabs.
func Text(s string) string { return But(s, "\n\t") }

// Line escapes line ends and tabs too, for text that must stay on one line.
func Line(s string) string { return But(s, "") }

// But escapes all but what a terminal shows and the characters in pass.
func But(s, pass string) string {
	if isClean(s, pass) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case IsStray(s[i:], r):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case IsShown(r, pass):
			b.WriteRune(r)
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

func isClean(s, pass string) bool {
	for i, r := range s {
		if !IsShown(r, pass) || IsStray(s[i:], r) {
			return false
		}
	}
	return true
}

// IsShown reports whether a terminal shows r, and nothing else happens. Format characters (category Cf) are not shown:
// with them text can be made to read backwards.
func IsShown(r rune, pass string) bool {
	return strings.ContainsRune(pass, r) || !unicode.IsControl(r) && !unicode.Is(unicode.Cf, r) && r != '\u2028' && r != '\u2029'
}

// IsStray reports whether rest begins with a byte that is no UTF-8, of which r was made.
func IsStray(rest string, r rune) bool {
	return r == utf8.RuneError && !strings.HasPrefix(rest, "\uFFFD")
}
