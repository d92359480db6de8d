package transcript

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
)

// defaultMaxLine is what a MaxLine of 0 means: a message of 1 MiB, parley's own limit, is a line of at most 6 MiB.
const defaultMaxLine = 16 << 20

// A Reader reads the lines of a transcript, by parley or by a stranger.
type Reader struct {
	// MaxLine is the most that a line may hold, in bytes without its newline; 0 means 16 MiB, negative no limit.
	// A longer one is reported and skipped. It is read when Lines is ranged over.
	MaxLine int

	br     *bufio.Reader
	number int64  // of the line read last
	buf    []byte // that line, where it did not fit into br
}

// NewReader returns a Reader of r. It reads ahead.
func NewReader(r io.Reader) *Reader {
	return &Reader{br: bufio.NewReaderSize(r, 64<<10)}
}

// Lines returns the lines as they come. Kinds of line and keys that this package does not know are skipped, and so are
// blank lines. The bytes of a line belong to the caller.
//
// Where a line cannot be read, the Line is nil and the error says which and why; the next step goes on after it. It is
// a [*LineError], or a [*CutError] if the file ends within the line. Any other error is the one of r, and the last.
//
// A loop that was left early can be taken up with another range over Lines.
func (r *Reader) Lines() iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		for {
			text, err := r.next()
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(nil, fmt.Errorf("transcript: read after line %d: %w", r.number, err))
				return
			}
			line, err := r.parse(text)
			if line == nil && err == nil {
				continue
			}
			if !yield(line, err) {
				return
			}
		}
	}
}

// A rawLine is a line as it is in the file.
type rawLine struct {
	text  []byte // without its newline; valid until the next line is read
	ended bool   // by a newline, and not by the end of the file
	long  bool   // it was longer than the limit, and text is not all of it
}

// next reads one line, of which it keeps no more than the limit. It returns io.EOF only where nothing is left.
func (r *Reader) next() (rawLine, error) {
	r.buf = r.buf[:0]
	for long := false; ; {
		part, err := r.br.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull && err != io.EOF {
			return rawLine{}, err
		}
		ended := err == nil
		if ended {
			part = part[:len(part)-1]
		}
		if long = long || r.tooLong(len(r.buf)+len(part)); !long {
			r.buf = append(r.buf, part...)
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		if err == io.EOF && len(r.buf) == 0 && !long {
			return rawLine{}, io.EOF
		}
		r.number++
		return rawLine{text: r.buf, ended: ended, long: long}, nil
	}
}

func (r *Reader) tooLong(size int) bool {
	if r.MaxLine == 0 {
		return size > defaultMaxLine
	}
	return r.MaxLine > 0 && size > r.MaxLine
}

// parse returns neither a Line nor an error for a line that is to be skipped.
func (r *Reader) parse(raw rawLine) (Line, error) {
	if raw.long {
		return nil, &LineError{Line: r.number, Err: ErrTooLong}
	}
	text := bytes.Trim(raw.text, " \t\r")
	if len(text) == 0 {
		return nil, nil
	}
	// A line that only lacks its newline is whole: no JSON object is the beginning of another.
	if !raw.ended && !json.Valid(text) {
		return nil, &CutError{Line: r.number, Bytes: len(raw.text)}
	}
	line, err := decodeLine(text)
	if err != nil {
		return nil, &LineError{Line: r.number, Err: err}
	}
	return line, nil
}
