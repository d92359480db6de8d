package relay

import (
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"parley"
	"parley/frame"
	"parley/transcript"
)

// A Tap writes what passes between joined conversations as a transcript, in the format of package transcript. One Tap
// serves any number of conversations; they are numbered as they begin.
//
// It never holds up what passes. In the path of the bytes only a copy is made, into memory of a fixed size; cutting into
// messages, writing and showing are done by a goroutine of the Tap's own. If that cannot follow, messages are missing from
// the transcript, which says in a lost line how many; see also [Tap.Lost].
//
// Where no format is given the messages are the pieces in which bytes passed, of at most 64 KiB, with "by":"read": where
// they begin and end says nothing about what was meant.
type Tap struct {
	opts    TapOptions
	queue   tapQueue
	buffer  *lineBuffer
	lines   *transcript.Writer
	failed  atomic.Pointer[error] // why the transcript ends early
	scratch []byte                // of the goroutine
	done    chan struct{}         // closed when all is written
}

// TapOptions says what a [Tap] keeps. The zero value is ready to use.
type TapOptions struct {
	Program string   // name and version of the program, for the hello line
	Verb    string   // what it does, for the hello line
	Address []string // where, for the hello line

	// Keep is how many bytes are kept of each message; the line says how long it was. 0 means 4096, negative all.
	Keep int
	// Queue is the memory for what waits to be written, in bytes; a message takes what is kept of it and 64 bytes. 0 means
	// 16 MiB.
	Queue int
	// Frame says how the messages of each end are told apart, a's first; nil: they are not, and pieces are written as they
	// pass. With a format every byte is copied, whatever Keep is. From the first thing that is no message of the format, or
	// a message over 1 MiB, what that end says is written in pieces.
	Frame [2]frame.Format
	// Show is called with every line after it was written. The bytes of a transcript.Frame are valid only during the call.
	Show func(transcript.Line)
	// Failed is called once, when the transcript cannot be written any more, as on a full disk. What passes goes on passing
	// and is still shown.
	Failed func(error)
}

const (
	defaultKeep  = 4 << 10
	defaultQueue = 16 << 20
	// maxPiece is the longest piece in a transcript, in bytes, so that its lines stay readable when all is kept.
	maxPiece = 64 << 10
)

// closePatience is how long Close waits for a writer that takes nothing at all.
const closePatience = 3 * time.Second

// NewTap returns a Tap that writes to w, whole lines at a time, at the latest when no more of them wait; w remains the
// caller's to close, after the Tap. A nil w writes nowhere: what passes is only shown.
func NewTap(w io.Writer, opts TapOptions) *Tap {
	if opts.Keep == 0 {
		opts.Keep = defaultKeep
	}
	if opts.Queue <= 0 {
		opts.Queue = defaultQueue
	}
	if w == nil {
		w = io.Discard
	}
	t := &Tap{opts: opts, buffer: newLineBuffer(w), done: make(chan struct{})}
	t.lines = transcript.NewWriter(t.buffer)
	t.queue.init(opts.Queue)
	go t.work()
	return t
}

// Close writes what still waits, for as long as the writer takes anything, and returns why the transcript is incomplete, if
// the writer failed or took nothing for 3 seconds. What passes afterwards is not written.
func (t *Tap) Close() error {
	t.queue.close()
	patience := time.NewTicker(closePatience)
	defer patience.Stop()
	for before := t.queue.written.Load(); ; {
		select {
		case <-t.done:
			return t.Err()
		case <-patience.C:
		}
		now := t.queue.written.Load()
		if now == before {
			return fmt.Errorf("tap: the writer takes nothing, the end of the transcript is missing: %w", os.ErrDeadlineExceeded)
		}
		before = now
	}
}

// Err returns why the transcript cannot be written, nil while it can. Messages that had no room are no error; see Lost.
func (t *Tap) Err() error {
	if err := t.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// Lost returns how many messages, and how many bytes of them, are missing because the writer could not follow. Where
// messages are cut out of what passes it is the pieces that passed which are counted.
func (t *Tap) Lost() (messages, bytes int64) { return t.queue.lost() }

// tapped is one conversation under a Tap. Its methods do nothing on nil.
type tapped struct {
	tap  *Tap
	keep [2]int // of each piece, by who said it; negative: all

	// Guarded by the queue.
	missing loss
	ends    [2]ending

	// For the goroutine of the Tap.
	told  bool // of the beginning
	call  int64
	n     int64 // messages so far
	since time.Time
	roles [2]string
	addrs [2]net.Addr
	edges [2]bool // datagrams
	cut   [2]cutter
}

// ending is how an end let go.
type ending struct {
	how     string
	untaken int64
}

// open begins a conversation between a and b.
func (t *Tap) open(a, b *parley.Conn, roles [2]string) *tapped {
	if t == nil {
		return nil
	}
	c := &tapped{tap: t, since: time.Now(), roles: roles, call: t.queue.number()}
	for i, end := range [2]*parley.Conn{a, b} {
		c.addrs[i], c.edges[i] = end.RemoteAddr(), end.KeepsEdges()
		c.cut[i].format = t.opts.Frame[i]
		c.keep[i] = t.opts.Keep
	}
	t.queue.put(c, note{kind: noteOpened}, nil)
	return c
}

// piece tells that bytes were said by from, 0 for a and 1 for b. If whole, p is the text of one message, without its end
// mark. p is the caller's again when it returns.
func (c *tapped) piece(from int, p []byte, whole bool) {
	if c == nil {
		return
	}
	if whole {
		c.tap.queue.put(c, note{kind: noteMessage, from: uint8(from), size: int64(len(p))}, keptOf(p, c.keep[from]))
		return
	}
	keep := c.keep[from]
	if c.tap.opts.Frame[from] != nil {
		keep = -1 // to find where messages end
	}
	for len(p) > 0 {
		part := p[:min(len(p), maxPiece)]
		c.tap.queue.put(c, note{kind: notePiece, from: uint8(from), size: int64(len(part))}, keptOf(part, keep))
		p = p[len(part):]
	}
}

// keptOf returns what is kept of p; a negative keep is all.
func keptOf(p []byte, keep int) []byte {
	if keep >= 0 && len(p) > keep {
		return p[:keep]
	}
	return p
}

// halfClosed tells that from has said its end.
func (c *tapped) halfClosed(from int) {
	if c != nil {
		c.tap.queue.put(c, note{kind: noteHalfClosed, from: uint8(from)}, nil)
	}
}

// closed tells that from let go: how is one of the transcript's words, untaken the bytes said to it that its system never
// took, 0 for none or not known.
func (c *tapped) closed(from int, how string, untaken int64) {
	if c != nil {
		c.tap.queue.putClosed(c, from, ending{how, untaken})
	}
}
