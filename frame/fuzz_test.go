package frame

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func FuzzParse(f *testing.F) {
	for _, format := range formats(f) {
		f.Add(format.String())
	}
	f.Add(`line end "a\x00\u00e9" stuffed`)
	f.Add("2147483648 bytes then lf")
	f.Fuzz(func(t *testing.T, s string) {
		format, err := Parse(s)
		if err != nil {
			if format != nil || err.Error() == "" {
				t.Fatalf("Parse(%q) = %v, %v", s, format, err)
			}
			return
		}
		again, err := Parse(format.String())
		if err != nil || again != format {
			t.Fatalf("Parse(%q) = %s, but Parse of that = %v, %v", s, format, again, err)
		}
		if format.End() == "" {
			t.Fatalf("%s has no End", format)
		}
	})
}

// canonical is the text that is heard when text is said in f.
func canonical(f Format, text string) string {
	lines, ok := f.(linesFormat)
	if !ok || text == "" {
		return text
	}
	if lines.eol != eolLF {
		text = strings.ReplaceAll(text, "\r\n", "\n")
	}
	text = strings.TrimSuffix(text, "\n") + "\n"
	if text == "\n" || strings.HasSuffix(text, "\n\n") {
		return text
	}
	return strings.TrimSuffix(text, "\n")
}

func FuzzRoundTrip(f *testing.F) {
	list := formats(f)
	for i, v := range vectors(f) {
		f.Add([]byte(v.args[0]), uint(i), "x")
	}
	f.Fuzz(func(t *testing.T, text []byte, cut uint, mark string) {
		own := []Format{}
		if mark != "" {
			own = append(own, untilFormat{markOf(mark)}, countFormat{n: len(text), then: markOf(mark)})
		}
		for _, format := range append(own, list...) {
			roundTrip(t, format, text, cut)
		}
	})
}

func markOf(text string) mark { return mark{text: text} }

// roundTrip says text and hears it whole and in two pieces.
func roundTrip(t *testing.T, f Format, text []byte, cut uint) {
	wire, err := f.Append(nil, text)
	if err != nil {
		if !errors.Is(err, ErrContainsEnd) && !errors.Is(err, ErrWrongSize) {
			t.Fatalf("%s: Append(%q): %v", f, text, err)
		}
		return
	}
	if f == Any() && len(text) == 0 {
		return // nothing is said, so nothing is heard
	}
	want := canonical(f, string(text))
	heard, size, err := f.Scan(bytes.Clone(wire), 0, true)
	if err != nil || heard == nil || string(heard) != want || size != len(wire) {
		t.Fatalf("%s: %q is said as %q and heard as %q, size %d, %v", f, text, wire, heard, size, err)
	}
	if again, err := f.Append(nil, heard); err != nil || !bytes.Equal(again, wire) {
		t.Fatalf("%s: %q is said as %q, what is heard of it as %q, %v", f, text, wire, again, err)
	}
	if len(wire) == 0 || f == Packet() || f == Any() {
		return
	}
	first := int(cut % uint(len(wire)))
	if heard, size, err := f.Scan(bytes.Clone(wire[:first]), 0, false); heard != nil || err != nil || size != 0 && size != len(wire) {
		t.Fatalf("%s: the first %d bytes of %q are heard as %q, size %d, %v", f, first, wire, heard, size, err)
	}
	if heard, size, err := f.Scan(bytes.Clone(wire), first, true); err != nil || string(heard) != want || size != len(wire) {
		t.Fatalf("%s: after %d bytes %q is heard as %q, size %d, %v", f, first, wire, heard, size, err)
	}
}

func FuzzScan(f *testing.F) {
	list := formats(f)
	for i, v := range vectors(f) {
		f.Add([]byte(v.args[len(v.args)-1]), i, i%7)
		f.Add([]byte(v.args[0]), i, 0)
	}
	f.Fuzz(func(t *testing.T, data []byte, seen, limit int) {
		for _, format := range list {
			scanAnything(t, format, data, seen)
			wholeOfAnything(t, format, data, limit)
			wholeAfterScan(t, format, data, seen, limit)
		}
	})
}

func scanAnything(t *testing.T, f Format, data []byte, seen int) {
	text, size, err := f.Scan(bytes.Clone(data), 0, false)
	switch {
	case size < 0, text != nil && size > len(data), text == nil && size > 0 && size <= len(data):
		t.Fatalf("%s: Scan(%q) = %q, %d, %v", f, data, text, size, err)
	case err != nil && (text != nil || size != 0 || !errors.Is(err, ErrMalformed)):
		t.Fatalf("%s: Scan(%q) = %q, %d, %v", f, data, text, size, err)
	}
	f.Scan(bytes.Clone(data), seen, true) // a wrong seen gives wrong frames, but no panic
	if f == Packet() || f == Any() {
		return
	}
	piece, pieceSize, pieceErr := scanBytewise(f, string(data))
	if !bytes.Equal(piece, text) || (piece == nil) != (text == nil) || pieceSize != size || (pieceErr == nil) != (err == nil) {
		t.Fatalf("%s: Scan(%q) = %q, %d, %v; byte by byte %q, %d, %v", f, data, text, size, err, piece, pieceSize, pieceErr)
	}
}

func wholeOfAnything(t *testing.T, f Format, data []byte, limit int) {
	before := bytes.Clone(data)
	n, err := Whole(f, data, 0, 0)
	if !bytes.Equal(data, before) {
		t.Fatalf("%s: Whole rewrote %q to %q", f, before, data)
	}
	if want, wantErr := wholeByScan(f, data); n != want || (err == nil) != (wantErr == nil) {
		t.Fatalf("%s: Whole(%q) = %d, %v; by Scan %d, %v", f, data, n, err, want, wantErr)
	}
	limited, err := Whole(f, data, 0, limit)
	if limited > n || limit <= 0 && limited != n {
		t.Fatalf("%s: Whole(%q, limit %d) = %d, %v; without a limit %d", f, data, limit, limited, err, n)
	}
	var long *TooLongError
	if errors.As(err, &long) && (long.Size < limit || limited < n && long.Size <= limit) {
		t.Fatalf("%s: Whole(%q, limit %d): %v", f, data, limit, err)
	}
	if f != Any() && limit > 0 && err == nil && limited != n {
		t.Fatalf("%s: Whole(%q, limit %d) = %d without an error; without a limit %d", f, data, limit, limited, n)
	}
}

// wholeAfterScan checks that seen changes nothing but the time it takes.
func wholeAfterScan(t *testing.T, f Format, data []byte, seen, limit int) {
	seen = within(seen, data)
	if text, _, _ := f.Scan(bytes.Clone(data[:seen]), 0, false); text != nil {
		return // an end was seen
	}
	want, wantErr := Whole(f, data, 0, limit)
	if n, err := Whole(f, data, seen, limit); n != want || (err == nil) != (wantErr == nil) {
		t.Fatalf("%s: Whole(%q, seen %d, limit %d) = %d, %v; with nothing seen %d, %v", f, data, seen, limit, n, err, want, wantErr)
	}
}
