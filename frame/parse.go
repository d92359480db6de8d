package frame

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Parse reads a format as it is written in flags and scripts:
//
//	format = eol | [eol] "blank line" | [eol] "2 blank lines"
//	       | [eol] "end" TEXT ["stuffed"] | "nul" | "until" TEXT | "until close"
//	       | N "bytes" ["then" (eol | TEXT)]
//	       | ("u8" | "u16" | "u32" | "u64") ["little"]
//	       | "decimal" | "netstring" | "packet" | "any"
//	eol    = "line" | "lf" | "crlf"
//
// TEXT is a Go interpreted string such as "END REQUEST" or "\r\n.\r\n"; N is
// from 0 to 2147483647; words are separated by blanks. The error is a
// *ParseError that quotes s and says what would have worked.
func Parse(s string) (Format, error) {
	words, err := split(s)
	if err != nil {
		return nil, &ParseError{Text: s, Why: err.Error()}
	}
	if f, ok := fixed[strings.Join(words, " ")]; ok {
		return f, nil
	}
	f, err := parseWords(words)
	if err != nil {
		return nil, &ParseError{Text: s, Why: err.Error()}
	}
	if f == nil {
		return nil, &ParseError{Text: s, Why: unknown(words)}
	}
	return f, nil
}

// MustParse is Parse for formats that are written in the program. It panics
// if s is not a format.
func MustParse(s string) Format {
	f, err := Parse(s)
	if err != nil {
		panic(err)
	}
	return f
}

// fixed holds the formats that have nothing to fill in.
var fixed = map[string]Format{
	"line":        Line(),
	"lf":          lf,
	"crlf":        crlf,
	"nul":         nul,
	"packet":      Packet(),
	"until close": UntilClose(),
	"any":         Any(),
	"decimal":     decimal,
	"netstring":   netstring,
	"u8":          prefixFormat{width: 1},
	"u16":         prefixFormat{width: 2},
	"u32":         prefixFormat{width: 4},
	"u64":         prefixFormat{width: 8},
	"u8 little":   prefixFormat{width: 1}, // one byte has no order
	"u16 little":  prefixFormat{width: 2, little: true},
	"u32 little":  prefixFormat{width: 4, little: true},
	"u64 little":  prefixFormat{width: 8, little: true},
}

var eols = map[string]eol{"line": eolLine, "lf": eolLF, "crlf": eolCRLF}

// split returns the words of s; a quoted text is one word, with its quotes.
func split(s string) ([]string, error) {
	var words []string
	for {
		s = strings.TrimLeft(s, " \t")
		if s == "" {
			return words, nil
		}
		word, err := firstWord(s)
		if err != nil {
			return nil, err
		}
		words = append(words, word)
		s = s[len(word):]
	}
}

func firstWord(s string) (string, error) {
	if s[0] != '"' {
		if i := strings.IndexAny(s, " \t\""); i >= 0 {
			return s[:i], nil
		}
		return s, nil
	}
	word, err := strconv.QuotedPrefix(s)
	if err != nil {
		return "", fmt.Errorf(`%s is not a text in quotes, such as "END REQUEST" or "\r\n"; in a shell put single quotes around the format`, s)
	}
	return word, nil
}

// parseWords reads the formats that have something to fill in. It returns nil
// if words are none of them.
func parseWords(words []string) (Format, error) {
	if len(words) == 0 {
		return nil, nil
	}
	switch first := words[0]; {
	case first == "until":
		return parseUntil(words[1:])
	case strings.HasPrefix(first, "${"):
		return nil, fmt.Errorf("a count that was heard earlier, %s, only makes sense in a script; here write a number, such as 5 bytes", first)
	case len(words) > 1 && words[1] == "bytes":
		return parseCount(first, words[2:])
	}
	e, rest := eolLine, words
	if named, ok := eols[words[0]]; ok {
		e, rest = named, words[1:]
	}
	switch {
	case len(rest) > 0 && rest[0] == "end":
		return parseEnd(e, rest[1:])
	case isWords(rest, "blank", "line"):
		return linesFormat{eol: e, times: 1}, nil
	case isWords(rest, "2", "blank", "lines"):
		return linesFormat{eol: e, times: 2}, nil
	}
	return nil, nil
}

