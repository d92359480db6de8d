package sock

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/sys"
)

// A fakePackets is a socket on a network without a kernel, so that time and losses are the test's. A datagram goes from
// where its sender says.
type fakePackets struct {
	net.PacketConn // nil: nothing else is asked for
	heard          chan fakeDatagram
	once           sync.Once
	done           chan struct{}

	mu   sync.Mutex
	said []string
}

type fakeDatagram struct {
	from net.Addr
	text string
	err  error
}

func newFakePackets() *fakePackets {
	return &fakePackets{heard: make(chan fakeDatagram), done: make(chan struct{})}
}

func (f *fakePackets) LocalAddr() net.Addr { return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 7} }

func (f *fakePackets) Close() error { f.once.Do(func() { close(f.done) }); return nil }

func (f *fakePackets) SetReadDeadline(time.Time) error { return nil }

func (f *fakePackets) ReadFrom(p []byte) (int, net.Addr, error) {
	select {
	case d := <-f.heard:
		return copy(p, d.text), d.from, d.err
	case <-f.done:
		return 0, nil, net.ErrClosed
	}
}

func (f *fakePackets) WriteTo(p []byte, to net.Addr) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.said = append(f.said, fmt.Sprintf("%s to %v", p, to))
	return len(p), nil
}

// sender returns the address of the nth sender.
func sender(n int) net.Addr { return &net.UDPAddr{IP: net.IPv4(10, 0, byte(n>>8), byte(n)), Port: 9} }

// says has a sender say text; the listener has dealt with it when this returns.
func (f *fakePackets) says(n int, text string) {
	f.heard <- fakeDatagram{from: sender(n), text: text}
	synctest.Wait()
}

// withFakeSenders runs test in a bubble of its own time.
func withFakeSenders(t *testing.T, p Params, test func(t *testing.T, f *fakePackets, l *senderListener, d *dropping)) {
	synctest.Test(t, func(t *testing.T) {
		f, d := newFakePackets(), new(dropping)
		ln, err := ListenSenders(f, p, d.note)
		if err != nil {
			t.Fatal(err)
		}
		test(t, f, ln.(*senderListener), d)
		ln.Close()
		synctest.Wait()
		select {
		case <-f.done:
		default:
			t.Error("the socket is not closed, or some conversation is not")
		}
	})
}

func (d *dropping) says(t *testing.T, what string, words ...string) {
	t.Helper()
	all := d.all()
	if len(all) != 1 {
		t.Errorf("%s: dropped %q, want one", what, all)
	}
	if len(all) > 0 {
		says(t, what, all[len(all)-1], words...)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.from, d.errs = nil, nil
}

func acceptNow(t *testing.T, ln net.Listener) *Sender {
	t.Helper()
	nc, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return nc.(*Sender)
}

// reads fails t unless s has texts to hear, and then ends with want.
func reads(t *testing.T, s *Sender, want error, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if data, err := s.ReadDatagram(); string(data) != text || err != nil {
			t.Errorf("heard %q, %v, want %q", data, err, text)
		}
	}
	if want == nil {
		return
	}
	if data, err := s.ReadDatagram(); !errors.Is(err, want) {
		t.Errorf("heard %q, %v, want %v", data, err, want)
	}
}

