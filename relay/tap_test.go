package relay

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/frame"
	"parley/transcript"
)

var tapRoles = [2]string{"client", "server"}

// bothLines is a TapOptions.Frame.
var bothLines = [2]frame.Format{frame.Line(), frame.Line()}

func TestTapWrites(t *testing.T) {
	for _, test := range []struct {
		name string
		opts TapOptions
		say  func(c *tapped)
		want string
	}{
		{"pieces", TapOptions{}, func(c *tapped) {
			c.piece(0, []byte("EHLO x\r\nMAIL"), false)
			c.piece(1, []byte{0xff, 0}, false)
			c.piece(0, nil, false)
		}, `said 1 client 12 "EHLO x\r\nMAIL" by read; said 2 server 2 "\xff\x00" by read`},
		{"clipped", TapOptions{Keep: 4}, func(c *tapped) {
			c.piece(0, []byte("12345"), false)
			c.piece(0, []byte("123\u00e9"), false)
			c.piece(0, []byte("1234"), false)
			c.piece(0, []byte("message"), true)
		}, `said 1 client 5 "1234"… by read; said 2 client 5 "123"… by read; said 3 client 4 "1234" by read; said 4 client 7 "mess"…`},
		{"long pieces are divided", TapOptions{Keep: 1}, func(c *tapped) {
			c.piece(0, bytes.Repeat([]byte("a"), maxPiece+1), false)
		}, `said 1 client 65536 "a"… by read; said 2 client 1 "a" by read`},
		{"lines", TapOptions{Frame: bothLines}, func(c *tapped) {
			c.piece(0, []byte("one\ntw"), false)
			c.piece(1, []byte("eins\r\n"), false)
			c.piece(0, []byte("o\nthree"), false)
			c.halfClosed(0)
		}, `said 1 client 4 "one" end line; said 2 server 6 "eins" end line; said 3 client 4 "two" end line; ` +
			`said 4 client 5 "three" part; half-closed client`},
		{"lines from one end", TapOptions{Frame: [2]frame.Format{1: frame.CRLF()}}, func(c *tapped) {
			c.piece(0, []byte("one\ntw"), false)
			c.piece(1, []byte("eins\r\nzw"), false)
			c.closed(1, transcript.HowTruncated, 0)
		}, `said 1 client 6 "one\ntw" by read; said 2 server 6 "eins" end crlf; said 3 server 2 "zw" part; closed server truncated 0`},
		{"clipped lines", TapOptions{Frame: bothLines, Keep: 2}, func(c *tapped) {
			c.piece(0, []byte("12\n123\n"), false)
		}, `said 1 client 3 "12" end line; said 2 client 4 "12"… end line`},
		{"whole messages", TapOptions{Frame: [2]frame.Format{frame.CRLF(), nil}}, func(c *tapped) {
			c.piece(0, []byte("one"), true)
			c.piece(0, nil, true)
			c.piece(1, []byte("two"), true)
		}, `said 1 client 5 "one" end crlf; said 2 client 2 "" end crlf; said 3 server 3 "two"`},
		{"datagrams", TapOptions{}, func(c *tapped) {
			c.edges[0] = true
			c.piece(0, []byte("one"), true)
		}, `said 1 client 3 "one" end packet`},
		{"ends", TapOptions{}, func(c *tapped) {
			c.halfClosed(1)
			c.closed(0, transcript.HowReset, 214)
			c.closed(1, transcript.HowClean, 0)
		}, `half-closed server; closed client reset 214; closed server clean 0`},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			tap := NewTap(&out, test.opts)
			test.say(openTap(t, tap))
			closeTap(t, tap)
			if got := tell(linesOf(t, &out)[2:]); got != test.want {
				t.Errorf("the transcript says\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestTapBeginning(t *testing.T) {
	var out bytes.Buffer
	tap := NewTap(&out, TapOptions{Program: "parley 9", Verb: "relay", Address: []string{"1", "2"}, Frame: [2]frame.Format{frame.CRLF(), nil}})
	a, b := tapPair(t)
	tap.open(a, b, tapRoles)
	tap.open(b, a, [2]string{"x", "y"})
	closeTap(t, tap)
	lines := linesOf(t, &out)
	if h := lines[0].(transcript.Hello); h.Program != "parley 9" || h.Verb != "relay" || !slices.Equal(h.Address, []string{"1", "2"}) {
		t.Errorf("hello is %+v", h)
	}
	first, second := lines[1].(transcript.Opened), lines[2].(transcript.Opened)
	if want := []transcript.End{{Role: "client", Addr: "mem:server"}, {Role: "server", Addr: "mem:" + b.RemoteAddr().String()}}; first.Call != 1 || !slices.Equal(first.Ends, want) {
		t.Errorf("opened as %+v, want call 1 and ends %+v", first, want)
	}
	if first.Formats["client"] != "crlf" || len(first.Formats) != 1 {
		t.Errorf("formats are %v, want only crlf of the client", first.Formats)
	}
	if second.Call != 2 || second.Ends[0].Role != "x" {
		t.Errorf("the second conversation is %+v", second)
	}
}

func TestTapAddr(t *testing.T) {
	for _, test := range []struct {
		addr net.Addr
		want string
	}{
		{nil, ""},
		{&net.TCPAddr{IP: net.IPv4(10, 0, 0, 7), Port: 51234}, "10.0.0.7:51234"},
		{&net.UnixAddr{Net: "unix", Name: "/run/s"}, "unix:/run/s"},
		{&net.UnixAddr{Net: "unix", Name: "@"}, "unnamed"},
		{(*net.UnixAddr)(nil), "unnamed"},
	} {
		if got := tapAddr(test.addr); got != test.want {
			t.Errorf("%#v is %q, want %q", test.addr, got, test.want)
		}
	}
}

// Whoever has no Tap calls it all the same.
func TestTapNil(t *testing.T) {
	a, b := tapPair(t)
	c := (*Tap)(nil).open(a, b, tapRoles)
	c.piece(0, []byte("x"), false)
	c.halfClosed(0)
	c.closed(0, "", 0)
	if c != nil {
		t.Error("no Tap has opened something")
	}
}

// What passes after the end is neither written nor missed.
func TestTapAfterClose(t *testing.T) {
	var out bytes.Buffer
	tap := NewTap(&out, TapOptions{})
	c := openTap(t, tap)
	closeTap(t, tap)
	c.piece(0, []byte("late"), false)
	closeTap(t, tap)
	if strings.Contains(out.String(), "late") {
		t.Error("written after Close")
	}
	if n, _ := tap.Lost(); n != 0 {
		t.Errorf("%d messages are lost", n)
	}
}

func TestTapShows(t *testing.T) {
	var shown []transcript.Line
	tap := NewTap(nil, TapOptions{Show: func(l transcript.Line) {
		if f, ok := l.(transcript.Frame); ok {
			f.Data = bytes.Clone(f.Data)
			l = f
		}
		shown = append(shown, l)
	}})
	openTap(t, tap).piece(0, []byte("seen"), false)
	closeTap(t, tap)
	if got, want := tell(shown[2:]), `said 1 client 4 "seen" by read`; got != want {
		t.Errorf("shown: %s, want %s", got, want)
	}
}

// A gate is a writer that takes nothing before it is opened.
type gate struct {
	bytes.Buffer
	tried, opened chan struct{}
	once          sync.Once
}

func newGate() *gate { return &gate{tried: make(chan struct{}), opened: make(chan struct{})} }

func (g *gate) Write(p []byte) (int, error) {
	g.once.Do(func() { close(g.tried) })
	<-g.opened
	return g.Buffer.Write(p)
}

func TestTapQueueFull(t *testing.T) {
	for name, whole := range map[string]bool{"pieces": false, "messages": true} {
		t.Run(name, func(t *testing.T) {
			out := newGate()
			tap := NewTap(out, TapOptions{Queue: 4 << 10})
			<-out.tried
			c := openTap(t, tap)
			const said = 100
			for i := range said {
				c.piece(i%2, []byte("something"), whole)
			}
			c.halfClosed(0)
			c.closed(0, transcript.HowClean, 0)
			close(out.opened)
			closeTap(t, tap)
			checkLoss(t, tap, linesOf(t, &out.Buffer), said)
		})
	}
}

// checkLoss checks that a loss is told, in the right place and in full.
func checkLoss(t *testing.T, tap *Tap, lines []transcript.Line, said int64) {
	t.Helper()
	var n, lost, lostBytes int64
	for _, l := range lines {
		switch l := l.(type) {
		case transcript.Frame:
			if n++; l.N != n {
				t.Fatalf("message %d is numbered %d", n, l.N)
			}
		case transcript.Lost:
			if l.From != n+1 || l.Call != 1 || l.Why != "queue full" {
				t.Errorf("after message %d: %+v", n, l)
			}
			n += l.Count
			lost += l.Count
			lostBytes += l.Bytes
		}
	}
	if n != said || lost == 0 || lostBytes != lost*int64(len("something")) {
		t.Errorf("of %d messages %d are told of; %d with %d bytes as lost", said, n, lost, lostBytes)
	}
	if count, bytes := tap.Lost(); count != lost || bytes != lostBytes {
		t.Errorf("Lost says %d messages with %d bytes, the transcript %d with %d", count, bytes, lost, lostBytes)
	}
	if end, ok := lines[len(lines)-1].(transcript.Closed); !ok || end.How != transcript.HowClean {
		t.Errorf("the last line is %+v, want the end: it has room of its own", lines[len(lines)-1])
	}
}

// After a loss nobody knows where in a message its end was; the cutting begins anew with what comes then.
func TestTapLossCutsAnew(t *testing.T) {
	out := newGate()
	tap := NewTap(out, TapOptions{Queue: 4 << 10, Frame: bothLines})
	<-out.tried
	c := openTap(t, tap)
	c.piece(1, []byte("begun "), false)
	c.piece(0, []byte("begun, "), false)
	c.piece(0, bytes.Repeat([]byte("x"), 4<<10), false)
	c.piece(1, []byte("and ended\n"), false)
	c.piece(0, []byte("new\n"), false)
	close(out.opened)
	closeTap(t, tap)
	want := `said 1 client 7 "begun, " part; lost 2 1 4096 queue full; what client says is cut anew after it; ` +
		`said 3 server 16 "begun and ended" end line; said 4 client 4 "new" end line`
	if got := tell(linesOf(t, &out.Buffer)[2:]); got != want {
		t.Errorf("the transcript says\n%s\nwant\n%s", got, want)
	}
}

// Conversations that come and go under a writer that takes nothing do not take memory for good, and are counted.
func TestTapQueueFullOfConversations(t *testing.T) {
	out := newGate()
	tap := NewTap(out, TapOptions{Queue: 64 << 10})
	<-out.tried
	a, b := tapPair(t)
	const calls = 10_000
	for range calls {
		c := tap.open(a, b, tapRoles)
		c.piece(0, []byte("something"), false)
		c.closed(0, transcript.HowClean, 0)
		c.closed(1, transcript.HowClean, 0)
	}
	if held, short := tap.queue.filling.size(), len(tap.queue.short); held > 32<<10 || short > 1 {
		t.Errorf("%d bytes are held, and %d conversations besides", held, short)
	}
	close(out.opened)
	closeTap(t, tap)
	var told, lost int64
	var last transcript.Lost
	for _, l := range linesOf(t, &out.Buffer) {
		switch l := l.(type) {
		case transcript.Frame:
			told++
		case transcript.Lost:
			last = l
			lost += l.Count
		}
	}
	if told+lost != calls || lost == 0 {
		t.Errorf("of %d messages %d are written, %d told of as lost", calls, told, lost)
	}
	if last.Call != 0 || !strings.Contains(last.Why, "lines of how conversations began and ended") {
		t.Errorf("the last loss is %+v, want that of conversations that have ended", last)
	}
}

var errDisk = errors.New("no space left on device")

// A fullDisk takes some bytes and no more.
type fullDisk struct{ left int }

func (d *fullDisk) Write(p []byte) (int, error) {
	n := min(len(p), d.left)
	d.left -= n
	if n < len(p) {
		return n, errDisk
	}
	return n, nil
}

func TestTapFullDisk(t *testing.T) {
	var told []error
	shown := 0
	tap := NewTap(&fullDisk{left: 500}, TapOptions{
		Failed: func(err error) { told = append(told, err) },
		Show:   func(transcript.Line) { shown++ },
	})
	c := openTap(t, tap)
	for range 10_000 {
		c.piece(0, []byte("something"), false)
	}
	if err := tap.Close(); !errors.Is(err, errDisk) || !errors.Is(tap.Err(), errDisk) {
		t.Errorf("Close says %v, Err %v; want both %v", err, tap.Err(), errDisk)
	}
	if len(told) != 1 || !errors.Is(told[0], errDisk) {
		t.Errorf("told %v, want one error", told)
	}
	if shown != 10_002 {
		t.Errorf("%d lines are shown, want all 10,002", shown)
	}
}

// Whoever writes nothing and reports nothing, as a pipe that nobody reads, is waited for as long as he takes anything.
func TestTapCloseStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newGate()
		tap := NewTap(out, TapOptions{})
		openTap(t, tap)
		if err := tap.Close(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Close says %v, want that it gave up", err)
		}
		close(out.opened)
		closeTap(t, tap)
	})
}

