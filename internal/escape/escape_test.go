package escape

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestEscaper(t *testing.T) {
	tests := []struct {
		name   string
		pieces []string
		want   string
	}{
		{"nothing", nil, ""},
		{"text", []string{"hello\n"}, "hello\n"},
		{"other scripts", []string{"grüße 世界 🙂\n"}, "grüße 世界 🙂\n"},
		{"tab", []string{"a\tb\n"}, "a\tb\n"},
		{"backslash", []string{`a\b`}, `a\b`},
		{"ESC", []string{"\x1b[2J"}, `\x1b[2J`},
		{"title", []string{"\x1b]0;owned\a"}, `\x1b]0;owned\x07`},
		{"NUL, backspace, DEL", []string{"\x00\b\x7f"}, `\x00\x08\x7f`},
		{"C1 as a byte", []string{"\x9b2J"}, `\x9b2J`},
		{"CSI in UTF-8", []string{"\u009b2J"}, `\u009b2J`},
		{"NEL", []string{"\u0085"}, `\u0085`},
		{"bidi override", []string{"a\u202eb"}, `a\u202eb`},
		{"bidi isolate", []string{"\u2066a\u2069"}, `\u2066a\u2069`},
		{"no width", []string{"a\u200bb\ufeff"}, `a\u200bb\ufeff`},
		{"tags", []string{"\U000e0041"}, `\ue0041`},
		{"line separators", []string{"a\u2028b\u2029"}, `a\u2028b\u2029`},
		{"no UTF-8", []string{"\xff\xfe"}, `\xff\xfe`},
		{"overlong", []string{"\xc0\x8a"}, `\xc0\x8a`},
		{"surrogate", []string{"\xed\xa0\x80"}, `\xed\xa0\x80`},
		{"U+FFFD that was said", []string{"\uFFFD"}, "\uFFFD"},
		{"split of two", []string{"\xc3", "\xbc"}, "ü"},
		{"split of four", []string{"\xf0", "\x9f", "\x99", "\x82"}, "🙂"},
		{"split control", []string{"\xc2", "\x9b"}, `\u009b`},
		{"split, nothing between", []string{"\xc3", "", "\xbc"}, "ü"},
		{"split, never whole", []string{"a\xe4\xb8"}, `a\xe4\xb8`},
		{"split, then another", []string{"\xe4\xb8", "x"}, `\xe4\xb8x`},
		{"CRLF", []string{"a\r\nb\r\n"}, "a\nb\n"},
		{"CR", []string{"good\rbad"}, `good\x0dbad`},
		{"CR at the end", []string{"a\r"}, `a\x0d`},
		{"CR CRLF", []string{"a\r\r\n"}, `a\x0d` + "\n"},
		{"split CRLF", []string{"a\r", "\nb"}, "a\nb"},
		{"split CRLF, nothing between", []string{"a\r", "", "\n"}, "a\n"},
		{"CR, then text", []string{"a\r", "b"}, `a\x0db`},
		{"CRs one by one", []string{"\r", "\r", "\n"}, `\x0d` + "\n"},
		{"CR, then a split character", []string{"\r\xc3", "\xbc"}, `\x0dü`},
		{"CR, then half a character", []string{"\r\xc3"}, `\x0d\xc3`},
	}
	for _, tt := range tests {
		if got := escape(t, tt.pieces...); got != tt.want {
			t.Errorf("%s: %q: got %q, want %q", tt.name, tt.pieces, got, tt.want)
		}
	}
}

func TestEscapeLine(t *testing.T) {
	tests := []struct{ text, want string }{
		{"hello 世界", "hello 世界"},
		{"a\nb\tc\rd", `a\x0ab\x09c\x0dd`},
		{"\x1b\u202e\xff", `\x1b\u202e\xff`},
	}
	for _, tt := range tests {
		if got := Line(tt.text); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.text, got, tt.want)
		}
	}
}

// TestEscaperKeepsNothingBack writes as a person would see it: only what may yet change its meaning has to wait.
func TestEscaperKeepsNothingBack(t *testing.T) {
	var out strings.Builder
	e := Writer{w: &out}
	for _, step := range []struct{ write, shown string }{
		{"a", "a"}, {"b\xc3", "ab"}, {"\xbc", "abü"}, {"\r", "abü"}, {"\n", "abü\n"}, {"\xff", "abü\n" + `\xff`},
	} {
		if n, err := e.Write([]byte(step.write)); n != len(step.write) || err != nil {
			t.Errorf("writing %q: %d, %v", step.write, n, err)
		}
		if out.String() != step.shown {
			t.Errorf("after %q: shown %q, want %q", step.write, out.String(), step.shown)
		}
	}
}

var errClosedOutput = errors.New("output is closed")

type closedOutput struct{}

func (closedOutput) Write([]byte) (int, error) { return 0, errClosedOutput }

func TestEscaperReportsTheOutput(t *testing.T) {
	e := Writer{w: closedOutput{}}
	if n, err := e.Write([]byte("a\r")); n != 0 || err != errClosedOutput {
		t.Errorf("Write: got %d, %v", n, err)
	}
	if err := e.Close(); err != errClosedOutput {
		t.Errorf("Close: got %v", err)
	}
}

// FuzzEscaper writes text in pieces of the sizes that cuts gives.
func FuzzEscaper(f *testing.F) {
	for _, text := range []string{"hello\r\n", "\x1b[2J\a", "\u009b\u202e\u2028", "🙂\xf0\x9f", "\r\r\n\r", "\r\xc3", "\xff\xc0\x8a\uFFFD", "a\tb\x00"} {
		f.Add([]byte(text), []byte{1})
		f.Add([]byte(text), []byte{2, 0, 1})
	}
	f.Fuzz(func(t *testing.T, text, cuts []byte) {
		got := escape(t, pieces(string(text), cuts)...)
		want := Text(strings.ReplaceAll(string(text), "\r\n", "\n"))
		if got != want {
			t.Errorf("%q cut by %v: got %q, want %q as in one piece", text, cuts, got, want)
		}
		if !utf8.ValidString(got) {
			t.Errorf("%q: %q is no UTF-8", text, got)
		}
		for _, r := range got {
			if unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) {
				t.Errorf("%q: %q has %U", text, got, r)
			}
		}
	})
}

// escape returns what is shown of pieces, each one write.
func escape(t *testing.T, pieces ...string) string {
	t.Helper()
	var out strings.Builder
	e := Writer{w: &out}
	for _, p := range pieces {
		if n, err := e.Write([]byte(p)); n != len(p) || err != nil {
			t.Errorf("writing %q: %d, %v", p, n, err)
		}
	}
	if err := e.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	return out.String()
}

// pieces cuts text into parts of at most so many bytes; the last part is all that is left.
func pieces(text string, sizes []byte) []string {
	var parts []string
	for _, size := range sizes {
		n := min(int(size), len(text))
		parts = append(parts, text[:n])
		text = text[n:]
	}
	return append(parts, text)
}
