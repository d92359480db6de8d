package local

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"parley/internal/mutex"
)

// pumpSize is how much is read or written at once where the system cannot wait, in bytes.
const pumpSize = 64 << 10

// await waits until ready or closed is closed, or the deadline has come first; it returns nil,
// net.ErrClosed or os.ErrDeadlineExceeded.
func await(ready, closed <-chan struct{}, by *deadline) error {
	late := by.wait()
	switch {
	case isClosed(closed):
		return net.ErrClosed
	case isClosed(late):
		return os.ErrDeadlineExceeded
	}
	select {
	case <-closed:
		return net.ErrClosed
	case <-late:
		return os.ErrDeadlineExceeded
	case <-ready:
		return nil
	}
}

// A pump reads or writes a file that the system cannot wait for, each time in a goroutine of its own: so deadlines work, and
// what a read that was given up has brought is kept for the next one. A goroutine that waits when the file is closed ends when
// the system's call does, with the next byte perhaps.
type pump struct {
	f      *os.File
	by     deadline
	turn   mutex.Mutex // guards what follows
	busy   bool        // a goroutine is at work
	done   chan struct{}
	n      int
	err    error
	memory []byte
	rest   []byte // of memory: read, and taken by nobody

	once   sync.Once
	closed chan struct{}
}

func newPump(f *os.File) *pump {
	return &pump{f: f, done: make(chan struct{}, 1), closed: make(chan struct{}), memory: make([]byte, pumpSize)}
}

func (p *pump) Close() error {
	err := error(nil)
	p.once.Do(func() {
		close(p.closed)
		err = p.f.Close()
	})
	return err
}

func (p *pump) file() *os.File { return nil } // the kernel would wait without end

// settle waits until no goroutine is at work. It needs the turn.
func (p *pump) settle() error {
	if !p.busy {
		return nil
	}
	if err := await(p.done, p.closed, &p.by); err != nil {
		return err
	}
	p.busy = false
	return nil
}

type pumpIn struct{ *pump }

func newPumpIn(f *os.File) *pumpIn { return &pumpIn{newPump(f)} }

func (p *pumpIn) SetReadDeadline(t time.Time) error { p.by.set(t); return nil }

func (p *pumpIn) Read(b []byte) (int, error) {
	_ = p.turn.Lock(context.Background())
	defer p.turn.Unlock()
	if p.by.hasPassed() {
		return 0, os.ErrDeadlineExceeded
	}
	if len(b) == 0 {
		return 0, nil
	}
	if len(p.rest) == 0 {
		if !p.busy {
			p.busy = true
			go p.fetch()
		}
		if err := p.settle(); err != nil {
			return 0, err
		}
		p.rest = p.memory[:p.n]
	}
	if len(p.rest) == 0 {
		return 0, p.err
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

func (p *pumpIn) fetch() {
	p.n, p.err = p.f.Read(p.memory)
	if p.n == 0 && p.err == nil {
		p.err = io.EOF
	}
	p.done <- struct{}{}
}

type pumpOut struct{ *pump }

func newPumpOut(f *os.File) *pumpOut { return &pumpOut{newPump(f)} }

func (p *pumpOut) SetWriteDeadline(t time.Time) error { p.by.set(t); return nil }

// Write counts a piece as written when it is given to the system, as that cannot be taken back. An error of such a piece is
// that of the next call.
func (p *pumpOut) Write(b []byte) (total int, err error) {
	_ = p.turn.Lock(context.Background())
	defer p.turn.Unlock()
	for {
		if err := p.settle(); err != nil {
			return total, err
		}
		if p.err != nil {
			return max(0, total-(len(p.rest)-p.n)), p.err // of a piece of an earlier call nothing was counted in this one
		}
		if len(b) == 0 {
			return total, nil
		}
		if p.by.hasPassed() {
			return total, os.ErrDeadlineExceeded
		}
		p.rest = p.memory[:copy(p.memory, b)]
		b = b[len(p.rest):]
		total += len(p.rest)
		p.busy = true
		go p.put()
	}
}

func (p *pumpOut) put() {
	p.n, p.err = p.f.Write(p.rest)
	p.done <- struct{}{}
}

// finish waits until all is written.
func (p *pumpOut) finish() error {
	_ = p.turn.Lock(context.Background())
	defer p.turn.Unlock()
	err := p.settle()
	if err == nil {
		err = p.err
	}
	return errors.Join(err, p.Close())
}
