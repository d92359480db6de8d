package frame

import (
	"errors"
	"fmt"
)

// The kinds of errors, to be found with errors.Is.
var (
	// ErrContainsEnd: a hearer would take the frame to end within the text.
	ErrContainsEnd = errors.New("the text contains its own end")
	// ErrWrongSize: the text has not the size that the format can carry.
	ErrWrongSize = errors.New("the text has the wrong size")
	// ErrTooLong: a frame is longer than the hearer allows.
	ErrTooLong = errors.New("the frame is too long")
	// ErrMalformed: what was heard cannot be the beginning of a frame.
	ErrMalformed = errors.New("malformed frame")
)

// A TextError says why a text cannot be said in a format.
type TextError struct {
	Format string // as Format.String returns it
	At     int    // the first byte of the text that is in the way, from 0; for a text that is too short its length
	Why    string // what is in the way, and what to do
	Err    error  // ErrContainsEnd or ErrWrongSize
}

func (e *TextError) Error() string {
	return fmt.Sprintf("frame %s: %v: %s", e.Format, e.Err, e.Why)
}

// Unwrap returns ErrContainsEnd or ErrWrongSize.
func (e *TextError) Unwrap() error { return e.Err }

// containsEnd returns the error for a text in which what, at byte at, would
// be taken for the end.
func containsEnd(f Format, at int, what, remedy string) error {
	why := fmt.Sprintf("%s at byte %d; %s", what, at, remedy)
	return &TextError{Format: f.String(), At: at, Why: why, Err: ErrContainsEnd}
}

// A SyntaxError says where bytes that were heard stopped being a frame.
type SyntaxError struct {
	Format string // as Format.String returns it
	At     int    // the byte of the frame that is wrong, from 0
	Want   string // what was expected there
	Found  []byte // what was found there, at most 16 bytes; a copy
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("frame %s: %v: expected %s at byte %d, found %q; check that both ends use the same format",
		e.Format, ErrMalformed, e.Want, e.At, e.Found)
}

// Unwrap returns ErrMalformed.
func (e *SyntaxError) Unwrap() error { return ErrMalformed }

// malformed returns the error for data that should have had want at byte at.
func malformed(f Format, data []byte, at int, want string) error {
	found := data[at:min(at+16, len(data))]
	return &SyntaxError{Format: f.String(), At: at, Want: want, Found: append([]byte(nil), found...)}
}

// A TooLongError says that a frame is longer than the hearer allows.
type TooLongError struct {
	Limit  int    // the longest frame allowed, in bytes on the wire
	Format string // as Format.String returns it
	Heard  []byte // the first bytes of the frame, at most 64; a copy
	Size   int    // the frame's size in bytes as announced, or as much of it as was heard
}

func (e *TooLongError) Error() string {
	size := ""
	if e.Size > e.Limit { // not if it is only the end that is missing
		size = fmt.Sprintf("at least %d bytes, ", e.Size)
	}
	return fmt.Sprintf("frame %s: %v: %sthe limit is %d, it begins with %q; raise the limit, or check that both ends use the same format",
		e.Format, ErrTooLong, size, e.Limit, e.Heard)
}

// Unwrap returns ErrTooLong.
func (e *TooLongError) Unwrap() error { return ErrTooLong }

// tooLong returns the error for a frame of size bytes, which begins data.
func tooLong(f Format, data []byte, size, limit int) error {
	heard := append([]byte(nil), data[:min(64, len(data), size)]...)
	return &TooLongError{Limit: limit, Format: f.String(), Heard: heard, Size: size}
}

// A ParseError says why a text is not a format.
type ParseError struct {
	Text string // what was to be a format
	Why  string // what is wrong with it, and what would have worked
}

func (e *ParseError) Error() string {
	return fmt.Sprintf("frame format %q: %s", e.Text, e.Why)
}

// CheckLimit holds the frame at the start of data against limit, in bytes on the wire, 0 or negative for none. text and size
// are what Scan has returned for it: so it may be whole, announced, or not yet ended. The error is a *TooLongError.
func CheckLimit(f Format, data, text []byte, size, limit int) error {
	if text == nil {
		size = max(size, len(data))
	}
	if limit <= 0 || size <= limit {
		return nil
	}
	return tooLong(f, data, size, limit)
}
