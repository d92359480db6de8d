package transcript

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDataAsTextOrBase64(t *testing.T) {
	tests := []struct{ data, want string }{
		{"", `"text":""`},
		{"plain", `"text":"plain"`},
		{"a\tb\r\n", `"text":"a\tb\r\n"`},
		{`say "no\"`, `"text":"say \"no\\\""`},
		{"<a href='x'>&", `"text":"<a href='x'>&"`},
		{"grüße 日本 😀", `"text":"grüße 日本 😀"`},
		{"\u00a0\uffff\ufffd", "\"text\":\"\u00a0\uffff\ufffd\""},
		{"a\u2028b\u2029c", `"text":"a\u2028b\u2029c"`},
		{"\x00", `"b64":"AA=="`},
		{"\x1b[2J", `"b64":"G1sySg=="`},
		{"a\x7f", `"b64":"YX8="`},
		{"\u0080", `"b64":"woA="`},
		{"\u009f", `"b64":"wp8="`},
		{"\xff\xfe", `"b64":"//4="`},
		{"cut \xe6\x97", `"b64":"Y3V0IOaX"`},
		{"\xed\xa0\x80", `"b64":"7aCA"`}, // a surrogate
	}
	for _, tt := range tests {
		if got := string(appendData(nil, []byte(tt.data))); got != ","+tt.want {
			t.Errorf("%q: got %s, want ,%s", tt.data, got, tt.want)
		}
	}
}

func TestQuoted(t *testing.T) {
	tests := []struct{ s, want string }{
		{"", `""`},
		{"client", `"client"`},
		{"\x00\x1b\x7f\u0085", `"\u0000\u001b\u007f\u0085"`},
		{"a\xffb\xe6\x97", "\"a\ufffdb\ufffd\ufffd\""},
		{"\U0010ffff", "\"\U0010ffff\""},
	}
	for _, tt := range tests {
		if got := string(appendQuoted(nil, tt.s)); strings.ReplaceAll(got, `\ufffd`, "\ufffd") != tt.want {
			t.Errorf("%q: got %s, want %s", tt.s, got, tt.want)
		}
	}
}

// Names come from strangers' programs and files, and must not reach a terminal as commands.
func TestNoControlCharacterInAnyLine(t *testing.T) {
	const bad = "a\x00\x1b\x7f\u009b\u2028\xff"
	lines := []Line{
		Hello{Program: bad, Verb: bad, Address: []string{bad}},
		Opened{Ends: []End{{Role: bad, Addr: bad, Name: bad}}, Formats: map[string]string{bad: bad}, Script: bad},
		Frame{Role: bad, Data: []byte(bad), End: bad, By: bad},
		HalfClosed{Role: bad},
		Closed{Role: bad, How: bad},
		Lost{Why: bad},
		Verdict{Code: bad, Confidence: bad, Says: bad, Facts: json.RawMessage("{ \"\x7f\u009b\u2028\xff\" : 1 }")},
		Violation{Role: bad, Allowed: []Allowed{{Text: bad}}},
	}
	for _, l := range lines {
		text := strings.TrimSuffix(written(t, l), "\n")
		if !utf8.ValidString(text) || strings.ContainsFunc(text, mustEscape) || !json.Valid([]byte(text)) {
			t.Errorf("%T: %q", l, text)
		}
	}
}

func FuzzText(f *testing.F) {
	for _, seed := range []string{"", "plain", "\x00", "a\"\\\t\r\n", "\u2028\u0085\x7f", "\xff", "日本\xe6\x97", "\u00a0"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		text := written(t, Frame{Data: data, Role: string(data)})
		lines, errs := readAll(text)
		if len(errs) > 0 || len(lines) != 1 {
			t.Fatalf("%s: read %d lines, errors %v", text, len(lines), errs)
		}
		got := lines[0].(Frame)
		if !bytes.Equal(got.Data, data) {
			t.Errorf("%q came back as %q", data, got.Data)
		}
		if want := strings.ToValidUTF8(string(data), ""); strings.ReplaceAll(got.Role, "\ufffd", "") != strings.ReplaceAll(want, "\ufffd", "") {
			t.Errorf("role %q came back as %q", data, got.Role)
		}
		if line := strings.TrimSuffix(text, "\n"); strings.ContainsFunc(line, mustEscape) || !utf8.ValidString(line) {
			t.Errorf("%q is not safe to print", line)
		}
		if hasText := strings.Contains(text, `"text":`); hasText != wantText(data) {
			t.Errorf("%q: text is %v, want %v", data, hasText, wantText(data))
		}
	})
}

// wantText is isText again, in the words of the format.
func wantText(data []byte) bool {
	return utf8.Valid(data) && !strings.ContainsFunc(string(data), func(r rune) bool {
		return r != '\t' && r != '\r' && r != '\n' && isControl(r)
	})
}
