package frame

import (
	"fmt"
	"math"
)

// maxCount is the largest N of `N bytes`: an int on every system.
const maxCount = math.MaxInt32

// countFormat is `N bytes`, with or without a mark that must follow them.
type countFormat struct {
	n    int
	then mark // the zero mark if nothing follows
}

func (f countFormat) String() string {
	s := fmt.Sprintf("%d bytes", f.n)
	if f.then != (mark{}) {
		s += " then " + f.then.String()
	}
	return s
}

func (f countFormat) End() string {
	s := fmt.Sprintf("%d bytes", f.n)
	if f.n == 1 {
		s = "1 byte"
	}
	if f.then != (mark{}) {
		s += " and then " + f.then.words()
	}
	return s
}

func (f countFormat) Append(dst, text []byte) ([]byte, error) {
	if len(text) != f.n {
		why := fmt.Sprintf("%d bytes, it must have exactly %d", len(text), f.n)
		return dst, &TextError{Format: f.String(), At: min(len(text), f.n), Why: why, Err: ErrWrongSize}
	}
	dst = append(dst, text...)
	return append(dst, f.then.text...), nil
}

func (f countFormat) Scan(data []byte, seen int, atEOF bool) ([]byte, int, error) {
	s, err := f.find(data, seen, atEOF)
	if err != nil {
		return nil, 0, err
	}
	return s.text(data)
}

func (f countFormat) find(data []byte, _ int, _ bool) (span, error) {
	after := data[min(f.n, len(data)):]
	want := f.then.text
	if f.then.name == "line" {
		if len(after) == 0 {
			return span{}, nil // with LF or CRLF: the size is not known yet
		}
		if after[0] == '\r' {
			want = "\r\n"
		}
	}
	for i := range min(len(after), len(want)) {
		if after[i] != want[i] {
			return span{}, malformed(f, data, f.n, f.then.words()+" after "+countFormat{n: f.n}.End())
		}
	}
	size := f.n + len(want)
	return span{to: f.n, size: size, whole: len(data) >= size}, nil
}
