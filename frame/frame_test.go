package frame

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

func TestFunctionsReturnTheFormatsOfTheGrammar(t *testing.T) {
	for s, get := range map[string]func() Format{
		"line": Line, "lf": LF, "crlf": CRLF, "nul": NUL, "packet": Packet, "until close": UntilClose, "any": Any,
	} {
		if f := get(); f != get() || f != MustParse(s) || f.String() != s {
			t.Errorf("%v is not always the format that Parse(%q) returns", f, s)
		}
	}
	if LF() == MustParse(`until "\n"`) {
		t.Error(`lf and until "\n" must differ: they are written differently`)
	}
}

func TestEnd(t *testing.T) {
	for s, want := range map[string]string{
		`line`:                 `the end of a line`,
		`lf`:                   `an LF`,
		`crlf`:                 `a CRLF`,
		`blank line`:           `a blank line`,
		`crlf blank line`:      `a blank line (CRLF only)`,
		`lf 2 blank lines`:     `2 blank lines (LF only)`,
		`2 blank lines`:        `2 blank lines`,
		`end "END REQUEST"`:    `the line "END REQUEST"`,
		`crlf end "." stuffed`: `the line "." (CRLF only)`,
		`nul`:                  `a NUL`,
		`until "--"`:           `the text "--"`,
		`until close`:          `the close`,
		`1 bytes`:              `1 byte`,
		`17 bytes`:             `17 bytes`,
		`17 bytes then crlf`:   `17 bytes and then a CRLF`,
		`17 bytes then line`:   `17 bytes and then the end of a line`,
		`u16 little`:           `all the bytes that its u16 little length announces`,
		`decimal`:              `all the bytes that its decimal length announces`,
		`netstring`:            `all the bytes that its decimal length announces and then ","`,
		`packet`:               `the end of the datagram`,
		`any`:                  `any byte`,
	} {
		if got := MustParse(s).End(); got != want {
			t.Errorf("End of %s is %q, want %q", s, got, want)
		}
	}
}

func TestLengthsThatDoNotFit(t *testing.T) {
	for s, most := range map[string]int{"u8": 255, "u16": 65535, "u16 little": 65535} {
		f := MustParse(s)
		longest := bytes.Repeat([]byte("x"), most)
		wire, err := f.Append(nil, longest)
		if err != nil {
			t.Fatal(err)
		}
		if text, size, err := f.Scan(wire, 0, false); !bytes.Equal(text, longest) || size != len(wire) || err != nil {
			t.Errorf("%s: %d bytes are heard as %d, size %d, %v", s, most, len(text), size, err)
		}
		checkRefuses(t, f, strings.Repeat("x", most+1), most, ErrWrongSize)
	}
}

// The announced size must be right where it nearly does not fit an int.
func TestSizesNearTheLargestInt(t *testing.T) {
	if math.MaxInt != math.MaxInt64 {
		t.Skip("written for ints of 64 bits")
	}
	for s, wire := range map[string]string{
		"u64":        "\x7f\xff\xff\xff\xff\xff\xff\xf7",
		"u64 little": "\xf7\xff\xff\xff\xff\xff\xff\x7f",
		"decimal":    "9223372036854775787 ",
		"netstring":  "9223372036854775786:",
	} {
		text, size, err := MustParse(s).Scan([]byte(wire+"x"), 0, false)
		if text != nil || size != math.MaxInt || err != nil {
			t.Errorf("%s: Scan(%q) = %q, %d, %v; want the size %d", s, wire, text, size, err, math.MaxInt)
		}
		n, err := Whole(MustParse(s), []byte(wire), 0, 1<<20)
		checkTooLong(t, n, err, 0, math.MaxInt)
	}
}

func TestSizeIsKnownBeforeTheFrameIsWhole(t *testing.T) {
	for s, wire := range map[string]string{
		"17 bytes": "", "15 bytes then crlf": "abc", "u8": "\x10", "u16": "\x00\x0fa", "u32 little": "\x0d\x00\x00\x00",
		"decimal": "14 ", "netstring": "13:", "line": "a", "blank line": "a\n", "16 bytes then line": "", "until close": "a",
	} {
		want := 17
		switch s {
		case "line", "blank line", "16 bytes then line", "until close":
			want = 0 // only the end will tell
		}
		if text, size, err := MustParse(s).Scan([]byte(wire), 0, false); text != nil || size != want || err != nil {
			t.Errorf("%s: Scan(%q) = %q, %d, %v; want the size %d", s, wire, text, size, err, want)
		}
	}
}

