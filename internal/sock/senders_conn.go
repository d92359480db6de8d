package sock

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// A Sender is the conversation with one sender of datagrams: a net.Conn on which one Write is one datagram, and so is one
// Read. It shares its socket with all others of its listener; see ListenSenders. While it is idle it holds no memory beside
// itself, no goroutine and no timer.
type Sender struct {
	listener *senderListener
	way      *way
	key      senderKey
	local    net.Addr
	remote   net.Addr
	active   atomic.Int64 // when it last spoke or was spoken to, by the listener's clock

	mu              sync.Mutex
	wake            sync.Cond // something below has changed
	queue           datagrams
	ended           bool // no more will come into the queue
	closed          bool
	readBy, writeBy callLimit
}

func newSender(l *senderListener, w *way, key senderKey, from net.Addr) *Sender {
	s := &Sender{listener: l, way: w, key: key, local: w.local(key), remote: key.addr(from)}
	s.wake.L = &s.mu
	return s
}

// isNameless reports whether nobody can know its next datagram for its own, nor answer it.
func (s *Sender) isNameless() bool { return s.key == senderKey{} }

// put keeps a copy of data until somebody hears it.
func (s *Sender) put(data []byte) error {
	l := s.listener
	s.active.Store(l.now())
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.queue.len() == waitingDatagrams:
		return fmt.Errorf("dropped a datagram of %d bytes: %d of this sender wait to be heard", len(data), waitingDatagrams)
	case s.queue.bytes+len(data) > waitingBytes:
		return fmt.Errorf("dropped a datagram of %d bytes: %d bytes of this sender wait to be heard", len(data), s.queue.bytes)
	case l.waiting.Load()+int64(len(data)) > waitingInAll:
		return fmt.Errorf("dropped a datagram of %d bytes: %d bytes of all senders wait to be heard", len(data), l.waiting.Load())
	}
	l.waiting.Add(int64(len(data)))
	s.queue.put(append(make([]byte, 0, len(data)), data...))
	s.wake.Broadcast()
	return nil
}

// end makes io.EOF the last thing that is heard.
func (s *Sender) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.wake.Broadcast()
}

// ReadDatagram returns the next datagram, which is then the caller's. io.EOF: the sender has ended.
func (s *Sender) ReadDatagram() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.closed:
			return nil, s.failed("read", net.ErrClosed)
		case s.readBy.passed():
			return nil, s.failed("read", os.ErrDeadlineExceeded)
		case s.queue.len() > 0:
			return s.take(), nil
		case s.ended:
			return nil, io.EOF
		}
		s.wake.Wait()
	}
}

// Next returns the next datagram if it is here already; it is then the caller's. It does not wait, and so no deadline holds
// for it. ok is false if there is none: the sender has said no more yet, or has ended, or s is closed.
func (s *Sender) Next() (data []byte, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queue.len() == 0 { // as it is once closed
		return nil, false
	}
	return s.take(), true
}

// take takes the next datagram out of the queue, which has one. It needs the lock.
func (s *Sender) take() []byte {
	data := s.queue.take()
	s.listener.waiting.Add(-int64(len(data)))
	return data
}

// Read hears the next datagram. What does not fit into p is lost, as on every datagram socket.
func (s *Sender) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, s.checkOpen("read")
	}
	data, err := s.ReadDatagram()
	return copy(p, data), err
}

// Write says p as one datagram. A *SizeError means that it is too long for one.
func (s *Sender) Write(p []byte) (int, error) {
	if len(p) == 0 && s.listener.emptyEnds {
		return 0, s.failed("write", errEmptyIsEnd)
	}
	return s.write(p)
}

// write waits for a Unix socket that has no room, for the system would keep everybody who writes waiting for it.
func (s *Sender) write(p []byte) (int, error) {
	const first, longest = time.Millisecond, 50 * time.Millisecond
	for pause := first; ; pause = min(2*pause, longest) {
		if err := s.checkWrite(); err != nil {
			return 0, err
		}
		full, err := s.way.write(p, s.key, s.remote)
		if err != nil {
			return 0, s.explain(err, len(p))
		}
		if !full {
			s.active.Store(s.listener.now())
			return len(p), nil
		}
		s.waitAtMost(pause)
	}
}

func (s *Sender) checkWrite() error {
	if s.isNameless() {
		return s.failed("write", errNameless)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return s.failed("write", net.ErrClosed)
	case s.writeBy.passed():
		return s.failed("write", os.ErrDeadlineExceeded)
	}
	return nil
}

var errNameless = errors.New("the sender has no name to be answered by; it must bind its socket to one, as call does with from=PATH")

