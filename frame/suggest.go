package frame

import (
	"slices"
	"strings"

	"parley/internal/nearest"
)

// meant maps what people type, from other programs and languages, to formats.
// Unlike a slip of the finger it cannot be guessed from the letters.
var meant = map[string]string{
	"newline": "line", `\n`: "line", `\r\n`: "crlf", `\0`: "nul", "zero": "nul",
	"null": "nul", "eof": "until close", "close": "until close", "datagram": "packet",
	"blank": "blank line", "empty line": "blank line", "double newline": "blank line",
	"uint8": "u8", "uint16": "u16", "uint32": "u32", "uint64": "u64",
	"u16le": "u16 little", "u32le": "u32 little", "u64le": "u64 little",
	"u16 big": "u16", "u32 big": "u32", "u64 big": "u64",
	"u16be": "u16", "u32be": "u32", "u64be": "u64",
	"two blank lines": "2 blank lines", "NUMBER blank lines": "2 blank lines", "raw": "any", "none": "any",
}

// unknown says what would have worked instead of words.
func unknown(words []string) string {
	why := "unknown format;"
	if len(words) == 0 {
		why = "no format;"
	} else if s := suggest(words); s != "" {
		why = "unknown format, did you mean " + s + "?"
	}
	var syntaxes []string
	for _, h := range Formats() {
		syntaxes = append(syntaxes, h.Syntax)
	}
	return why + " the formats are: " + strings.Join(syntaxes, ", ")
}

// suggest returns the format that is closest to words, with their own text
// and number filled in, or "" if none is close.
func suggest(words []string) string {
	shape, text, number := shapeOf(words)
	if s, ok := meant[shape]; ok {
		return s
	}
	best := strings.Replace(nearest.Word(shape, shapes()), "TEXT", text, 1)
	return strings.Replace(best, "NUMBER", number, 1)
}

// shapeOf returns words in lower case, with TEXT and NUMBER in place of a
// quoted text and a number, and these.
func shapeOf(words []string) (shape, text, number string) {
	words, text, number = slices.Clone(words), `"TEXT"`, "N"
	for i, w := range words {
		switch {
		case w[0] == '"':
			words[i], text = "TEXT", w
		case isDigit(w[0]) && w != "2" && strings.Trim(w, "0123456789") == "":
			words[i], number = "NUMBER", w
		default:
			words[i] = strings.ToLower(w)
		}
	}
	return strings.Join(words, " "), text, number
}

// shapes lists every format, sorted so that a suggestion is always the same.
func shapes() []string {
	list := []string{"until TEXT", "NUMBER bytes", "NUMBER bytes then TEXT"}
	for name := range fixed {
		if name != "u8 little" { // allowed, but nothing to propose
			list = append(list, name)
		}
	}
	for _, prefix := range []string{"", "line ", "lf ", "crlf "} {
		list = append(list, prefix+"blank line", prefix+"2 blank lines", prefix+"end TEXT", prefix+"end TEXT stuffed")
	}
	for name := range eols {
		list = append(list, "NUMBER bytes then "+name)
	}
	slices.Sort(list)
	return list
}
