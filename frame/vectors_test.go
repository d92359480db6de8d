package frame

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// A vector is one line of testdata/vectors.txt.
type vector struct {
	format Format
	line   int
	verb   string
	args   []string
	at     int // of refuses, size and malformed
}

func (v vector) name() string { return fmt.Sprintf("%d: %s %s %q", v.line, v.format, v.verb, v.args) }

// vectors reads testdata/vectors.txt.
func vectors(t testing.TB) []vector {
	t.Helper()
	text, err := os.ReadFile("testdata/vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	var list []vector
	var format Format
	for i, line := range strings.Split(string(text), "\n") {
		verb, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "" || line[0] == '#':
		case verb == "format":
			if format, err = Parse(rest); err != nil {
				t.Fatalf("vectors.txt:%d: %v", i+1, err)
			}
		default:
			list = append(list, parseVector(t, vector{format: format, line: i + 1, verb: verb}, rest))
		}
	}
	return list
}

func parseVector(t testing.TB, v vector, rest string) vector {
	t.Helper()
	words, err := split(rest)
	for _, w := range words {
		if w[0] == '"' {
			text, _ := strconv.Unquote(w)
			v.args = append(v.args, text)
		} else {
			v.at, err = strconv.Atoi(w)
		}
	}
	want := map[string]int{"both": 2, "says": 2, "hears": 2, "waits": 1, "refuses": 1, "size": 1, "malformed": 1}
	if err != nil || len(v.args) != want[v.verb] {
		t.Fatalf("vectors.txt:%d: cannot read %q", v.line, rest)
	}
	return v
}

// formats returns each format of the vectors once.
func formats(t testing.TB) []Format {
	t.Helper()
	var list []Format
	seen := map[Format]bool{}
	for _, v := range vectors(t) {
		if !seen[v.format] {
			seen[v.format] = true
			list = append(list, v.format)
		}
	}
	return list
}

func TestVectors(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.name(), func(t *testing.T) {
			switch v.verb {
			case "both":
				checkSays(t, v.format, v.args[0], v.args[1])
				checkHears(t, v.format, v.args[1], v.args[0])
			case "says":
				checkSays(t, v.format, v.args[0], v.args[1])
			case "hears":
				checkHears(t, v.format, v.args[0], v.args[1])
			case "waits":
				checkWaits(t, v.format, v.args[0])
			case "refuses":
				checkRefuses(t, v.format, v.args[0], v.at, ErrContainsEnd)
			case "size":
				checkRefuses(t, v.format, v.args[0], v.at, ErrWrongSize)
			case "malformed":
				checkMalformed(t, v.format, v.args[0], v.at)
			}
		})
	}
}

func checkSays(t *testing.T, f Format, text, wire string) {
	t.Helper()
	got, err := f.Append([]byte("before"), []byte(text))
	if err != nil || string(got) != "before"+wire {
		t.Errorf("Append(before, %q) = %q, %v; want %q", text, got, err, "before"+wire)
	}
}

// checkHears hears wire whole, with more after it, and in pieces.
func checkHears(t *testing.T, f Format, wire, text string) {
	t.Helper()
	check := func(how string, got []byte, size int, err error) {
		t.Helper()
		if err != nil || got == nil || string(got) != text || size != len(wire) {
			t.Errorf("%s: Scan(%q) = %q, %d, %v; want %q, %d", how, wire, got, size, err, text, len(wire))
		}
	}
	got, size, err := f.Scan([]byte(wire), 0, true)
	check("at the end of the stream", got, size, err)
	if f == UntilClose() || f == Packet() || f == Any() {
		return
	}
	got, size, err = f.Scan([]byte(wire), 0, false)
	check("whole", got, size, err)
	for _, more := range []string{"x", "\n", "\r\n", wire} {
		data := []byte(wire + more)
		got, size, err = f.Scan(data, 0, false)
		check("with more after it", got, size, err)
		if string(data[len(wire):]) != more {
			t.Errorf("Scan rewrote what comes after the frame: %q", data[len(wire):])
		}
	}
	for cut := range len(wire) {
		if got, size, err := f.Scan([]byte(wire[:cut]), 0, false); got != nil || err != nil || size != 0 && size != len(wire) {
			t.Errorf("Scan(%q) = %q, %d, %v; want no frame and size 0 or %d", wire[:cut], got, size, err, len(wire))
		}
		got, size, err = f.Scan([]byte(wire), cut, false)
		check(fmt.Sprint("after ", cut), got, size, err)
	}
	got, size, err = scanBytewise(f, wire)
	check("byte by byte", got, size, err)
}