// waitAtMost waits for pause, or for a deadline or the close.
func (s *Sender) waitAtMost(pause time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	timer := time.AfterFunc(pause, s.ring)
	s.wake.Wait()
	timer.Stop()
}

// ring has those who wait look again.
func (s *Sender) ring() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wake.Broadcast()
}

// explain names the conversation in an error of the socket, which knows no other end.
func (s *Sender) explain(err error, size int) error {
	if oe, ok := err.(*net.OpError); ok {
		err = oe.Err
	}
	return ExplainSize(s.failed("write", err), size, s.way.PacketConn)
}

// CloseWrite says the end as an empty datagram, with eof=empty. Without, there is no end to be said: errors.ErrUnsupported.
func (s *Sender) CloseWrite() error {
	if !s.listener.emptyEnds {
		return s.failed("close", fmt.Errorf("no half-close on %s without eof=empty: %w", s.LocalAddr().Network(), errors.ErrUnsupported))
	}
	_, err := s.write(nil)
	return err
}

// Close forgets the sender; what it has said and nobody has heard is lost, as the listener's dropped is told. The sender is
// told nothing.
func (s *Sender) Close() error {
	was, err := s.listener.close(s)
	if !was {
		return s.failed("close", net.ErrClosed)
	}
	return err
}

// close reports whether it was open, and how many datagrams nobody has heard.
func (s *Sender) close() (was bool, unheard int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false, 0
	}
	s.closed = true
	unheard = s.queue.len()
	s.listener.waiting.Add(-int64(s.queue.bytes))
	s.queue = datagrams{}
	s.readBy.set(time.Time{}, nil)
	s.writeBy.set(time.Time{}, nil)
	s.wake.Broadcast()
	return true, unheard
}

func (s *Sender) checkOpen(op string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return s.failed(op, net.ErrClosed)
	}
	return nil
}

func (s *Sender) failed(op string, err error) error {
	return &net.OpError{Op: op, Net: s.LocalAddr().Network(), Source: s.LocalAddr(), Addr: s.remote, Err: err}
}

// LocalAddr returns where its listener listens, in the sender's address family. If that is every interface, it is the
// address that the sender has called, with the port, on systems that tell it; see ListenSenders.
func (s *Sender) LocalAddr() net.Addr { return s.local }

// RemoteAddr returns the sender's address. That of a Unix socket without a name is empty.
func (s *Sender) RemoteAddr() net.Addr { return s.remote }

// SetDeadline is SetReadDeadline and SetWriteDeadline.
func (s *Sender) SetDeadline(t time.Time) error {
	return cmp.Or(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

// SetReadDeadline bounds Read and ReadDatagram, those too that wait already.
func (s *Sender) SetReadDeadline(t time.Time) error { return s.setLimit(&s.readBy, t) }

// SetWriteDeadline bounds Write. A write to an Internet socket that has begun waits for this system only, and not for long.
func (s *Sender) SetWriteDeadline(t time.Time) error { return s.setLimit(&s.writeBy, t) }

func (s *Sender) setLimit(c *callLimit, t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return s.failed("set", net.ErrClosed)
	}
	c.set(t, s.ring)
	s.wake.Broadcast()
	return nil
}

// A callLimit is a deadline. It holds a timer only while it lies ahead.
type callLimit struct {
	at    time.Time // the zero time means none
	timer *time.Timer
}

// set has ring called when t comes.
func (c *callLimit) set(t time.Time, ring func()) {
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	if c.at = t; t.IsZero() {
		return
	}
	if wait := time.Until(t); wait > 0 {
		c.at = time.Now().Add(wait) // by the clock of timers, or one could ring before its time
		c.timer = time.AfterFunc(wait, ring)
	}
}

func (c *callLimit) passed() bool { return !c.at.IsZero() && !time.Now().Before(c.at) }

// datagrams is a queue.
type datagrams struct {
	all   [][]byte
	next  int // of all; those before it have been taken
	bytes int
}

// keptPlaces is how many places an empty queue keeps, so that a sender who waits for each reply costs no allocation for
// them, and an idle one little memory.
const keptPlaces = 1

func (q *datagrams) len() int { return len(q.all) - q.next }

func (q *datagrams) put(data []byte) {
	if q.next > 0 && len(q.all) == cap(q.all) {
		q.all, q.next = q.all[:copy(q.all, q.all[q.next:])], 0
	}
	q.all = append(q.all, data)
	q.bytes += len(data)
}

func (q *datagrams) take() []byte {
	data := q.all[q.next]
	q.all[q.next] = nil
	q.next++
	q.bytes -= len(data)
	if q.next == len(q.all) {
		q.all, q.next = q.all[:0], 0
		if cap(q.all) > keptPlaces {
			q.all = nil
		}
	}
	return data
}
