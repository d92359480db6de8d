// Package frame knows how messages end.
//
// A stream of bytes has no messages in it. Two programs that talk over one
// must agree how the hearer can tell that the other has finished: by a
// newline, a blank line, a line "END REQUEST", a length sent first, the close.
// Such a rule is a [Format]; one message carried by it is a frame.
//
//	f := frame.MustParse("crlf blank line")
//	wire, err := f.Append(nil, []byte("GET / HTTP/1.0"))  // "GET / HTTP/1.0\r\n\r\n"
//	text, size, err := f.Scan(wire, 0, false)             // "GET / HTTP/1.0", 18
//
// Formats are written in one small grammar, the same for Go programs, flags
// and scripts; [Formats] lists it and [Parse] reads it. The commonest have
// functions: [Line], [LF], [CRLF], [NUL], [UntilClose], [Packet], [Any].
//
// What is said is what is heard: a text that its format cannot carry, such as
// a line with a newline in it, is an error of Append and never cut or changed.
package frame

// A Format is a rule for how the end of a frame is known. Formats are
// comparable with ==, immutable and safe for concurrent use.
type Format interface {
	// Append appends to dst the bytes that carry text as one frame, and
	// returns the longer slice. It keeps neither slice. A text that cannot be
	// carried gives a *TextError, which wraps ErrContainsEnd or ErrWrongSize
	// and says where; dst is then returned as it was.
	Append(dst, text []byte) ([]byte, error)

	// Scan looks for one whole frame at the start of data.
	//
	// seen is how many bytes at the start of data an earlier Scan of the same
	// frame has looked at without finding its end, 0 at first. It makes
	// hearing a frame that comes in many small pieces linear. atEOF says that
	// nothing will follow data.
	//
	// If a whole frame is there, Scan returns its text, which is never nil
	// but may be empty, and its size in bytes on the wire. The text aliases
	// data, and Scan may rewrite data[:size] to take away stuffed dots or CRs.
	//
	// If not, text is nil, and size is the size of the whole frame on the
	// wire if that is already known (from a count or a length), else 0. So it
	// is at the end of the stream too: an unfinished frame is not an error
	// here.
	//
	// The error is a *SyntaxError, which wraps ErrMalformed, if data cannot
	// be the beginning of any frame.
	Scan(data []byte, seen int, atEOF bool) (text []byte, size int, err error)

	// String returns the format in the grammar that Parse reads:
	// Parse(f.String()) == f.
	String() string

	// End names in a few words what the hearer waits for, to complete
	// "heard 27 bytes without ... yet": "the end of a line", "a blank line",
	// `the line "END REQUEST"`, "the close", "17 bytes".
	End() string
}

// Line returns the format `line`, the default everywhere: the text, then LF.
// It hears LF or CRLF. The text may not contain LF or end in CR.
func Line() Format { return lineFormat{} }

// LF returns the format `lf`: the text, then LF. A CR is part of the text.
func LF() Format { return lf }

// CRLF returns the format `crlf`: the text, then CRLF, as internet protocols
// have it (RFC 5321, section 2.3.8). A CR or LF alone is part of the text.
func CRLF() Format { return crlf }

// NUL returns the format `nul`: the text, then a zero byte, as find -print0.
func NUL() Format { return nul }

// Packet returns the format `packet`: one datagram is one frame, even an
// empty one. Its Scan takes all of data, so it must be given one datagram.
func Packet() Format { return packetFormat{} }

// UntilClose returns the format `until close`: the frame ends where the
// stream ends, so it is the last in its direction.
func UntilClose() Format { return closeFormat{} }

// Any returns the format `any`: a frame is whatever one read returned. Where
// those pieces begin and end says nothing about what the other end meant.
func Any() Format { return anyFormat{} }

// A finder finds a frame without rewriting data. Whole is built on it, and so
// is every Scan but that of line.
type finder interface {
	find(data []byte, seen int, atEOF bool) (span, error)
}

// A span is where a frame lies in data.
type span struct {
	from, to int  // if whole, data[from:to] is the text as it is on the wire
	size     int  // if whole, data[:size] is the frame; else its size if known, or 0
	whole    bool // all of the frame is there
}

// text returns what Scan returns when data[from:to] needs no rewriting.
func (s span) text(data []byte) ([]byte, int, error) {
	if !s.whole {
		return nil, s.size, nil
	}
	if s.from == s.to {
		return []byte{}, s.size, nil // not data[:0], which is nil if data is
	}
	return data[s.from:s.to:s.to], s.size, nil
}

// within returns seen as an index that is safe to slice data with.
func within(seen int, data []byte) int {
	return min(max(seen, 0), len(data))
}
