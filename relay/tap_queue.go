package relay

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A note is one thing that passed. The bytes kept of it lie in its batch, in the order of the notes.
type note struct {
	of   *tapped
	at   int64 // Unix microseconds
	size int64 // on the wire, as far as that is known here
	kept int32 // how many bytes are in the batch
	kind noteKind
	from uint8 // who it was: 0 is a, 1 is b
}

type noteKind uint8

const (
	noteOpened noteKind = iota
	notePiece
	noteMessage
	noteLost // see batch.losses
	noteHalfClosed
	noteClosed
)

// noteCost is what a note takes of a queue's memory besides its bytes.
const noteCost = 64

// A loss is what had no room.
type loss struct {
	count, bytes int64
	broken       [2]bool // by who said it
	ends         int64   // notes that are no messages
}

func (l *loss) add(more loss) {
	l.count += more.count
	l.bytes += more.bytes
	l.ends += more.ends
}

// A batch is what came while the one before was being written.
type batch struct {
	notes  []note
	losses []loss // of the notes of a loss, in their order
	bytes  []byte
}

func (b *batch) size() int { return len(b.notes)*noteCost + len(b.bytes) }

func (b *batch) clear() {
	clear(b.notes) // their conversations are not to be held
	b.notes, b.losses, b.bytes = b.notes[:0], b.losses[:0], b.bytes[:0]
}

// A tapQueue holds what waits to be written. It has two batches: one is filled while the other is being written, so that
// who puts something in takes a lock, copies and goes on, and pays for no allocation.
type tapQueue struct {
	half int // of the memory: the size of a batch, in bytes

	mu      sync.Mutex
	filling *batch
	spare   *batch // cleared; nil while it is being written
	asleep  bool   // the goroutine waits for wake
	closed  bool
	calls   int64                // conversations so far
	short   map[*tapped]struct{} // conversations of which something is missing that is not told yet
	missing loss                 // the same, of conversations that have ended
	total   loss

	wake    chan struct{}
	end     chan struct{} // closed by close
	gather  *time.Timer
	written atomic.Int64 // notes, so that Close sees whether it goes on
}

func (q *tapQueue) init(memory int) {
	q.half = memory / 2
	q.filling, q.spare = new(batch), new(batch)
	q.short = map[*tapped]struct{}{}
	q.wake, q.end = make(chan struct{}, 1), make(chan struct{})
	q.gather = time.NewTimer(0)
	q.gather.Stop()
}

// number returns the next conversation's.
func (q *tapQueue) number() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.calls++
	return q.calls
}

// put notes what passed, with a copy of kept, or that there was no room for it.
func (q *tapQueue) put(c *tapped, n note, kept []byte) {
	n.of, n.at, n.kept = c, time.Now().UnixMicro(), int32(len(kept))
	q.mu.Lock()
	q.add(n, kept)
	q.unlockAndWake()
}

// putClosed notes that an end let go. If there is no room for that the conversation is not held until there is: all that is
// missing of it is told of without it.
func (q *tapQueue) putClosed(c *tapped, from int, how ending) {
	n := note{of: c, at: time.Now().UnixMicro(), kind: noteClosed, from: uint8(from)}
	q.mu.Lock()
	c.ends[from] = how
	if !q.add(n, nil) {
		q.missing.add(q.takeMissing(c))
	}
	q.unlockAndWake()
}

// unlockAndWake wakes the goroutine if it sleeps; without the lock, which it would have to wait for.
func (q *tapQueue) unlockAndWake() {
	wake := q.asleep && q.hasWork()
	q.asleep = q.asleep && !wake
	q.mu.Unlock()
	if wake {
		q.wake <- struct{}{} // has room: only who ends the sleep sends
	}
}