// A slowDisk takes a second for every line, in virtual time.
type slowDisk struct{ bytes.Buffer }

func (d *slowDisk) Write(p []byte) (int, error) {
	<-time.After(time.Second)
	return d.Buffer.Write(p)
}

func TestTapCloseSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := new(slowDisk)
		tap := NewTap(out, TapOptions{Keep: -1})
		c := openTap(t, tap)
		for range 20 {
			c.piece(0, make([]byte, maxPiece), false)
		}
		closeTap(t, tap)
		if lines := linesOf(t, &out.Buffer); len(lines) != 22 {
			t.Errorf("%d lines are written, want 22", len(lines))
		}
	})
}

// Whole lines only reach the writer, and the last at once.
func TestTapFlushes(t *testing.T) {
	out, in := io.Pipe()
	tap := NewTap(in, TapOptions{})
	lines := transcript.NewReader(out).Lines()
	c := openTap(t, tap)
	c.piece(0, []byte("now"), false)
	for l, err := range lines {
		if err != nil {
			t.Fatal(err)
		}
		if f, ok := l.(transcript.Frame); ok && string(f.Data) == "now" {
			break // though the Tap is not closed
		}
	}
	closeTap(t, tap)
}

func TestTapManyAtOnce(t *testing.T) {
	var out bytes.Buffer
	tap := NewTap(&out, TapOptions{Queue: 32 << 10, Frame: bothLines})
	a, b := tapPair(t)
	const calls, said = 20, 500
	var wg sync.WaitGroup
	for range calls {
		c := tap.open(a, b, tapRoles)
		for from := range 2 {
			wg.Go(func() {
				for i := range said {
					c.piece(from, fmt.Appendf(nil, "%d\n", i), false)
				}
				c.closed(from, transcript.HowClean, 0)
			})
		}
	}
	wg.Wait()
	closeTap(t, tap)
	n := map[int64]int64{}
	for _, l := range linesOf(t, &out) {
		switch l := l.(type) {
		case transcript.Frame:
			n[l.Call]++
		case transcript.Lost:
			n[l.Call] += l.Count
		}
	}
	var sum int64
	for _, told := range n {
		sum += told
	}
	if sum != 2*calls*said {
		t.Errorf("of %d messages %d are told of", 2*calls*said, sum)
	}
}

