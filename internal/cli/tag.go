package cli

import (
	"fmt"
	"strconv"
	"strings"

	"parley/internal/escape"
)

// A tagged line is "ID TAB TEXT". In the text a backslash, control characters and bytes that are no UTF-8 are escaped, so
// that a line is always one caller's and has exactly two fields, whatever a caller says.

// tagged returns the line, with its newline.
func tagged(id int64, text []byte) string {
	return strconv.FormatInt(id, 10) + "\t" + tagEscape(string(text)) + "\n"
}

// tagEscape is undone by tagUnescape.
func tagEscape(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == '\\':
			b.WriteString(`\\`)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case escape.IsStray(s[i:], r):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case escape.IsShown(r, ""):
			b.WriteRune(r)
		default:
			for _, c := range []byte(string(r)) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
		}
	}
	return b.String()
}

// parseTagged reads "ID TAB TEXT" or "* TAB TEXT"; id 0 is for everybody. Without a tab it is the end, and text is nil.
func parseTagged(line string) (id int64, text []byte, err error) {
	to, rest, hasText := strings.Cut(line, "\t")
	if to != "*" {
		if id, err = strconv.ParseInt(to, 10, 64); err != nil || id < 1 {
			return 0, nil, fmt.Errorf("%q is neither a caller's number nor *; write ID, a tab and the text", to)
		}
	}
	if hasText {
		text, err = tagUnescape(rest)
	}
	return id, text, err
}

func tagUnescape(s string) ([]byte, error) {
	b := []byte{}
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b = append(b, s[i])
			continue
		}
		c, size, err := unescapeOne(s[i:])
		if err != nil {
			return nil, err
		}
		b = append(b, c)
		i += size - 1
	}
	return b, nil
}

// unescapeOne reads one escape at the start of s.
func unescapeOne(s string) (c byte, size int, err error) {
	if len(s) > 1 {
		switch s[1] {
		case '\\':
			return '\\', 2, nil
		case 'n':
			return '\n', 2, nil
		case 'r':
			return '\r', 2, nil
		case 't':
			return '\t', 2, nil
		case 'x':
			if len(s) >= 4 {
				n, err := strconv.ParseUint(s[2:4], 16, 8)
				return byte(n), 4, err
			}
		}
	}
	return 0, 0, fmt.Errorf(`%q is no escape; there are \\ \n \r \t and \xHH`, s[:min(len(s), 4)])
}