// add needs the lock. What is missing of a conversation comes before what follows it.
func (q *tapQueue) add(n note, kept []byte) (ok bool) {
	if q.closed {
		return true
	}
	if !q.hasRoom(n.kind, len(kept)) {
		q.miss(n)
		return false
	}
	if n.of.missing != (loss{}) {
		q.addLoss(n.of, q.takeMissing(n.of), n.at)
	}
	b := q.filling
	if b.bytes == nil {
		b.bytes = make([]byte, 0, q.half) // the system gives it memory only where it is used
	}
	b.notes = append(b.notes, n)
	b.bytes = append(b.bytes, kept...)
	return true
}

// hasRoom keeps some room that messages cannot take, for the notes of how conversations begin and end.
func (q *tapQueue) hasRoom(kind noteKind, kept int) bool {
	room := q.half - q.filling.size() - 2*noteCost // one for a loss before it
	if kind == notePiece || kind == noteMessage {
		room -= q.half / 4
	}
	return kept <= room
}

// miss counts a note that has no room.
func (q *tapQueue) miss(n note) {
	lost := loss{ends: 1}
	if n.kind == notePiece || n.kind == noteMessage {
		lost = loss{count: 1, bytes: n.size}
		n.of.missing.broken[n.from] = true
	}
	n.of.missing.add(lost)
	q.total.add(lost)
	q.short[n.of] = struct{}{}
}

// takeMissing returns what is missing of c, which is told with that.
func (q *tapQueue) takeMissing(c *tapped) loss {
	lost := c.missing
	c.missing = loss{}
	delete(q.short, c)
	return lost
}

// addLoss notes a loss of c's, or with nil one that is no conversation's any more.
func (q *tapQueue) addLoss(c *tapped, lost loss, at int64) {
	b := q.filling
	b.notes = append(b.notes, note{of: c, at: at, kind: noteLost})
	b.losses = append(b.losses, lost)
}

// next returns what has come since, nil if nothing has. It is the goroutine's until it calls done.
func (q *tapQueue) next() *batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.addLosses()
	b := q.filling
	if len(b.notes) == 0 {
		return nil
	}
	q.filling, q.spare = q.spare, nil
	return b
}

// addLosses notes all that is missing. It came after what is in the batch, and before what will be in the next.
func (q *tapQueue) addLosses() {
	if len(q.short) == 0 && q.missing == (loss{}) {
		return
	}
	now := time.Now().UnixMicro()
	for _, c := range slices.SortedFunc(maps.Keys(q.short), func(a, b *tapped) int { return cmp.Compare(a.call, b.call) }) {
		q.addLoss(c, q.takeMissing(c), now)
	}
	if q.missing != (loss{}) {
		q.addLoss(nil, q.missing, now)
		q.missing = loss{}
	}
}

// hasWork needs the lock.
func (q *tapQueue) hasWork() bool {
	return len(q.filling.notes) > 0 || len(q.short) > 0 || q.missing != (loss{})
}

// done gives back what next returned.
func (q *tapQueue) done(b *batch) {
	b.clear()
	q.mu.Lock()
	q.spare = b
	q.mu.Unlock()
}

// gatherFor is how long what comes first waits for more before it is written. To wake the goroutine takes who puts
// something in some 4 microseconds; so it need not be done for every message of a conversation of short ones.
const gatherFor = time.Millisecond

// sleep waits until something has come, and a little longer; false: nothing has, and nothing will.
func (q *tapQueue) sleep() bool {
	q.mu.Lock()
	if q.hasWork() || q.closed {
		defer q.mu.Unlock()
		return q.hasWork()
	}
	q.asleep = true
	q.mu.Unlock()
	select {
	case <-q.wake:
	case <-q.end:
		return true
	}
	q.gather.Reset(gatherFor)
	select {
	case <-q.gather.C:
	case <-q.end:
	}
	return true
}

func (q *tapQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.closed = true
		close(q.end)
	}
}

func (q *tapQueue) lost() (messages, bytes int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.total.count, q.total.bytes
}
