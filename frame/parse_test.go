package frame

import (
	"errors"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for s, want := range map[string]string{
		"line":                       "line",
		"  lf ":                      "lf",
		"blank line":                 "blank line",
		"line blank line":            "blank line",
		"crlf  blank   line":         "crlf blank line",
		"lf 2 blank lines":           "lf 2 blank lines",
		`line end "x"`:               `end "x"`,
		`end "END REQUEST"`:          `end "END REQUEST"`,
		`crlf end "." stuffed`:       `crlf end "." stuffed`,
		`lf end "a\r"`:               `lf end "a\r"`,
		`until "\x0d\x0a"`:           `until "\r\n"`,
		`until "\xff\u00e9"`:         `until "\xffé"`,
		"until  close":               "until close",
		"007 bytes":                  "7 bytes",
		"0 bytes":                    "0 bytes",
		"2147483640 bytes then line": "2147483640 bytes then line",
		`2 bytes then "\n"`:          `2 bytes then "\n"`,
		"u8 little":                  "u8",
		"u64 little":                 "u64 little",
	} {
		f, err := Parse(s)
		if err != nil {
			t.Errorf("Parse(%q): %v", s, err)
			continue
		}
		if f.String() != want {
			t.Errorf("Parse(%q) = %s, want %s", s, f, want)
		}
		if again, err := Parse(want); again != f {
			t.Errorf("Parse(%q) = %v, %v; want the format it came from", want, again, err)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for s, want := range map[string]string{
		"":                   `no format; the formats are: line, lf, crlf, [eol] blank line,`,
		"LINE":               `did you mean line?`,
		"lines":              `did you mean line?`,
		"clrf":               `did you mean crlf?`,
		"newline":            `did you mean line?`,
		"null":               `did you mean nul?`,
		"close":              `did you mean until close?`,
		"until the close":    `the text after until must be in quotes: until "the close"`,
		"uint16":             `did you mean u16?`,
		"u16 litle":          `did you mean u16 little?`,
		"netstrings":         `did you mean netstring?`,
		"crlf blank lines":   `did you mean crlf blank line?`,
		"2 blank line":       `did you mean 2 blank lines?`,
		"3 blank lines":      `did you mean 2 blank lines?`,
		"1 byte":             `did you mean 1 bytes?`,
		`ends "STOP"`:        `did you mean end "STOP"?`,
		`untill "-"`:         `did you mean until "-"?`,
		"17":                 `unknown format; the formats are:`,
		"quux":               `unknown format; the formats are:`,
		"crlf nul":           `unknown format`,
		`"x"`:                `unknown format`,
		"until":              `a text in quotes must follow until, as in until "END"`,
		`until ""`:           `is empty`,
		`until "a`:           `"a is not a text in quotes`,
		`until "a" b`:        `"b" is too much`,
		"end END REQUEST":    `the text after end must be in quotes: end "END REQUEST"`,
		`end ""`:             `is empty`,
		`end "a\nb"`:         `contains a line end`,
		`end "a\r"`:          `contains a line end`,
		`end "a" stufed`:     `"stufed" is too much`,
		`end "a" stuffed`:    `must begin with "."`,
		`end ".." stuffed`:   `must begin with one`,
		"x bytes":            `x is not a number from 0 to 2147483647`,
		"-1 bytes":           `-1 is not a number`,
		"2147483648 bytes":   `2147483648 is not a number`,
		"5 bytes then":       `a text in quotes must follow then, as in then "END"; or line, lf, crlf`,
		"5 bytes then nul":   `the text after then must be in quotes: then "nul"; or line, lf, crlf`,
		`5 bytes then ""`:    `is empty`,
		`5 bytes then "a" b`: `"b" is too much`,
		"5 bytes more":       `"more" is too much`,
		"${n} bytes":         `a count that was heard earlier, ${n}, only makes sense in a script`,
	} {
		f, err := Parse(s)
		var parse *ParseError
		if f != nil || !errors.As(err, &parse) || parse.Text != s {
			t.Errorf("Parse(%q) = %v, %v; want a *ParseError", s, f, err)
			continue
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q): %v\nwant it to say: %s", s, err, want)
		}
	}
}

func TestMustParsePanics(t *testing.T) {
	defer func() {
		if err, ok := recover().(error); !ok || !strings.Contains(err.Error(), "quux") {
			t.Errorf("MustParse panicked with %v", err)
		}
	}()
	MustParse("quux")
}
