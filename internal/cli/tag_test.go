package cli

import (
	"bytes"
	"strings"
	"testing"
)

func TestTag(t *testing.T) {
	tests := []struct {
		id   int64
		text string
		want string
	}{
		{1, "", "1\t\n"},
		{1, "hello", "1\thello\n"},
		{12, "grüße 世界", "12\tgrüße 世界\n"},
		{1, "a\nb\r\n", `1` + "\t" + `a\nb\r\n` + "\n"},
		{1, "a\tb", `1` + "\t" + `a\tb` + "\n"},
		{1, `C:\new`, `1` + "\t" + `C:\\new` + "\n"},
		{1, "\x00\x1b[2J\x7f", `1` + "\t" + `\x00\x1b[2J\x7f` + "\n"},
		{1, "\xff\xc3", `1` + "\t" + `\xff\xc3` + "\n"},
		{1, "\uFFFD", "1\t\uFFFD\n"},
		{1, "\u009b", `1` + "\t" + `\xc2\x9b` + "\n"},
		{1, "\u2028", `1` + "\t" + `\xe2\x80\xa8` + "\n"},
		{1, "\u202e", `1` + "\t" + `\xe2\x80\xae` + "\n"},
	}
	for _, tt := range tests {
		if got := tagged(tt.id, []byte(tt.text)); got != tt.want {
			t.Errorf("%d, %q: got %q, want %q", tt.id, tt.text, got, tt.want)
		}
	}
}

func TestParseTagged(t *testing.T) {
	tests := []struct {
		line string
		id   int64
		text string // "-" for the end
		err  string // a part of it
	}{
		{"1\thello", 1, "hello", ""},
		{"1\t", 1, "", ""},
		{"1", 1, "-", ""},
		{"*", 0, "-", ""},
		{"*\tall of you", 0, "all of you", ""},
		{"7\ta\tb", 7, "a\tb", ""}, // a person's tab needs no escape
		{"7\t" + `\\ \n \r \t \x41 \xfF`, 7, "\\ \n \r \t A \xff", ""},
		{"9223372036854775807\tx", 1<<63 - 1, "x", ""},
		{"", 0, "", "neither a caller's number nor *"},
		{"hello", 0, "", `"hello" is neither a caller's number nor *; write ID, a tab and the text`},
		{"0\tx", 0, "", "neither"},
		{"-1\tx", 0, "", "neither"},
		{"9223372036854775808\tx", 0, "", "neither"},
		{"1\t" + `\`, 0, "", "is no escape"},
		{"1\t" + `\q`, 0, "", `"\\q" is no escape; there are \\ \n \r \t and \xHH`},
		{"1\t" + `\x4`, 0, "", "is no escape"},
		{"1\t" + `\xzz`, 0, "", "zz"},
	}
	for _, tt := range tests {
		id, text, err := parseTagged(tt.line)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%q: got error %v, want one with %q", tt.line, err, tt.err)
			}
			continue
		}
		isEnd := tt.text == "-"
		if err != nil || id != tt.id || (text == nil) != isEnd || !isEnd && string(text) != tt.text {
			t.Errorf("%q: got %d, %q, %v, want %d, %q", tt.line, id, text, err, tt.id, tt.text)
		}
	}
}

// FuzzTag says anything, as any caller, and hears it from the line again.
func FuzzTag(f *testing.F) {
	for _, text := range []string{"", "hello", "a\nb\tc\r", `\`, `\x`, "\x00\x1b\x7f\xff", "\uFFFD\u009b\u2028\u202e", "\xe2\x80"} {
		f.Add(int64(1), []byte(text))
	}
	f.Fuzz(func(t *testing.T, id int64, text []byte) {
		id = max(id, 1)
		line := tagged(id, text)
		if strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\n") {
			t.Fatalf("%q: %q has not one newline, at its end", text, line)
		}
		if strings.Count(line, "\t") != 1 {
			t.Fatalf("%q: %q has not one tab", text, line)
		}
		to, back, err := parseTagged(strings.TrimSuffix(line, "\n"))
		if err != nil || to != id || back == nil || !bytes.Equal(back, text) {
			t.Fatalf("%d, %q: %q is understood as %d, %q, %v", id, text, line, to, back, err)
		}
	})
}

// FuzzParseTagged gives it lines of any program: what it understands can be written again, with the same meaning.
func FuzzParseTagged(f *testing.F) {
	for _, line := range []string{"", "1", "*", "1\t", "*\tx", `1` + "\t" + `\n\x41`, `1` + "\t" + `\x`, "+1\tx", "x\ty"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		id, text, err := parseTagged(line)
		if err != nil || text == nil || id == 0 {
			return
		}
		again := strings.TrimSuffix(tagged(id, text), "\n")
		to, back, err := parseTagged(again)
		if err != nil || to != id || !bytes.Equal(back, text) {
			t.Fatalf("%q is %d, %q; written again as %q it is %d, %q, %v", line, id, text, again, to, back, err)
		}
	})
}
