package frame_test

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"parley/frame"
)

// A request that ends with a blank line, as in HTTP/1.0.
func Example() {
	f := frame.MustParse("crlf blank line")
	wire, err := f.Append(nil, []byte("GET / HTTP/1.0\nHost: example.org"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("said:  %q\n", wire)

	text, size, err := f.Scan(wire, 0, false)
	fmt.Printf("heard: %q, %d bytes, %v\n", text, size, err)
	// Output:
	// said:  "GET / HTTP/1.0\r\nHost: example.org\r\n\r\n"
	// heard: "GET / HTTP/1.0\nHost: example.org", 37 bytes, <nil>
}

// What a format cannot carry is an error, not a surprise at the other end.
func ExampleFormat_append() {
	_, err := frame.Line().Append(nil, []byte("two\nlines"))
	fmt.Println(errors.Is(err, frame.ErrContainsEnd))
	var text *frame.TextError
	if errors.As(err, &text) {
		fmt.Println("in the way: byte", text.At)
	}
	// Output:
	// true
	// in the way: byte 3
}

// Frames come in whatever pieces the network makes of them. seen tells Scan
// how much of the frame it need not look at again.
func ExampleFormat_scan() {
	f := frame.MustParse(`end "END REQUEST"`)
	network := slowly{strings.NewReader("name\nage\nEND REQUEST\nheight\nEND REQUEST\n")}

	var data []byte
	seen, piece := 0, make([]byte, 8)
	for {
		n, err := network.Read(piece)
		data = append(data, piece[:n]...)
		for {
			text, size, _ := f.Scan(data, seen, err == io.EOF)
			if text == nil {
				seen = len(data)
				break
			}
			fmt.Printf("%q\n", text)
			data, seen = data[size:], 0
		}
		if err != nil {
			fmt.Printf("%v, %d bytes left\n", err, len(data))
			return
		}
	}
	// Output:
	// "name\nage"
	// "height"
	// EOF, 0 bytes left
}

// slowly is a network that delivers five bytes at a time.
type slowly struct{ r io.Reader }

func (t slowly) Read(p []byte) (int, error) { return t.r.Read(p[:5]) }

func ExampleParse() {
	for _, s := range []string{"line", "2 blank lines", `line end "."`, "5 bytes then crlf", "uint16"} {
		f, err := frame.Parse(s)
		if err != nil {
			message, _, _ := strings.Cut(err.Error(), "?")
			fmt.Println(message + "?")
			continue
		}
		fmt.Printf("%s: waits for %s\n", f, f.End())
	}
	// Output:
	// line: waits for the end of a line
	// 2 blank lines: waits for 2 blank lines
	// end ".": waits for the line "."
	// 5 bytes then crlf: waits for 5 bytes and then a CRLF
	// frame format "uint16": unknown format, did you mean u16?
}

// A relay passes whole frames on without looking at each.
func ExampleWhole() {
	data := []byte("one\ntwo\nthr")
	n, err := frame.Whole(frame.Line(), data, 0, 1<<20)
	fmt.Printf("pass on %q, keep %q, %v\n", data[:n], data[n:], err)

	_, err = frame.Whole(frame.Line(), []byte("a line without an end"), 0, 10)
	fmt.Println(errors.Is(err, frame.ErrTooLong))
	// Output:
	// pass on "one\ntwo\n", keep "thr", <nil>
	// true
}

func ExampleFormats() {
	for _, h := range frame.Formats()[:3] {
		fmt.Printf("%-5s %s\n", h.Syntax, h.Summary)
	}
	// Output:
	// line  a line: says LF, hears LF or CRLF (the default)
	// lf    a line that ends in LF; a CR is part of it
	// crlf  a line that ends in CRLF; a CR or LF alone is part of it
}
