package service_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"parley"
	"parley/service"
)

// Whatever one caller says, in whatever pieces, the other hears only whole lines of text, each headed as his or a notice of
// the server; and the server sees the same.
func FuzzChat(f *testing.F) {
	for _, said := range []string{
		"hello\n[2 guest2] no\n* no\n", "\r\n\r\r\n", "/name x\x1b[2J\n/name ann\nhi", "/join a\nx\n/join lobby\ny\n//z\n", "\xff\xfe\x00\u202e\u2028\n", "/quit\nlate\n",
	} {
		f.Add([]byte(said), uint8(3))
	}
	f.Fuzz(func(t *testing.T, said []byte, cut uint8) {
		onParty(t, new(service.Chat), parley.Config{MaxFrame: 1000}, func(p *party) {
			a := p.come()
			b := p.come()
			p.heard(a)
			at := min(int(cut), len(said))
			for _, piece := range [][]byte{said[:at], said[at:]} {
				_, _ = a.Write(piece)
			}
			_ = a.CloseWrite()
			name := "guest1"
			for _, line := range p.heard(b) {
				checkLine(t, line)
				if renamed, ok := strings.CutPrefix(line, "* 1 "+name+" is now "); ok {
					name = renamed
				}
				if !strings.HasPrefix(line, "* 1 "+name+" ") && !strings.HasPrefix(line, "[1 "+name+"] ") && !strings.HasSuffix(line, " is now "+name) {
					t.Errorf("heard %q, headed by another than [1 %s]", line, name)
				}
			}
			for _, line := range p.seen {
				checkLine(t, line)
			}
		})
	})
}

// checkLine fails unless line is one line of harmless text.
func checkLine(t *testing.T, line string) {
	t.Helper()
	if !utf8.ValidString(line) {
		t.Errorf("heard %q, which is no UTF-8", line)
	}
	for _, r := range line {
		if r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029') {
			t.Errorf("heard %q, with %U", line, r)
		}
	}
}
