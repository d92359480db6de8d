package relay

import "io"

// bufferSize is what is written at once while there is more.
const bufferSize = 64 << 10

// A lineBuffer gathers lines, and passes on only whole ones, so that a file that is read meanwhile, or after a crash, ends
// with one.
type lineBuffer struct {
	w      io.Writer
	lines  []byte
	failed error
}

func newLineBuffer(w io.Writer) *lineBuffer { return &lineBuffer{w: w} }

// Write takes one line.
func (b *lineBuffer) Write(line []byte) (int, error) {
	if len(b.lines)+len(line) > bufferSize {
		if err := b.Flush(); err != nil {
			return 0, err
		}
	}
	b.lines = append(b.lines, line...)
	return len(line), nil
}

// Flush passes on what was gathered.
func (b *lineBuffer) Flush() error {
	if b.failed == nil && len(b.lines) > 0 {
		var n int
		n, b.failed = b.w.Write(b.lines)
		if b.failed == nil && n < len(b.lines) {
			b.failed = io.ErrShortWrite
		}
		b.lines = b.lines[:0]
	}
	return b.failed
}