func TestTapAllocates(t *testing.T) {
	tap := NewTap(nil, TapOptions{Queue: 1 << 20})
	defer closeTap(t, tap)
	c := openTap(t, tap)
	p := make([]byte, 64)
	if n := testing.AllocsPerRun(50_000, func() { c.piece(0, p, false) }); n >= 1 {
		t.Errorf("%v allocations a piece", n)
	}
}

func openTap(t testing.TB, tap *Tap) *tapped {
	a, b := tapPair(t)
	return tap.open(a, b, tapRoles)
}

func closeTap(t *testing.T, tap *Tap) {
	t.Helper()
	if err := tap.Close(); err != nil {
		t.Errorf("close the tap: %v", err)
	}
}

func linesOf(t *testing.T, r io.Reader) (lines []transcript.Line) {
	t.Helper()
	for l, err := range transcript.NewReader(r).Lines() {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
	return lines
}

// tell is short for lines of one conversation.
func tell(lines []transcript.Line) string {
	var told []string
	for _, l := range lines {
		switch l := l.(type) {
		case transcript.Frame:
			told = append(told, tellFrame(l))
		case transcript.HalfClosed:
			told = append(told, "half-closed "+l.Role)
		case transcript.Closed:
			told = append(told, fmt.Sprintf("closed %s %s %d", l.Role, l.How, l.Untaken))
		case transcript.Lost:
			told = append(told, fmt.Sprintf("lost %d %d %d %s", l.From, l.Count, l.Bytes, l.Why))
		default:
			told = append(told, fmt.Sprintf("%T", l))
		}
	}
	return strings.Join(told, "; ")
}

func tellFrame(f transcript.Frame) string {
	s := fmt.Sprintf("said %d %s %d %q", f.N, f.Role, f.Bytes, f.Data)
	if f.Clipped {
		s += "…"
	}
	if f.Part {
		s += " part"
	}
	if f.End != "" {
		s += " end " + f.End
	}
	if f.By != "" {
		s += " by " + f.By
	}
	return s
}
