package relay

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	// underWay is how many bytes are on their way at once at most, where bandwidth does not say it.
	underWay = 4 << 20
	// mostUnderWay is the same where bandwidth does.
	mostUnderWay = 64 << 20
	// piecesUnderWay bounds pieces too, as those of datagrams may be empty.
	piecesUnderWay = 64 << 10
)

// A piece is bytes, or a frame, on their way; or the end, which takes the same way.
type piece struct {
	data    []byte
	due     time.Time // when it arrives
	changed bool      // by corrupt
	end     error     // not nil: nothing comes after this; io.EOF for a clean end
}

// A delayLine holds pieces until they have arrived. One goroutine puts them in, another takes them out.
type delayLine struct {
	most int // bytes

	mu     sync.Mutex
	pieces []piece
	bytes  int
	free   chan struct{} // told when something was taken out
	filled chan struct{} // told when something was put in
}

func newDelayLine(most int) *delayLine {
	return &delayLine{most: most, free: make(chan struct{}, 1), filled: make(chan struct{}, 1)}
}

// room waits until there is room for n bytes, or ctx ends. An empty line has room for anything.
func (l *delayLine) room(ctx context.Context, n int) error {
	for !l.hasRoom(n) {
		if err := awaitWake(ctx, l.free); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (l *delayLine) hasRoom(n int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.pieces) == 0 || l.bytes+n <= l.most && len(l.pieces) < piecesUnderWay
}

// put adds p, which is then the line's.
func (l *delayLine) put(p piece) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pieces = append(l.pieces, p)
	l.bytes += len(p.data)
	wake(l.filled)
}

// first waits until there is a piece that is due, and returns it. It stays in the line until it is done with.
func (l *delayLine) first(ctx context.Context) (piece, error) {
	for {
		if p, ok := l.look(); ok {
			return p, waitUntil(ctx, p.due)
		}
		if err := awaitWake(ctx, l.filled); err != nil {
			return piece{}, err
		}
	}
}

func (l *delayLine) look() (piece, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pieces) == 0 {
		return piece{}, false
	}
	return l.pieces[0], true
}

// done takes out the first piece.
func (l *delayLine) done() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bytes -= len(l.pieces[0].data)
	l.pieces[0] = piece{}
	l.pieces = l.pieces[1:]
	wake(l.free)
}

func wake(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // told already
	}
}

func awaitWake(ctx context.Context, c <-chan struct{}) error {
	select {
	case <-c:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// waitUntil waits until then, or until ctx ends.
func waitUntil(ctx context.Context, then time.Time) error {
	wait := time.Until(then)
	if wait <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A link knows when pieces arrive that come one after the other.
type link struct {
	bandwidth       int64 // bits a second; 0: no limit
	latency, jitter time.Duration
	dice            *rand.Rand // of jitter

	free time.Time // when the last piece had been sent
}

// arrival is when n bytes arrive that set out now. slow says whether bandwidth and latency are in force.
func (l *link) arrival(now time.Time, n int, slow bool) time.Time {
	due := now
	if slow {
		if l.bandwidth > 0 {
			due = later(now, l.free).Add(time.Duration(float64(n) * 8 / float64(l.bandwidth) * float64(time.Second)))
			l.free = due
		}
		due = due.Add(l.latency)
		if l.jitter > 0 {
			due = due.Add(time.Duration(l.dice.Int64N(2*int64(l.jitter)+1)) - l.jitter)
		}
	}
	return due // earlier perhaps than that of the piece before; the line keeps the order
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// roomFor is how many bytes are under way at most, so that latency does not limit the rate.
func roomFor(f *Faults) int {
	if f.bandwidth == 0 {
		return underWay
	}
	// A tenth of a second more, so that the link never waits for the speaker's kernel; more would only hide the
	// back pressure of a slow link from who speaks.
	inFlight := float64(f.bandwidth) / 8 * (f.latency + f.jitter + 100*time.Millisecond).Seconds()
	return int(min(inFlight, mostUnderWay))
}

// stepFor is how many bytes are heard at once at most: what the link brings in a 50th of a second, so that bytes trickle
// over a slow one and do not come in gushes.
func stepFor(f *Faults) int {
	const most = 64 << 10
	if f.bandwidth == 0 {
		return most
	}
	return int(min(max(f.bandwidth/8/50, 1), most))
}