// What was seen must not be looked at again, or a long frame in small pieces
// takes quadratic time. Here it holds an end that an honest caller would
// never call seen.
func TestSeenIsNotLookedAtAgain(t *testing.T) {
	for s, wire := range map[string]string{
		"line": "a\n", "lf": "a\n", "crlf": "a\r\n", "nul": "a\x00", `until "--"`: "a--",
		"blank line": "a\n\n", "crlf 2 blank lines": "\r\n\r\n", `end "."`: "a\n.\n",
	} {
		f, data := MustParse(s), []byte(wire+"long")
		if text, size, err := f.Scan(data, len(data), false); text != nil || size != 0 || err != nil {
			t.Errorf("%s: Scan(%q, %d) = %q, %d, %v; it looked at what was seen", s, data, len(data), text, size, err)
		}
	}
}

func TestEmptyTextsAreNotNil(t *testing.T) {
	for _, s := range []string{"packet", "until close", "0 bytes"} {
		if text, size, err := MustParse(s).Scan(nil, 0, true); text == nil || size != 0 || err != nil {
			t.Errorf("%s: Scan(nil) = %v, %d, %v; want an empty text", s, text, size, err)
		}
	}
}

// A text that is appended to must not overwrite the frame after it.
func TestTextsEndTheirCapacity(t *testing.T) {
	for _, v := range vectors(t) {
		if v.verb != "both" || v.args[0] == "" {
			continue
		}
		text, _, err := v.format.Scan([]byte(v.args[1]), 0, true)
		if err != nil || cap(text) != len(text) {
			t.Errorf("%s: cap %d, len %d, %v", v.name(), cap(text), len(text), err)
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	list := append(formats(t), MustParse(`until "`+strings.Repeat("long", 20)+`"`), MustParse(`3 bytes then "`+strings.Repeat("long", 20)+`"`))
	texts := [][]byte{[]byte("hello"), []byte("hi"), []byte("abc"), {}}
	for _, f := range list {
		for _, text := range texts {
			wire, err := f.Append(nil, text)
			if err != nil {
				continue
			}
			dst, data := make([]byte, 0, len(wire)), make([]byte, len(wire))
			allocs := testing.AllocsPerRun(10, func() {
				dst, _ = f.Append(dst[:0], text)
				copy(data, wire)
				f.Scan(data, 0, true)
				f.Scan(data[:len(data)/2], 0, false)
				Whole(f, wire, 0, 100)
			})
			if allocs != 0 {
				t.Errorf("%s: %v allocations for %q", f, allocs, text)
			}
		}
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	_, contains := LF().Append(nil, []byte("hello\nworld"))
	_, cr := Line().Append(nil, []byte("hello\r"))
	_, blank := MustParse("blank line").Append(nil, []byte("a\n\nb"))
	_, size := MustParse("u8").Append(nil, make([]byte, 300))
	_, _, syntax := MustParse("netstring").Scan([]byte("GET / HTTP/1.0\r\nHost:"), 0, false)
	_, _, then := MustParse("5 bytes then crlf").Scan([]byte("hello world"), 0, false)
	_, long := Whole(Line(), []byte("hello world"), 0, 5)
	for _, test := range []struct {
		err  error
		want string
	}{
		{contains, `frame lf: the text contains its own end: "\n" at byte 5; split the text there, or use a format with a length, such as u32`},
		{cr, `frame line: the text contains its own end: "\r" before a line end at byte 5; the hearer would take it for a part of the line end; take it away, or use lf`},
		{blank, `frame blank line: the text contains its own end: an empty line at byte 2; use 2 blank lines or end "TEXT", or a format with a length`},
		{size, `frame u8: the text has the wrong size: 300 bytes, a u8 length can say at most 255; use a wider one`},
		{syntax, `frame netstring: malformed frame: expected a digit at byte 0, found "GET / HTTP/1.0\r\n"; check that both ends use the same format`},
		{then, `frame 5 bytes then crlf: malformed frame: expected a CRLF after 5 bytes at byte 5, found " world"; check that both ends use the same format`},
		{long, `frame line: the frame is too long: at least 11 bytes, the limit is 5, it begins with "hello world"; raise the limit, or check that both ends use the same format`},
	} {
		if test.err == nil || test.err.Error() != test.want {
			t.Errorf("got  %v\nwant %s", test.err, test.want)
		}
	}
}