// A sender has ended that is silent, and told nothing, for idle. What it says later begins anew.
func TestSendersIdle(t *testing.T) {
	withFakeSenders(t, Params{"idle": "8s"}, func(t *testing.T, f *fakePackets, l *senderListener, d *dropping) {
		time.Sleep(time.Hour) // of the bubble, so that no clock is at its zero
		began := time.Now()
		f.says(1, "from one")
		f.says(2, "from two")
		f.says(3, "from three")
		one, two, three := acceptNow(t, l), acceptNow(t, l), acceptNow(t, l)
		time.Sleep(6 * time.Second) // of the bubble
		f.says(2, "two again")
		if _, err := three.Write([]byte("what did you say?")); err != nil {
			t.Error(err)
		}
		reads(t, one, io.EOF, "from one")
		if took := time.Since(began); took < 8*time.Second || took > 9*time.Second {
			t.Errorf("one ended after %v, want 8s to 9s", took)
		}
		f.says(1, "one anew")
		anew := acceptNow(t, l)
		reads(t, anew, nil, "one anew")
		var ends sync.WaitGroup
		for s, texts := range map[*Sender][]string{two: {"from two", "two again"}, three: {"from three"}} {
			ends.Go(func() {
				reads(t, s, io.EOF, texts...)
				if took := time.Since(began); took < 14*time.Second || took > 15*time.Second {
					t.Errorf("%v ended after %v, want 14s to 15s", s.RemoteAddr(), took)
				}
			})
		}
		ends.Wait()
		if _, err := one.Write([]byte("late reply")); err != nil {
			t.Errorf("a reply after the end: %v", err)
		}
		if want := []string{"what did you say? to 10.0.0.3:9", "late reply to 10.0.0.1:9"}; !slices.Equal(f.said, want) {
			t.Errorf("said %q, want %q", f.said, want)
		}
		for _, s := range []*Sender{one, two, three, anew} {
			s.Close()
		}
		if len(l.talking) != 0 || l.open != 0 || l.waiting.Load() != 0 {
			t.Errorf("%d talk, %d are open, %d bytes wait", len(l.talking), l.open, l.waiting.Load())
		}
		if left := d.all(); len(left) != 0 {
			t.Errorf("dropped %q", left)
		}
	})
}

// When nobody has been left for a while, the next sender is ended by silence all the same.
func TestSendersIdleAgain(t *testing.T) {
	withFakeSenders(t, Params{"idle": "8s"}, func(t *testing.T, f *fakePackets, l *senderListener, _ *dropping) {
		for range 3 {
			began := time.Now()
			f.says(1, "x")
			s := acceptNow(t, l)
			s.SetReadDeadline(began.Add(time.Minute))
			reads(t, s, io.EOF, "x")
			if took := time.Since(began); took < 8*time.Second || took > 9*time.Second {
				t.Errorf("ended after %v, want 8s to 9s", took)
			}
			s.Close()
			time.Sleep(time.Hour) // of the bubble
		}
	})
}

func TestSendersIdleNever(t *testing.T) {
	withFakeSenders(t, Params{"idle": "0"}, func(t *testing.T, f *fakePackets, l *senderListener, _ *dropping) {
		f.says(1, "x")
		s := acceptNow(t, l)
		reads(t, s, nil, "x")
		time.Sleep(1000 * time.Hour) // of the bubble
		f.says(1, "y")
		reads(t, s, nil, "y")
		s.Close()
	})
}

// No more than senders talk at once, those counted whom nobody has accepted, or closed.
func TestSendersMaximum(t *testing.T) {
	withFakeSenders(t, Params{"senders": "2", "idle": "8s"}, func(t *testing.T, f *fakePackets, l *senderListener, d *dropping) {
		f.says(1, "x")
		f.says(2, "x")
		f.says(3, "x")
		if from := d.from; len(from) != 1 || from[0].String() != sender(3).String() {
			t.Errorf("dropped datagrams of %v", from)
		}
		d.says(t, "a third", "2 talk already", "senders=")
		f.says(2, "y")
		one, two := acceptNow(t, l), acceptNow(t, l)
		reads(t, one, io.EOF, "x")
		reads(t, two, io.EOF, "x", "y")
		f.says(3, "x")
		d.says(t, "a third, while those that have ended are open", "2 talk already")
		one.Close()
		f.says(3, "z")
		three := acceptNow(t, l)
		reads(t, three, nil, "z")
		two.Close()
		three.Close()
	})
}

