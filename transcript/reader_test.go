package transcript

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

const (
	ts     = `"ts":"2026-03-01T10:12:07.200450Z"`
	closed = `{"v":1,"t":"closed",` + ts + `,"call":1}`
)

func TestReadsOn(t *testing.T) {
	tests := []struct {
		name, text string
		lines      int
		errs       []string
	}{
		{"nothing", "", 0, nil},
		{"blank lines", "\n  \r\n" + closed + "\r\n\n", 1, nil},
		{"unknown kind", `{"v":1,"t":"sang",` + ts + `,"n":"la","call":{}}` + "\n" + closed + "\n", 1, nil},
		{"unknown key", `{"v":1,"t":"closed",` + ts + `,"mood":[{"a":null}]}` + "\n", 1, nil},
		{"keys in another order", `{"call":1,` + ts + `,"t":"closed","v":1.0}` + "\n", 1, nil},
		{"second hello", `{"v":1,"t":"hello",` + ts + `}` + "\n" + closed + "\n" + `{"v":1,"t":"hello",` + ts + `}` + "\n", 3, nil},
		{"cut last line", closed + "\n" + closed[:20], 1, []string{"line 2: cut off after 20 bytes"}},
		{"no newline at the end", closed + "\n" + closed, 2, nil},
		{"blanks at the end", closed + "\n  ", 1, nil},
		{"malformed middle", closed + "\n" + closed[:20] + "\n" + closed + "\n", 2, []string{"line 2: not JSON: unexpected end"}},
		{"two on a line", closed + closed + "\n" + closed + "\n", 1, []string{"line 1: not JSON"}},
		{"not an object", "[1]\n7\nnull\n" + closed + "\n", 1, []string{
			"line 1: a JSON array, and not an object", "line 2: a JSON number", `line 3: no key "v"`}},
		{"version 2", `{"v":2,"t":{},"ts":0}` + "\n" + closed + "\n", 1, []string{`line 1: version "2": this reader`}},
		{"version null", `{"v":null,"t":"closed",` + ts + `}` + "\n", 0, []string{`version "null"`}},
		{"no version", `{"t":"closed",` + ts + `}` + "\n", 0, []string{`no key "v"`}},
		{"no time", `{"v":1,"t":"closed"}` + "\n", 0, []string{`key "ts": "" is not an RFC 3339 time`}},
		{"time out of range", `{"v":1,"t":"closed","ts":"0000-01-01T00:00:00+01:00"}` + "\n", 0, []string{`its year`}},
		{"not UTF-8", `{"v":1,"t":"said",` + ts + `,"bytes":1,"text":"` + "\xff" + `"}` + "\n", 0, []string{"not UTF-8"}},
		{"wrong type", `{"v":1,"t":"closed",` + ts + `,"call":"x"}` + "\n", 0, []string{`key "call" cannot hold a JSON string`}},
		{"wrong type within", `{"v":1,"t":"opened",` + ts + `,"ends":[{"pid":"x"}]}` + "\n", 0, []string{`pid" cannot hold a JSON string`}},
		{"wrong facts", `{"v":1,"t":"verdict",` + ts + `,"since":"noon"}` + "\n", 0, []string{`"noon" is not an RFC 3339 time`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { checkRead(t, tt.text, tt.lines, tt.errs) })
	}
}

func TestReadMessages(t *testing.T) {
	tests := []struct {
		name, keys string
		err        string
	}{
		{"text", `"bytes":2,"text":"a"`, ""},
		{"text with what a parley would write as base64", `"bytes":2,"text":"\u0000"`, ""},
		{"base64", `"bytes":2,"b64":"AA=="`, ""},
		{"nothing kept", `"bytes":2,"kept":0,"text":""`, ""},
		{"both", `"bytes":2,"text":"a","b64":"AA=="`, `one of the keys "text" and "b64"`},
		{"neither", `"bytes":2`, `one of the keys "text" and "b64"`},
		{"null", `"bytes":2,"text":null`, `one of the keys "text" and "b64"`},
		{"no bytes", `"text":"a"`, `no key "bytes"`},
		{"kept is wrong", `"bytes":9,"kept":3,"text":"a"`, `key "kept" says 3, but 1 bytes are there`},
		{"base64 is wrong", `"bytes":9,"b64":"AA"`, `key "b64" is not base64`},
		{"base64 is a list", `"bytes":9,"b64":[1,2]`, `key "b64" cannot hold a JSON array`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := `{"v":1,"t":"said",` + ts + `,` + tt.keys + "}\n"
			if tt.err == "" {
				checkRead(t, text, 1, nil)
			} else {
				checkRead(t, text, 0, []string{tt.err})
			}
		})
	}
}

// checkRead wants so many lines, and errors that contain want.
func checkRead(t *testing.T, text string, count int, want []string) {
	t.Helper()
	lines, errs := readAll(text)
	if len(lines) != count || len(errs) != len(want) {
		t.Fatalf("read %d lines, errors %v; want %d lines, errors %q", len(lines), errs, count, want)
	}
	for i, err := range errs {
		if !strings.Contains(err.Error(), want[i]) {
			t.Errorf("error %q, want %q", err, want[i])
		}
	}
}

