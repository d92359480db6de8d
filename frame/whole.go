package frame

import "bytes"

// Whole returns the length of the longest prefix of data that consists of
// whole frames only. It does not rewrite data; seen is as in Scan, for the
// first frame. A program that only passes frames on need not scan each: for
// line, lf, crlf, nul and most texts of until it is one search for the last
// end.
//
// limit is the longest frame allowed, in bytes on the wire, 0 or negative for
// none. The error is a *TooLongError if a frame is longer, finished or not,
// and a *SyntaxError if data goes on with something that is no frame; n then
// counts the whole frames before it.
//
// With packet, data is one frame; with any, all of it is whole however it is
// cut; with until close nothing is, for the close is not in data.
func Whole(f Format, data []byte, seen, limit int) (n int, err error) {
	switch kind := f.(type) {
	case lineFormat:
		return wholeByLast(f, markLine.text, data, seen, limit)
	case untilFormat:
		if !overlapsItself(kind.mark.text) {
			return wholeByLast(f, kind.mark.text, data, seen, limit)
		}
	case anyFormat:
		return len(data), nil
	}
	return wholeByEach(f, data, seen, limit)
}

// wholeByLast looks for the last mark in data, or, where frames have a limit,
// in windows of that size: a window begins where a frame does, so what ends
// within it is not too long, and if nothing does, its first frame is.
func wholeByLast(f Format, mark string, data []byte, seen, limit int) (n int, err error) {
	seen = within(seen-len(mark)+1, data)
	for {
		window := data[n:]
		cut := limit > 0 && len(window) >= limit
		if cut {
			window = window[:limit]
		}
		last := lastIndex(window[min(seen, len(window)):], mark)
		if last < 0 && cut {
			return n, tooLong(f, data[n:], firstSize(data[n:], mark), limit)
		}
		if last < 0 {
			return n, nil
		}
		n += seen + last + len(mark)
		if !cut {
			return n, nil
		}
		seen = 0
	}
}

// firstSize returns the size of the first frame in data, or as much of it as
// is there.
func firstSize(data []byte, mark string) int {
	if i := index(data, mark); i >= 0 {
		return i + len(mark)
	}
	return len(data)
}

// wholeByEach finds one frame after the other.
func wholeByEach(f Format, data []byte, seen, limit int) (n int, err error) {
	frames, ok := f.(finder)
	if !ok {
		// Not one of ours: its Scan may rewrite, so it gets a copy.
		frames, data = scanner{f}, bytes.Clone(data)
	}
	for {
		rest := data[n:]
		s, err := frames.find(rest, seen, false)
		if err != nil {
			return n, err
		}
		if limit > 0 && atLeast(f, s, rest) > limit {
			size := s.size
			if size == 0 {
				size = len(rest)
			}
			return n, tooLong(f, rest, size, limit)
		}
		if !s.whole || s.size == 0 { // frames of no bytes would go on for ever
			return n, nil
		}
		n += s.size
		seen = 0
	}
}

// atLeast returns how long the frame at the start of rest is, or must become.
func atLeast(f Format, s span, rest []byte) int {
	switch {
	case s.whole || s.size > 0:
		return s.size
	case f == UntilClose():
		return len(rest) // the close adds no byte
	}
	return len(rest) + 1
}

// A scanner is the finder of a format that is not of this package.
type scanner struct{ Format }

func (f scanner) find(data []byte, seen int, atEOF bool) (span, error) {
	text, size, err := f.Scan(data, seen, atEOF)
	return span{size: size, whole: text != nil}, err
}