// scanBytewise gives f one byte more at a time.
func scanBytewise(f Format, wire string) (text []byte, size int, err error) {
	data := make([]byte, 0, len(wire))
	text, size, err = f.Scan(data, 0, false)
	for i := 0; i < len(wire) && text == nil && err == nil; i++ {
		data = append(data, wire[i])
		text, size, err = f.Scan(data, i, false)
	}
	return text, size, err
}

func checkWaits(t *testing.T, f Format, wire string) {
	t.Helper()
	for _, atEOF := range []bool{false, true} {
		text, size, err := f.Scan([]byte(wire), 0, atEOF)
		if text != nil || err != nil || size != 0 && size <= len(wire) {
			t.Errorf("Scan(%q, 0, %t) = %q, %d, %v; want no frame yet", wire, atEOF, text, size, err)
		}
	}
	if text, _, err := scanBytewise(f, wire); text != nil || err != nil {
		t.Errorf("byte by byte: Scan(%q) = %q, %v; want no frame yet", wire, text, err)
	}
	if n, err := Whole(f, []byte(wire), 0, 0); n != 0 || err != nil {
		if f != Any() {
			t.Errorf("Whole(%q) = %d, %v; want 0", wire, n, err)
		}
	}
}

func checkRefuses(t *testing.T, f Format, text string, at int, kind error) {
	t.Helper()
	dst := []byte("before")
	got, err := f.Append(dst, []byte(text))
	var refused *TextError
	if !errors.As(err, &refused) || !errors.Is(err, kind) || refused.At != at || refused.Format != f.String() {
		t.Errorf("Append(%q) = %v; want %v at byte %d", text, err, kind, at)
	}
	if !bytes.Equal(got, dst) {
		t.Errorf("Append(%q) returned %q, not dst", text, got)
	}
}

func checkMalformed(t *testing.T, f Format, wire string, at int) {
	t.Helper()
	check := func(how string, text []byte, err error) {
		t.Helper()
		var syntax *SyntaxError
		if text != nil || !errors.As(err, &syntax) || !errors.Is(err, ErrMalformed) {
			t.Fatalf("%s: Scan(%q) = %q, %v; want it malformed", how, wire, text, err)
		}
		if syntax.At != at || syntax.Format != f.String() || !bytes.HasPrefix([]byte(wire[at:]), syntax.Found) {
			t.Errorf("%s: Scan(%q): %v; want it at byte %d", how, wire, err, at)
		}
	}
	text, _, err := f.Scan([]byte(wire), 0, false)
	check("whole", text, err)
	text, _, err = scanBytewise(f, wire)
	check("byte by byte", text, err)
}

// TestExamplesOfHelp checks that the wire forms that Formats shows are right.
func TestExamplesOfHelp(t *testing.T) {
	said := map[string][2]string{
		`line`:                  {`line`, "hello"},
		`lf`:                    {`lf`, "hello"},
		`crlf`:                  {`crlf`, "hello"},
		`[eol] blank line`:      {`crlf blank line`, "GET / HTTP/1.0"},
		`[eol] 2 blank lines`:   {`2 blank lines`, "one\n\ntwo"},
		`[eol] end "TEXT"`:      {`end "END REQUEST"`, "name"},
		`[eol] end "." stuffed`: {`crlf end "." stuffed`, "hi\n."},
		`until "TEXT"`:          {`until "--"`, "hello"},
		`N bytes`:               {`5 bytes`, "hello"},
		`N bytes then crlf`:     {`5 bytes then crlf`, "hello"},
		`u16 [little]`:          {`u16`, "hello"},
		`u32 [little]`:          {`u32`, "hello"},
		`u64 [little]`:          {`u64`, "hello"},
	}
	for _, h := range Formats() {
		example, ok := said[h.Syntax]
		if !ok {
			example = [2]string{h.Syntax, "hello"}
		}
		f, err := Parse(example[0])
		if err != nil {
			t.Errorf("Formats lists %s, but: %v", h.Syntax, err)
			continue
		}
		want, err := strconv.Unquote(`"` + h.Wire + `"`)
		if err != nil {
			t.Errorf("the example of %s, %s, is not a Go string: %v", h.Syntax, h.Wire, err)
		}
		checkSays(t, f, example[1], want)
		if h.Summary == "" {
			t.Errorf("%s has no summary", h.Syntax)
		}
	}
}
