package transcript

import (
	"errors"
	"fmt"
)

// Why a line could not be read, in a [LineError].
var (
	// ErrVersion: the line is of a version that this package does not know.
	ErrVersion = errors.New("this reader knows version 1 only; use the program that wrote it, or a newer parley")
	// ErrTooLong: the line is longer than [Reader.MaxLine].
	ErrTooLong = errors.New("longer than the limit; raise Reader.MaxLine if the file can be trusted")
)

// A LineError says that one line could not be read. The lines after it can.
type LineError struct {
	Line int64 // its number in the file, counted from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("transcript: line %d: %v", e.Line, e.Err) }

// Unwrap returns the cause.
func (e *LineError) Unwrap() error { return e.Err }

// A CutError says that the file ends in the middle of a line, because its writer was stopped or is still at work. All
// lines before it were read.
type CutError struct {
	Line  int64 // its number in the file, counted from 1
	Bytes int   // how much of it is there
}

func (e *CutError) Error() string {
	return fmt.Sprintf("transcript: line %d: cut off after %d bytes: its writer was stopped, or is still writing", e.Line, e.Bytes)
}