// A stranger may write times in its own zone, and finer than a transcript holds.
func TestReadsTimesOfStrangers(t *testing.T) {
	lines, errs := readAll(`{"v":1,"t":"closed","ts":"2026-03-01T12:12:07.200450999+02:00"}`)
	want := []Line{Closed{Time: at("10:12:07.20045")}}
	if len(errs) > 0 || !reflect.DeepEqual(lines, want) {
		t.Errorf("read %v, errors %v; want %v", lines, errs, want)
	}
}

func TestErrorsCanBeFound(t *testing.T) {
	_, errs := readAll(`{"v":7}` + "\n" + closed[:9])
	if len(errs) != 2 {
		t.Fatalf("errors %v, want two", errs)
	}
	if line, ok := errors.AsType[*LineError](errs[0]); !ok || line.Line != 1 || !errors.Is(errs[0], ErrVersion) {
		t.Errorf("error %v, want a LineError of line 1 with ErrVersion", errs[0])
	}
	if cut, ok := errors.AsType[*CutError](errs[1]); !ok || cut.Line != 2 || cut.Bytes != 9 {
		t.Errorf("error %v, want a CutError of line 2 and 9 bytes", errs[1])
	}
}

func TestLongLines(t *testing.T) {
	pad := strings.Repeat(" ", 100)
	tests := []struct {
		name       string
		max        int
		text       string
		lines, bad int
	}{
		{"just fits", len(closed), closed + "\n" + closed + "\n", 2, 0},
		{"one too long", len(closed), closed + " \n" + closed + "\n", 1, 1},
		{"longer than the buffer", len(closed), strings.Repeat("x", 200<<10) + "\n" + closed + "\n", 1, 1},
		{"never ends", len(closed), closed + "\n" + strings.Repeat("x", 200<<10), 1, 1},
		{"no limit", -1, closed + pad + "\n", 1, 0},
		{"default", 0, closed + strings.Repeat(" ", defaultMaxLine) + "\n" + closed + "\n", 1, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := NewReader(strings.NewReader(tt.text))
			r.MaxLine = tt.max
			lines, bad := 0, 0
			for _, err := range r.Lines() {
				if err == nil {
					lines++
				} else if errors.Is(err, ErrTooLong) {
					bad++
				} else {
					t.Error(err)
				}
			}
			if lines != tt.lines || bad != tt.bad {
				t.Errorf("%d lines and %d too long, want %d and %d", lines, bad, tt.lines, tt.bad)
			}
			if tt.max > 0 && cap(r.buf) > 2*tt.max {
				t.Errorf("the reader holds %d bytes for a limit of %d", cap(r.buf), tt.max)
			}
		})
	}
}

func TestReaderFails(t *testing.T) {
	broken := errors.New("pulled out")
	in := io.MultiReader(strings.NewReader(closed+"\n"+closed[:9]), iotest.ErrReader(broken))
	lines, errs := 0, 0
	for _, err := range NewReader(in).Lines() {
		if err == nil {
			lines++
			continue
		}
		errs++
		if !errors.Is(err, broken) || !strings.Contains(err.Error(), "after line 1") {
			t.Errorf("error %v, want %v after line 1", err, broken)
		}
	}
	if lines != 1 || errs != 1 {
		t.Errorf("%d lines and %d errors, want 1 and 1", lines, errs)
	}
}

func TestLinesAreTakenUpAgain(t *testing.T) {
	r := NewReader(iotest.OneByteReader(strings.NewReader(closed + "\nx\n" + closed + "\n")))
	for i, want := range []string{"", "line 2", ""} {
		for _, err := range r.Lines() {
			if got := fmt.Sprint(err); want == "" && err != nil || !strings.Contains(got, want) {
				t.Errorf("step %d: error %v, want %q", i, err, want)
			}
			break
		}
	}
	for l := range r.Lines() {
		t.Errorf("one line too many: %v", l)
	}
}

// Data must not change when the next line is read.
func TestDataBelongsToTheCaller(t *testing.T) {
	lines, errs := readAll(written(t, golden...) + written(t, golden...))
	if len(errs) > 0 || !reflect.DeepEqual(lines, append(golden[:len(golden):len(golden)], golden...)) {
		t.Errorf("read %v, errors %v", lines, errs)
	}
}

func FuzzReader(f *testing.F) {
	for _, l := range golden {
		f.Add([]byte(written(f, l)))
	}
	f.Add([]byte(written(f, golden...)))
	f.Add([]byte(closed[:20]))
	f.Add([]byte(`{"v":1,"t":"verdict",` + ts + `,"facts":{ "a" : "` + "\u0085\u2028" + `" }}`))
	f.Add([]byte(`{"v":2}` + "\n" + `{"v":1,"t":"sang",` + ts + `}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		lines, _ := readAll(string(text))
		again, errs := readAll(written(t, lines...))
		if len(errs) > 0 || len(again) != len(lines) {
			t.Fatalf("%q: %d lines were read again as %d, errors %v", text, len(lines), len(again), errs)
		}
		for i := range lines {
			// %+v, because it shows an empty list and a missing one alike, as the format does.
			if a, b := fmt.Sprintf("%T %+v", lines[i], lines[i]), fmt.Sprintf("%T %+v", again[i], again[i]); a != b {
				t.Errorf("line %d\n    read %s\nand then %s", i+1, a, b)
			}
		}
	})
}
