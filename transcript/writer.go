package transcript

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"
)

// keepBuffer is the most that a Writer keeps of its buffer between lines, in bytes, so that one huge message does not
// hold its memory for good.
const keepBuffer = 1 << 20

var errNotLine = errors.New("transcript: not a line: pass a Frame, Opened or another kind of line, as a value")

// A Writer writes the lines of a transcript. Its methods may be called from any goroutine.
type Writer struct {
	mu     sync.Mutex
	w      io.Writer
	buf    []byte // one line at a time; reused, so that a Frame costs no allocation
	failed error  // of the first Write that failed
}

// NewWriter returns a Writer that writes to w, one call of w.Write a line. It does not buffer: where many lines are
// written to a file, w can be a bufio.Writer, which the caller flushes.
func NewWriter(w io.Writer) *Writer {
	return &Writer{w: w}
}

// Write writes one line and its newline. It keeps nothing of l, so the bytes of a Frame may be used again at once.
//
// If w fails the line may be cut, and to go on would spoil the next one too: from then on every Write returns that
// error. A line that cannot be written (a time beyond the year 9999, Facts that are not JSON) is an error of its own
// and leaves the transcript as it was.
func (w *Writer) Write(l Line) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed != nil {
		return w.failed
	}
	line, err := appendLine(w.buf[:0], l)
	if err != nil {
		return err
	}
	if cap(line) <= keepBuffer {
		w.buf = line
	}
	n, err := w.w.Write(line)
	if err == nil && n < len(line) {
		err = io.ErrShortWrite
	}
	if err != nil {
		w.failed = fmt.Errorf("transcript: write: %w", err)
	}
	return w.failed
}

// appendLine calls no method of l and prints no l: either would move every Frame to the heap.
func appendLine(b []byte, l Line) ([]byte, error) {
	switch l := l.(type) {
	case Frame:
		return appendFrame(b, l)
	case Hello:
		return appendRare(b, kindHello, l.Time, l)
	case Opened:
		return appendRare(b, kindOpened, l.Time, l)
	case HalfClosed:
		return appendRare(b, kindHalfClosed, l.Time, l)
	case Closed:
		return appendRare(b, kindClosed, l.Time, l)
	case Lost:
		return appendRare(b, kindLost, l.Time, l)
	case Verdict:
		return appendRare(b, kindVerdict, l.Time, wireVerdict{l.Call, l.Code, l.Confidence, stamp(l.Since), l.Says, l.Facts})
	case Violation:
		return appendRare(b, kindViolation, l.Time, l)
	}
	return nil, errNotLine
}

// wireVerdict is a Verdict with its keys in order.
type wireVerdict struct {
	Call       int64           `json:"call,omitempty"`
	Code       string          `json:"code,omitempty"`
	Confidence string          `json:"confidence,omitempty"`
	Since      stamp           `json:"since,omitzero"`
	Says       string          `json:"says,omitempty"`
	Facts      json.RawMessage `json:"facts,omitempty"`
}

// appendHead appends the keys that every line begins with, and leaves the object open.
func appendHead(b []byte, kind string, t time.Time) ([]byte, error) {
	if err := checkYear(t); err != nil {
		return nil, fmt.Errorf("transcript: write a %s line: %w", kind, err)
	}
	b = append(b, `{"v":1,"t":"`...)
	b = append(b, kind...)
	b = append(b, `","ts":"`...)
	b = appendStamp(b, t)
	return append(b, '"'), nil
}

// appendFrame is written by hand because there is one such line for every message.
func appendFrame(b []byte, f Frame) ([]byte, error) {
	kind := kindSaid
	if f.Heard {
		kind = kindHeard
	}
	b, err := appendHead(b, kind, f.Time)
	if err != nil {
		return nil, err
	}
	b = appendNumber(b, `,"call":`, f.Call)
	b = appendNumber(b, `,"n":`, f.N)
	b = appendWord(b, `,"role":`, f.Role)
	b = append(b, `,"bytes":`...)
	b = strconv.AppendInt(b, f.Bytes, 10)
	if f.Clipped {
		b = append(b, `,"kept":`...)
		b = strconv.AppendInt(b, int64(len(f.Data)), 10)
	}
	b = appendData(b, f.Data)
	if f.Part {
		b = append(b, `,"part":true`...)
	}
	b = appendWord(b, `,"end":`, f.End)
	b = appendWord(b, `,"by":`, f.By)
	b = appendNumber(b, `,"line":`, int64(f.Line))
	return append(b, '}', '\n'), nil
}

// appendNumber appends key and n, or nothing if n is 0.
func appendNumber(b []byte, key string, n int64) []byte {
	if n == 0 {
		return b
	}
	b = append(b, key...)
	return strconv.AppendInt(b, n, 10)
}

// appendWord appends key and s, or nothing if s is empty.
func appendWord(b []byte, key, s string) []byte {
	if s == "" {
		return b
	}
	b = append(b, key...)
	return appendQuoted(b, s)
}

// appendRare appends a line of a kind that is too rare to be worth code of its own.
func appendRare(b []byte, kind string, t time.Time, keys any) ([]byte, error) {
	b, err := appendHead(b, kind, t)
	if err != nil {
		return nil, err
	}
	var doc bytes.Buffer
	enc := json.NewEncoder(&doc)
	enc.SetEscapeHTML(false) // "MAIL FROM:<…>" must stay readable
	if err := enc.Encode(keys); err != nil {
		return nil, fmt.Errorf("transcript: write a %s line: %w", kind, err)
	}
	rest := bytes.TrimSpace(doc.Bytes())[1:] // without its {
	if len(rest) > 1 {
		b = append(b, ',')
	}
	b = appendJSON(b, rest)
	return append(b, '\n'), nil
}

// Err returns the error that made the Writer stop, nil if all lines so far were written.
func (w *Writer) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed
}
