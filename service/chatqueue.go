package service

import (
	"sync"
	"sync/atomic"
	"time"
)

// A chatQueue is what waits to be said to one caller. While there is something, one goroutine says it; a caller to whom
// nothing is said costs none.
type chatQueue struct {
	say   func(text []byte) error
	taken func() int64 // changes when the caller takes something of what is said; -1: nothing waits for him to take
	limit int          // lines

	level atomic.Int32 // chatHalf or chatFull from then on, until a quarter or less is left
	sayer sync.WaitGroup

	mu      sync.Mutex
	lines   [][]byte
	waiting int // lines, and that which is being said
	bytes   int // of them
	saying  bool
	drained chan struct{} // closed when a quarter or less is left; nil before it is half full
	looking *time.Timer   // while there is drained
	seen    int64         // what taken was when it was last looked
	stalled time.Time     // since when he has taken nothing, as far as it was looked
	full    time.Time     // since when it is full; zero: it is not
	free    bool          // nobody waits for this caller any more
	err     error         // he hears no more
}

// The levels of a queue. Who says much at once waits for the others at chatHalf, so that there is room for the rest.
const chatHalf, chatFull = 1, 2

// push takes a line, also when the queue is full: whoever pushes has looked before. The text may be shared, and must not
// change any more.
func (q *chatQueue) push(text []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil {
		return
	}
	q.lines = append(q.lines, text)
	q.waiting++
	q.bytes += len(text)
	q.rise()
	if !q.saying {
		q.saying = true
		q.sayer.Go(q.sayAll)
	}
}

// rise notes that the queue is half full, or full. It needs the lock.
func (q *chatQueue) rise() {
	if q.free || q.waiting <= q.limit/2 && q.bytes <= chatBytes/2 {
		return
	}
	if q.drained == nil {
		q.seen, q.stalled, q.drained = -1, time.Now(), make(chan struct{})
		q.looking = time.AfterFunc(chatLook, q.look)
		q.level.Store(chatHalf)
	}
	if q.full.IsZero() && (q.waiting >= q.limit || q.bytes >= chatBytes) {
		q.full = time.Now()
		q.level.Store(chatFull)
	}
}

// chatLook is how often it is looked whether a caller takes something.
const chatLook = chatPatience / 10

// look notes whether the caller has taken something since it was last looked, and looks again later. It goes on even while
// nobody waits, so that who waits at last need not begin to find out.
func (q *chatQueue) look() {
	taken := q.taken()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.drained == nil {
		return
	}
	if taken < 0 || taken != q.seen {
		q.seen, q.stalled = taken, time.Now()
	}
	q.looking.Reset(chatLook)
}

// sayAll says what waits until nothing does.
func (q *chatQueue) sayAll() {
	for lines := q.take(); lines != nil; lines = q.take() {
		for _, text := range lines {
			q.said(text, q.say(text))
		}
	}
}

// take returns all that waits, nil if nothing does.
func (q *chatQueue) take() [][]byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	lines := q.lines
	q.lines = nil
	if lines == nil {
		q.saying = false
	}
	return lines
}

// said counts a line as said. With an error the rest is as good as said.
func (q *chatQueue) said(text []byte, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.err = err
	}
	q.waiting--
	q.bytes -= len(text)
	if q.err != nil || q.waiting <= q.limit/4 && q.bytes <= chatBytes/4 {
		q.drain()
	}
}

// drain tells those who wait that there is room again. It needs the lock.
func (q *chatQueue) drain() {
	if q.drained != nil {
		close(q.drained)
		q.drained, q.full = nil, time.Time{}
		q.looking.Stop()
		q.level.Store(0)
	}
}

// draining returns a channel that is closed when there is room again, nil if there is enough, and how long to wait for that
// at most.
func (q *chatQueue) draining(level int32) (drained <-chan struct{}, left time.Duration) {
	q.look()
	q.mu.Lock()
	defer q.mu.Unlock()
	since := q.stalled
	if level == chatFull && q.seen >= 0 && !q.full.IsZero() && q.full.Before(since) {
		since = q.full
	}
	return q.drained, chatPatience - time.Since(since)
}

// release has nobody wait for this queue any more.
func (q *chatQueue) release() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.drain()
	q.free = true
}

// finish waits until all is said. Nobody may push any more.
func (q *chatQueue) finish() error {
	q.sayer.Wait()
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.err
}
