package service

import (
	"fmt"
	"net"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A ChatLine is something said in a room of a [Chat].
type ChatLine struct {
	Time   time.Time
	Room   string
	ID     int64    // of the caller who said it, or whom a notice is about
	Name   string   // his name; the new one in a notice of a change
	From   net.Addr // his address, which the other callers are not told
	Text   string   // one line, as it is shown: what is not text is escaped
	Notice bool     // it is said by the server
}

// String returns the line as callers hear it, after its room: [lobby] [3 ann] hello, or [lobby] * 3 ann came.
func (l ChatLine) String() string { return "[" + l.Room + "] " + string(l.wire()) }

// wire is what callers hear.
func (l ChatLine) wire() []byte {
	if l.Notice {
		return []byte("* " + l.Text)
	}
	return []byte(l.head() + " " + l.Text)
}

func (l ChatLine) head() string { return fmt.Sprintf("[%d %s]", l.ID, l.Name) }

// chatEscape returns text as one line that does nothing on a terminal but show: control characters and bytes that are no
// UTF-8 become \x1b and the like, format characters (category Cf), with which text can be made to read backwards, and
// Unicode's own line ends \u202e.
func chatEscape(text string) string {
	if isChatText(text) {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		switch {
		case isStrayByte(text[i:], r):
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case isShown(r):
			b.WriteRune(r)
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

func isChatText(text string) bool {
	for i, r := range text {
		if !isShown(r) || isStrayByte(text[i:], r) {
			return false
		}
	}
	return true
}

// isStrayByte reports whether rest begins with a byte that is no UTF-8, of which r was made.
func isStrayByte(rest string, r rune) bool {
	return r == utf8.RuneError && !strings.HasPrefix(rest, "\uFFFD")
}

// isShown reports whether a terminal shows r, and nothing else happens.
func isShown(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= ' ' && r != 0x7f || r == '\t'
	}
	return !unicode.IsControl(r) && !unicode.Is(unicode.Cf, r) && r != '\u2028' && r != '\u2029'
}

// quoteShort shows the beginning of something a caller has said, for a notice.
func quoteShort(text string) string {
	const most = 40
	n := 0
	for i := range text {
		if n++; n > most {
			return `"` + chatEscape(text[:i]) + `…"`
		}
	}
	return `"` + chatEscape(text) + `"`
}
