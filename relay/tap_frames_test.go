package relay

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"parley/frame"
)

func TestCutter(t *testing.T) {
	long := strings.Repeat("x", maxHeld+1)
	for _, test := range []struct {
		name   string
		format frame.Format
		pieces []string
		want   string
	}{
		{"a line in three pieces", frame.Line(), []string{"o", "n", "e\r\n"}, `whole 5 "one"`},
		{"several in a piece", frame.LF(), []string{"a\n\nb\n"}, `whole 2 "a", whole 1 "", whole 2 "b"`},
		{"a mark in two pieces", frame.CRLF(), []string{"a\r", "\nb\r\n"}, `whole 3 "a", whole 3 "b"`},
		{"no end", frame.CRLF(), []string{"a\r\nb", "c"}, `whole 3 "a", part 2 "bc"`},
		{"until close", frame.UntilClose(), []string{"a\n", "b"}, `whole 3 "a\nb"`},
		{"nothing until close", frame.UntilClose(), nil, ``},
		{"any", frame.Any(), []string{"ab", "c"}, `whole 2 "ab", whole 1 "c"`},
		{"of a size", frame.MustParse("3 bytes"), []string{"ab", "cde", "f"}, `whole 3 "abc", whole 3 "def"`},
		{"counted", frame.MustParse("netstring"), []string{"3", ":abc,1:", "d,"}, `whole 6 "abc", whole 4 "d"`},
		{"what is none", frame.MustParse("netstring"), []string{"1:a,", "oh!", "1:a,"}, `whole 4 "a", piece 3 "oh!", piece 4 "1:a,"`},
		{"too long", frame.LF(), []string{"a\n", long, "b\n"}, fmt.Sprintf(`whole 2 "a", part %d %q, piece 2 "b\n"`, len(long), long)},
	} {
		t.Run(test.name, func(t *testing.T) {
			pieces := make([][]byte, len(test.pieces))
			for i, p := range test.pieces {
				pieces[i] = []byte(p)
			}
			if got := strings.Join(cutAll(test.format, pieces), ", "); got != test.want {
				t.Errorf("cut into %.300s, want %.300s", got, test.want)
			}
		})
	}
}

// cutAll returns what a cutter finds. As in a Tap, the pieces are overwritten when it has had them.
func cutAll(f frame.Format, pieces [][]byte) (found []string) {
	k, scratch := cutter{format: f}, []byte(nil)
	note := func(c cut) {
		kind := [...]string{cutWhole: "whole", cutPart: "part", cutPiece: "piece"}[c.kind]
		found = append(found, fmt.Sprintf("%s %d %q", kind, c.size, c.text))
	}
	for _, p := range pieces {
		k.add(p, false, &scratch, note)
		clear(p)
	}
	k.add(nil, true, &scratch, note)
	return found
}

// Nothing is held for long that was needed only once.
func TestCutterMemory(t *testing.T) {
	k, scratch := cutter{format: frame.LF()}, []byte(nil)
	for range 3 {
		k.add(bytes.Repeat([]byte("x"), 100<<10), false, &scratch, func(cut) {})
		k.add([]byte("\nrest"), false, &scratch, func(cut) {})
	}
	if cap(k.held) > keepHeld {
		t.Errorf("%d bytes of memory are held for %d", cap(k.held), len(k.held))
	}
}

// However the same bytes are cut into pieces, the messages are the same.
func FuzzCutter(f *testing.F) {
	formats := []frame.Format{frame.Line(), frame.CRLF(), frame.MustParse("crlf blank line"), frame.MustParse("netstring"), frame.MustParse("3 bytes")}
	f.Add(uint8(0), uint8(1), []byte("one\r\ntwo\nthree"))
	f.Add(uint8(1), uint8(2), []byte("one\r\ntwo\nthree\r\n"))
	f.Add(uint8(3), uint8(1), []byte("3:abc,0:,1:x"))
	f.Fuzz(func(t *testing.T, which, size uint8, data []byte) {
		format := formats[int(which)%len(formats)]
		var pieces [][]byte
		for rest := bytes.Clone(data); len(rest) > 0; {
			n := min(len(rest), 1+int(size))
			pieces = append(pieces, rest[:n:n])
			rest = rest[n:]
		}
		once, cut := cutAll(format, [][]byte{bytes.Clone(data)}), cutAll(format, pieces)
		if !sameMessages(once, cut) {
			t.Errorf("%s: at once %q, in pieces of %d bytes %q", format, once, 1+int(size), cut)
		}
	})
}

// sameMessages compares up to the first piece: what is no message is told as it came.
func sameMessages(a, b []string) bool {
	upTo := func(found []string) string {
		for i, s := range found {
			if strings.HasPrefix(s, "piece") {
				found = found[:i]
				break
			}
		}
		return strings.Join(found, "\n")
	}
	return upTo(a) == upTo(b)
}