// What waits is bounded: for each sender, for all, and the newcomers.
func TestSendersBounds(t *testing.T) {
	long := strings.Repeat("x", 50_000)
	withFakeSenders(t, nil, func(t *testing.T, f *fakePackets, l *senderListener, d *dropping) {
		for i := range waitingDatagrams + 1 {
			f.says(1, fmt.Sprint(i))
		}
		d.says(t, "too many", "64 of this sender wait", "2 bytes")
		for range waitingBytes/len(long) + 1 {
			f.says(2, long)
		}
		d.says(t, "too much", "dropped a datagram of 50000 bytes: 1000000 bytes of this sender wait")
		one, two := acceptNow(t, l), acceptNow(t, l)
		for i := range waitingDatagrams {
			reads(t, one, nil, fmt.Sprint(i))
		}
		reads(t, two, nil, long)
		f.says(1, "room again")
		f.says(2, long)
		reads(t, one, nil, "room again")
		if waits := l.waiting.Load(); waits != 1_000_000 {
			t.Errorf("%d bytes wait", waits)
		}
		one.Close()
		two.Close()
		if waits := l.waiting.Load(); waits != 0 {
			t.Errorf("%d bytes wait for nobody", waits)
		}
	})
	withFakeSenders(t, nil, func(t *testing.T, f *fakePackets, l *senderListener, d *dropping) {
		for i := range waitingSenders + 1 {
			f.says(i, "x")
		}
		d.says(t, "newcomers", "128 wait to be accepted")
		reads(t, acceptNow(t, l), nil, "x")
		f.says(waitingSenders, "x")
		l.waiting.Store(waitingInAll - 10)
		f.says(5, "12345678901")
		f.says(9999, "12345678901")
		if all := d.all(); len(all) != 2 {
			t.Errorf("dropped %q", all)
		}
		says(t, "of all", d.all()[0], "of all senders wait")
		for len(l.newcomers) > 0 {
			acceptNow(t, l).Close()
		}
		for _, s := range l.talking {
			s.Close()
		}
	})
}

// Who has ended and talks anew keeps the new conversation when the old one is closed.
func TestSendersCloseAfterEnd(t *testing.T) {
	withFakeSenders(t, Params{"eof": "empty"}, func(t *testing.T, f *fakePackets, l *senderListener, d *dropping) {
		f.says(1, "old")
		f.says(1, "")
		f.says(1, "new")
		old, anew := acceptNow(t, l), acceptNow(t, l)
		reads(t, old, io.EOF, "old")
		old.Close()
		f.says(1, "more")
		reads(t, anew, nil, "new", "more")
		if len(l.newcomers) != 0 || l.open != 1 {
			t.Errorf("%d wait to be accepted, %d are open, want the one", len(l.newcomers), l.open)
		}
		anew.Close()
		for len(l.newcomers) > 0 {
			acceptNow(t, l).Close()
		}
	})
}

// What Next returns is here already, or nothing.
func TestSendersNext(t *testing.T) {
	withFakeSenders(t, Params{"eof": "empty"}, func(t *testing.T, f *fakePackets, l *senderListener, d *dropping) {
		next := func(s *Sender, want string, wantOK bool) {
			t.Helper()
			if data, ok := s.Next(); string(data) != want || ok != wantOK {
				t.Errorf("heard %q, %v, want %q, %v", data, ok, want, wantOK)
			}
		}
		f.says(1, "one")
		f.says(1, "two")
		s := acceptNow(t, l)
		s.SetReadDeadline(Past)
		next(s, "one", true)
		next(s, "two", true)
		next(s, "", false)
		if waits := l.waiting.Load(); waits != 0 {
			t.Errorf("%d bytes wait", waits)
		}
		f.says(1, "three")
		f.says(1, "")
		next(s, "three", true)
		next(s, "", false)
		s.SetReadDeadline(time.Time{})
		reads(t, s, io.EOF)
		f.says(1, "anew")
		s.Close()
		next(s, "", false)
		anew := acceptNow(t, l)
		anew.Close()
		next(anew, "", false)
	})
	withFakeSenders(t, nil, func(t *testing.T, f *fakePackets, l *senderListener, d *dropping) {
		f.says(1, "") // without eof=empty it is one as any
		s := acceptNow(t, l)
		if data, ok := s.Next(); len(data) != 0 || !ok {
			t.Errorf("heard %q, %v, want an empty datagram", data, ok)
		}
		s.Close()
	})
}

// What is closed unheard is told once, by whoever closes.
func TestSendersCloseUnheard(t *testing.T) {
	withFakeSenders(t, nil, func(t *testing.T, f *fakePackets, l *senderListener, d *dropping) {
		for range 4 {
			f.says(1, "x")
		}
		f.says(2, "x")
		f.says(3, "x")
		three, one, all := acceptNow(t, l), acceptNow(t, l), acceptNow(t, l)
		reads(t, three, nil, "x")
		three.Close()
		three.Close()
		if from := d.from; len(from) != 1 || from[0].String() != sender(1).String() {
			t.Errorf("told of %v", from)
		}
		d.says(t, "three", "dropped 3 datagrams of a conversation that was closed")
		one.Close()
		d.says(t, "one", "dropped a datagram of a conversation that was closed")
		reads(t, all, nil, "x")
		all.Close()
		if left := d.all(); len(left) != 0 {
			t.Errorf("dropped %q of a conversation that heard all", left)
		}
		f.says(4, "x")
		l.Close()
		d.says(t, "nobody accepts it", "dropped a datagram of a conversation that was closed")
	})
}

