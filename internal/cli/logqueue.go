package cli

import (
	"cmp"
	"errors"
	"io"
	"sync"
	"time"
)

// A logQueue writes lines in a goroutine of its own, so that nobody's conversation waits for a standard error that is not
// read. It counts what could not be written, as on a full disk, and what had no room.
type logQueue struct {
	w     io.Writer
	lines chan []byte
	done  chan struct{}

	mu     sync.Mutex
	closed bool
	lost   int
	why    error
}

// logRoom is how many lines wait to be written; they take some 200 KB.
const logRoom = 1024

// logPatience is how long the end waits for a standard error that takes nothing.
const logPatience = time.Second

var errLogStuck = errors.New("nobody reads it, or not fast enough")

func newLogQueue(w io.Writer) *logQueue {
	q := &logQueue{w: w, lines: make(chan []byte, logRoom), done: make(chan struct{})}
	go q.work()
	return q
}

// Write takes one line; it never waits.
func (q *logQueue) Write(p []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		select {
		case q.lines <- append([]byte(nil), p...):
			return len(p), nil
		default:
		}
	}
	q.lost++
	q.why = cmp.Or(q.why, errLogStuck)
	return len(p), nil
}

func (q *logQueue) work() {
	defer close(q.done)
	for line := range q.lines {
		if _, err := q.w.Write(line); err != nil {
			q.lose(1, err)
		}
	}
}

func (q *logQueue) lose(lines int, why error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lost += lines
	q.why = cmp.Or(q.why, why)
}

// close waits until all is written, or nothing has been for a while.
func (q *logQueue) close() {
	q.mu.Lock()
	q.closed = true
	close(q.lines)
	q.mu.Unlock()
	for left := len(q.lines); ; {
		select {
		case <-q.done:
			return
		case <-time.After(logPatience):
		}
		now := len(q.lines)
		if now == left {
			q.lose(now+1, errLogStuck)
			return
		}
		left = now
	}
}

// missing returns how many lines were lost, and why the first was.
func (q *logQueue) missing() (lines int, why error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.lost, q.why
}
