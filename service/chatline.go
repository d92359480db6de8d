package service

import (
	"fmt"
	"net"
	"time"

	"parley/internal/escape"
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

// chatEscape returns text as one line that does nothing on a terminal but show; tabs pass.
func chatEscape(text string) string { return escape.But(text, "\t") }

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
