package relay

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"parley"
)

// Faults are what goes wrong on the way of one direction of a joined pair. [ParseFaults] makes them, and tells the grammar;
// [FaultKinds] is the table of all kinds. The zero value, and a nil pointer, do no harm.
//
// # What happens in which order
//
// What one end says passes these in turn, whatever the order they are given in:
//
//  1. duplicate, drop, reorder, corrupt: what is heard is damaged.
//  2. bandwidth, then latency: a link that takes its time for each byte, and then some for the way. Many bytes are on
//     their way at once, so latency does not limit the rate until 4 MiB are; with bandwidth, what it carries in the time
//     of the latency and a tenth of a second, at most 64 MiB. Then the speaker is not heard until some have arrived.
//  3. slice, and the kinds that silence, break off or end: they count the bytes that were said to the other end.
//
// The end of the direction takes the same way, so it comes after the last byte and after the latency; so does a reset.
//
// # The same again
//
// Conversations are numbered as they begin. What happens to the n-th depends on the seed and on n, and for each kind on a
// dice of its own, so that taking one kind away leaves the others as they were. Bytes are counted from the beginning
// of the direction, so that slices and changed bytes are at the same place whatever pieces the kernel hands over.
//
// # For those who come from toxiproxy
//
//	latency, jitter             latency=50ms±20ms
//	bandwidth, rate in KB/s     bandwidth=100kB/s
//	slicer                      slice=1..9,slice-delay=1ms
//	timeout                     stall-after=0,close-in=5s; for ever: stall-after=0
//	limit_data                  close-after=1MB
//	slow_close                  slow-close=2s
//	reset_peer                  reset-in=5s; at once: reset-in=0s
//	packet_loss                 drop=1%
//	down                        refuse=100%
//	toxicity                    chance=25%
//	upstream, downstream        up: and down:
//
// All of them work on every scheme, with half-close unless half-close-lost is asked for. Some are for bytes only, some for
// frames: [Faults.Check] tells.
type Faults struct {
	seed  uint64
	count *atomic.Uint64 // conversations so far; both directions of one specification share it

	given []string // names of the kinds that were asked for, as FaultKinds has them

	latency, jitter    time.Duration
	bandwidth          int64 // bits a second; 0: no limit
	sliceMin, sliceMax int64 // bytes
	sliceDelay         time.Duration

	stallAfter, resetAfter, closeAfter int64 // bytes
	stallIn, resetIn, closeIn          time.Duration
	stallFor, slowClose                time.Duration

	drop, duplicate, reorder, corrupt float64 // per cent
	refuse, chance                    float64 // per cent

	from, during time.Duration // when it goes wrong
}

// ErrFault is found in the error of a conversation that ended as it did because a fault was asked for.
var ErrFault = errors.New("a fault that was asked for")

// A faultError says which fault it was, and what it did.
type faultError struct {
	fault string // as it was asked for
	did   string
}

func (e *faultError) Error() string { return fmt.Sprintf("%s by %v: %s", e.did, ErrFault, e.fault) }
func (e *faultError) Unwrap() error { return ErrFault }

// faultyWay is one direction of one conversation with its faults. A nil one has none.
type faultyWay struct {
	*Faults
	number uint64 // of the conversation, from 1
	way    string // what the dice of its two directions differ by
}

// beginFaults begins the faults of one conversation; Join calls it once, before anything is heard. A nil faultyWay has none, and
// its direction may take the fast way. The error is ErrFault for a conversation that is to be broken off before
// anything is said (refuse), or says that a kind does not suit the conversation.
func beginFaults(aToB, bToA *Faults, frames bool) (toB, toA *faultyWay, err error) {
	for _, f := range []*Faults{aToB, bToA} {
		if err := f.Check(frames); err != nil {
			return nil, nil, err
		}
	}
	toB = aToB.begin("up")
	if bToA != nil && aToB != nil && bToA.count == aToB.count {
		toA = bToA.numbered(toB.number, "down")
	} else {
		toA = bToA.begin("down")
	}
	for _, w := range []*faultyWay{toB, toA} {
		if w.refuses() {
			return nil, nil, &faultError{w.item("refuse"), "broken off before anything was said"}
		}
	}
	return toB.unlessSpared(), toA.unlessSpared(), nil
}

func (f *Faults) begin(way string) *faultyWay {
	if f == nil {
		return nil
	}
	if f.count == nil { // the zero value, which has no dice to throw
		return f.numbered(0, way)
	}
	return f.numbered(f.count.Add(1), way)
}

func (f *Faults) numbered(n uint64, way string) *faultyWay { return &faultyWay{f, n, way} }

// refuses and unlessSpared throw one dice for both directions: a conversation is hit or spared as a whole.
func (w *faultyWay) refuses() bool {
	return w != nil && w.has("refuse") && !w.spared() && hits(w.diceOf("both", "refuse"), w.refuse)
}

func (w *faultyWay) spared() bool {
	return w.has("chance") && !hits(w.diceOf("both", "chance"), w.chance)
}

func (w *faultyWay) unlessSpared() *faultyWay {
	if w == nil || len(w.given) == 0 || w.spared() {
		return nil
	}
	return w
}

// dice returns the dice that one kind throws in this direction of this conversation.
func (w *faultyWay) dice(kind string) *rand.Rand { return w.diceOf(w.way, kind) }

func (w *faultyWay) diceOf(way, kind string) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s %s", w.number, way, kind)
	return rand.New(rand.NewPCG(w.seed, h.Sum64()))
}

// hits throws a dice that hits in percent of all throws.
func hits(dice *rand.Rand, percent float64) bool { return dice.Float64()*100 < percent }

// passing is what Join tells a faultyWay about the direction it is to carry.
type passing struct {
	src, dst *parley.Conn
	frames   bool // whole frames, each end in its own format

	receive func(context.Context) ([]byte, error) // the next frame; nil: src.Receive
	tap     func(p []byte)                        // told what is said to dst, before it is; nil: nobody
	end     func() error                          // says the end to dst; nil: dst.CloseWrite
	other   <-chan struct{}                       // closed when the other direction is over; nil: never
}