func isWords(words []string, want ...string) bool {
	return strings.Join(words, " ") == strings.Join(want, " ")
}

// parseUntil reads what follows "until", which is not "close".
func parseUntil(words []string) (Format, error) {
	text, rest, err := parseText("until", words)
	if err != nil {
		return nil, err
	}
	if len(rest) > 0 {
		return nil, surplus(rest)
	}
	return untilFormat{mark{text: text}}, nil
}

// parseEnd reads what follows "end".
func parseEnd(e eol, words []string) (Format, error) {
	text, rest, err := parseText("end", words)
	if err != nil {
		return nil, err
	}
	f := linesFormat{eol: e, last: text, times: 1, stuffed: isWords(rest, "stuffed")}
	switch {
	case len(rest) > 0 && !f.stuffed:
		return nil, surplus(rest)
	case strings.Contains(text, "\n"), e != eolLF && strings.HasSuffix(text, "\r"):
		return nil, fmt.Errorf("the line %q contains a line end; leave it out, it is added", text)
	case f.stuffed && !strings.HasPrefix(text, "."):
		return nil, fmt.Errorf(`stuffed doubles dots, so the line must begin with ".", as in end "." stuffed, not %q`, text)
	case f.stuffed && strings.HasPrefix(text, ".."):
		return nil, fmt.Errorf(`stuffed lines begin with two dots, so the line that ends must begin with one, as in end "." stuffed, not %q`, text)
	}
	return f, nil
}

// parseCount reads `N bytes` and what follows it.
func parseCount(number string, words []string) (Format, error) {
	n, err := strconv.ParseUint(number, 10, 31)
	if err != nil {
		return nil, fmt.Errorf("%s is not a number from 0 to %d", number, maxCount)
	}
	f := countFormat{n: int(n)}
	if len(words) == 0 {
		return f, nil
	}
	if words[0] != "then" {
		return nil, surplus(words)
	}
	f.then, err = parseThen(words[1:])
	// Where an int has 32 bits the size of the frame may be more than it can say.
	if err == nil && f.n > math.MaxInt-max(len(f.then.text), len("\r\n")) {
		err = fmt.Errorf("%s is too large a number on this machine", number)
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// parseThen reads what follows "then".
func parseThen(words []string) (mark, error) {
	if len(words) == 1 {
		if e, ok := eols[words[0]]; ok {
			return e.mark(), nil
		}
	}
	text, rest, err := parseText("then", words)
	if err != nil {
		return mark{}, fmt.Errorf("%w; or line, lf, crlf", err)
	}
	if len(rest) > 0 {
		return mark{}, surplus(rest)
	}
	return mark{text: text}, nil
}

// parseText reads the quoted text that must follow the word after.
func parseText(after string, words []string) (text string, rest []string, err error) {
	if len(words) == 0 {
		return "", nil, fmt.Errorf(`a text in quotes must follow %s, as in %s "END"`, after, after)
	}
	if words[0][0] != '"' {
		return "", nil, fmt.Errorf("the text after %s must be in quotes: %s %q", after, after, strings.Join(words, " "))
	}
	text, err = strconv.Unquote(words[0])
	if err != nil { // QuotedPrefix let it through, so it cannot be
		return "", nil, fmt.Errorf("%s is not a text in quotes", words[0])
	}
	if text == "" {
		return "", nil, fmt.Errorf(`the text after %s is empty; it must have at least one byte`, after)
	}
	return text, words[1:], nil
}

func surplus(words []string) error {
	return fmt.Errorf("%q is too much; leave it out", strings.Join(words, " "))
}