// A failing socket is told of and tried again; what became of earlier datagrams is nobody's fault.
func TestSendersOutlastFailures(t *testing.T) {
	withFakeSenders(t, nil, func(t *testing.T, f *fakePackets, l *senderListener, d *dropping) {
		for _, err := range []error{sys.Reset[0], sys.Refused[0], sys.Unreachable[0]} {
			f.heard <- fakeDatagram{err: &net.OpError{Op: "read", Err: err}}
		}
		broken := errors.New("out of order")
		began := time.Now()
		f.heard <- fakeDatagram{err: broken}
		f.heard <- fakeDatagram{err: broken}
		f.says(1, "x")
		if took := time.Since(began); took != 15*time.Millisecond {
			t.Errorf("tried again after %v, want 5 ms and 10 ms", took)
		}
		if all := d.all(); len(all) != 2 || all[0] != broken || d.from[0] != nil {
			t.Errorf("told %q of %v", all, d.from)
		}
		f.says(2, strings.Repeat("x", MaxDatagram(f.LocalAddr())))
		if all := d.all(); len(all) == 3 {
			says(t, "cut off", all[2], "more than the 65536 bytes")
		} else {
			t.Errorf("told %q", all)
		}
		s := acceptNow(t, l)
		reads(t, s, nil, "x")
		s.Close()
	})
}

// A closed listener does not wait for a failing socket.
func TestSendersCloseWhileItFails(t *testing.T) {
	withFakeSenders(t, nil, func(t *testing.T, f *fakePackets, l *senderListener, d *dropping) {
		began := time.Now()
		f.heard <- fakeDatagram{err: errors.New("out of order")}
		l.Close()
		synctest.Wait()
		if took := time.Since(began); took != 0 {
			t.Errorf("the goroutine waited for %v", took)
		}
	})
}

// A read that waits is ended by the clock, or by a deadline that is set meanwhile.
func TestSendersFutureDeadline(t *testing.T) {
	withFakeSenders(t, nil, func(t *testing.T, f *fakePackets, l *senderListener, _ *dropping) {
		f.says(1, "x")
		s := acceptNow(t, l)
		reads(t, s, nil, "x")
		began := time.Now()
		s.SetReadDeadline(began.Add(time.Second))
		var timeout net.Error
		if _, err := s.ReadDatagram(); !errors.As(err, &timeout) || !timeout.Timeout() || time.Since(began) != time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		s.SetReadDeadline(time.Time{})
		ended := make(chan error, 1)
		go func() { _, err := s.ReadDatagram(); ended <- err }()
		synctest.Wait()
		s.SetReadDeadline(Past)
		if err := <-ended; !errors.As(err, &timeout) || time.Since(began) != time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		s.SetReadDeadline(began.Add(time.Hour)) // Close stops its timer
		s.Close()
	})
}

// The queue keeps the order, however takes and puts follow each other.
func TestSendersQueue(t *testing.T) {
	var q datagrams
	said, heard, bytes := 0, 0, 0
	for _, puts := range []int{1, 3, 1, 2, 5, 0, 4, 9, 1, 0, 0, 0, 7} {
		for range puts {
			q.put([]byte(strings.Repeat("x", said)))
			bytes += said
			said++
		}
		for range min(2, q.len()) {
			data := q.take()
			if len(data) != heard {
				t.Fatalf("took number %d, want %d", len(data), heard)
			}
			bytes -= heard
			heard++
		}
		if q.len() != said-heard || q.bytes != bytes {
			t.Fatalf("%d of %d bytes wait, want %d of %d", q.len(), q.bytes, said-heard, bytes)
		}
	}
	for q.len() > 0 {
		q.take()
	}
	if cap(q.all) > keptPlaces || q.bytes != 0 {
		t.Errorf("an empty queue keeps %d places, %d bytes", cap(q.all), q.bytes)
	}
}
