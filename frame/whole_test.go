package frame

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestWhole(t *testing.T) {
	for _, test := range []struct {
		format, data string
		want         int
	}{
		{"line", "", 0},
		{"line", "a\nb\r\nc", 5},
		{"line", "a\n", 2},
		{"line", "abc", 0},
		{"lf", "a\r\nb", 3},
		{"crlf", "a\r\nb\nc\r", 3},
		{"crlf", "\n\r\n\r\n", 5},
		{"nul", "a\x00b", 2},
		{`until "aa"`, "aaa", 2},
		{`until "aa"`, "aaaa", 4},
		{`until "--"`, "---", 2},
		{`until "ab"`, "xabyabz", 6},
		{"blank line", "a\n\nb\n\n\nc\n", 7},
		{`end "."`, "a\n.\n.\nb\n", 6},
		{"2 bytes", "abcde", 4},
		{"0 bytes", "abc", 0},
		{"u8", "\x01a\x00\x02b", 3},
		{"netstring", "1:a,0:,2:b", 7},
		{"packet", "a\nb", 3},
		{"any", "a\nb", 3},
		{"until close", "a\nb", 0},
	} {
		data := []byte(test.data)
		n, err := Whole(MustParse(test.format), data, 0, 0)
		if n != test.want || err != nil {
			t.Errorf("%s: Whole(%q) = %d, %v; want %d", test.format, test.data, n, err, test.want)
		}
		if string(data) != test.data {
			t.Errorf("%s: Whole rewrote %q to %q", test.format, test.data, data)
		}
	}
}

func TestWholeWithinALimit(t *testing.T) {
	for _, test := range []struct {
		format, data string
		limit        int
		want         int
		size         int // of the frame that is too long; 0 if none is
	}{
		{"line", "abc\nabc\nabc\n", 4, 12, 0},
		{"line", "abc\nabc\nab", 4, 8, 0},
		{"line", "abc\nabc\nabc", 4, 8, 0},
		{"line", "abc\nabc\nabcd", 4, 8, 4},
		{"line", "a\na\na\nabcd\na\n", 4, 6, 5},
		{"line", "\n\n\n\n\n\n\n", 1, 7, 0},
		{"line", "\n\nab\n\n", 1, 2, 3},
		{"crlf", "a\r\nab\r\n", 3, 3, 4},
		{"crlf", "a\r\nab\r\n", 4, 7, 0},
		{"crlf", "a\r\nab\r", 3, 3, 3},
		{`until "aa"`, "baabaabba", 3, 6, 3},
		{"blank line", "a\n\nabc\n\n", 4, 3, 5},
		{"u8", "\x01a\x03abc", 3, 2, 4},
		{"u8", "\x01a\x03", 3, 2, 4},
		{"u8", "\x01a\x03", 4, 2, 0},
		{"u64", "\x00\x00", 4, 0, 0},
		{"until close", "abcd", 4, 0, 0},
		{"until close", "abcde", 4, 0, 5},
		{"packet", "abcde", 4, 0, 5},
		{"any", "abcde", 4, 5, 0},
	} {
		n, err := Whole(MustParse(test.format), []byte(test.data), 0, test.limit)
		if test.size > 0 {
			checkTooLong(t, n, err, test.want, test.size)
		} else if n != test.want || err != nil {
			t.Errorf("%s: Whole(%q, limit %d) = %d, %v; want %d", test.format, test.data, test.limit, n, err, test.want)
		}
	}
}

func TestWholeAfterAnEarlierScan(t *testing.T) {
	for _, test := range []struct {
		format, data      string
		seen, limit, want int
	}{
		{"line", "abc\nab", 3, 0, 4},
		{"line", "abc\n\nabc", 3, 4, 5},
		{"line", "abc", 3, 0, 0},
		{"crlf", "a\r\nb", 2, 0, 3},
		{"crlf", "ab\r\n\r\nabc", 3, 4, 6},
		{`until "aa"`, "baaaab", 2, 0, 5},
		{"blank line", "a\n\n\nb", 2, 0, 4},
		{"u8", "\x02ab\x00\x01", 2, 3, 4},
	} {
		n, err := Whole(MustParse(test.format), []byte(test.data), test.seen, test.limit)
		if n != test.want || err != nil {
			t.Errorf("%s: Whole(%q, seen %d, limit %d) = %d, %v; want %d", test.format, test.data, test.seen, test.limit, n, err, test.want)
		}
	}
}

func checkTooLong(t *testing.T, n int, err error, want, size int) {
	t.Helper()
	var long *TooLongError
	if !errors.As(err, &long) || !errors.Is(err, ErrTooLong) {
		t.Errorf("Whole = %d, %v; want ErrTooLong", n, err)
		return
	}
	if n != want || long.Size != size {
		t.Errorf("Whole = %d, size %d; want %d, size %d", n, long.Size, want, size)
	}
}

func TestTooLongKeepsTheFirstBytes(t *testing.T) {
	data := []byte("ok\n" + strings.Repeat("x", 100) + "\nnext\n")
	_, err := Whole(Line(), data, 0, 50)
	var long *TooLongError
	if !errors.As(err, &long) {
		t.Fatal(err)
	}
	data[3] = 'y'
	if string(long.Heard) != strings.Repeat("x", 64) || long.Size != 101 || long.Limit != 50 || long.Format != "line" {
		t.Errorf("%+v", long)
	}
}

func TestWholeStopsBeforeWhatIsMalformed(t *testing.T) {
	n, err := Whole(MustParse("netstring"), []byte("1:a,x"), 0, 0)
	if n != 4 || !errors.Is(err, ErrMalformed) {
		t.Errorf("Whole = %d, %v; want 4, ErrMalformed", n, err)
	}
}

// rewriter is a format from outside whose Scan rewrites what it is given.
type rewriter struct{ Format }

func (r rewriter) Scan(data []byte, seen int, atEOF bool) ([]byte, int, error) {
	text, size, err := r.Format.Scan(data, seen, atEOF)
	for i := range text {
		text[i] = '\n'
	}
	return text, size, err
}

func TestWholeOfAFormatFromOutside(t *testing.T) {
	data := []byte("a\nb\nc")
	n, err := Whole(rewriter{LF()}, data, 0, 0)
	if n != 4 || err != nil || string(data) != "a\nb\nc" {
		t.Errorf("Whole = %d, %v; data is now %q", n, err, data)
	}
}

// wholeByScan is what Whole must return, by scanning each frame of a copy.
func wholeByScan(f Format, data []byte) (n int, err error) {
	data = bytes.Clone(data)
	for {
		text, size, err := f.Scan(data[n:], 0, false)
		if text == nil || size == 0 {
			return n, err
		}
		n += size
	}
}
