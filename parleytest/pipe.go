package parleytest

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// A pipe is one direction of a conversation: what one end has said and the other has not yet heard.
type pipe struct {
	mu      sync.Mutex
	changed *sync.Cond
	data    []byte
	limit   int  // of data, in bytes
	talking bool // a write is under way; others wait, so that writes do not mix

	ended  bool // the sayer says no more
	reset  bool // the sayer has left without hearing all that was said to it
	silent bool // the sayer has closed
	deaf   bool // the hearer has closed

	readBy, writeBy deadline
}

func newPipe(limit int) *pipe {
	p := &pipe{limit: limit}
	p.changed = sync.NewCond(&p.mu)
	return p
}

func (p *pipe) read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.deaf:
			return 0, net.ErrClosed
		case p.readBy.passed:
			return 0, os.ErrDeadlineExceeded
		case len(b) == 0:
			return 0, nil
		case len(p.data) > 0:
			return p.take(b), nil
		case p.reset:
			return 0, os.NewSyscallError("read", syscall.ECONNRESET)
		case p.ended:
			return 0, io.EOF
		}
		p.changed.Wait()
	}
}

// take needs the lock.
func (p *pipe) take(b []byte) int {
	n := copy(b, p.data)
	p.data = p.data[n:]
	p.changed.Broadcast()
	return n
}

func (p *pipe) write(b []byte) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.talking && p.cannotWrite() == nil {
		p.changed.Wait()
	}
	if err := p.cannotWrite(); err != nil {
		return 0, err
	}
	p.talking = true
	defer func() {
		p.talking = false
		p.changed.Broadcast()
	}()
	for {
		k := min(len(b)-n, p.limit-len(p.data))
		p.data = append(p.data, b[n:n+k]...)
		p.changed.Broadcast()
		if n += k; n == len(b) {
			return n, nil
		}
		p.changed.Wait()
		if err := p.cannotWrite(); err != nil {
			return n, err
		}
	}
}

// cannotWrite needs the lock.
func (p *pipe) cannotWrite() error {
	switch {
	case p.silent:
		return net.ErrClosed
	case p.writeBy.passed:
		return os.ErrDeadlineExceeded
	case p.ended, p.deaf:
		return os.NewSyscallError("write", syscall.EPIPE)
	}
	return nil
}

// end says that the sayer says no more, which is all there is to a half-close.
func (p *pipe) end() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.silent {
		return net.ErrClosed
	}
	p.ended = true
	p.changed.Broadcast()
	return nil
}

// closeReading is the hearer's half of a close. It reports whether bytes were left unread.
func (p *pipe) closeReading() (unread bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.deaf {
		return false, net.ErrClosed
	}
	unread = len(p.data) > 0
	p.deaf, p.data = true, nil
	p.readBy.set(time.Time{}, p.changed)
	p.changed.Broadcast()
	return unread, nil
}

// closeWriting is the sayer's half of a close.
func (p *pipe) closeWriting(reset bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended, p.silent, p.reset = true, true, reset
	p.writeBy.set(time.Time{}, p.changed)
	p.changed.Broadcast()
}

func (p *pipe) setReadDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.deaf {
		return net.ErrClosed
	}
	p.readBy.set(t, p.changed)
	return nil
}

func (p *pipe) setWriteDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.silent {
		return net.ErrClosed
	}
	p.writeBy.set(t, p.changed)
	return nil
}
