package relay

import (
	"cmp"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"time"
)

// A trip is one direction of one conversation being carried with its faults: one goroutine hears and puts pieces into the
// line, another takes them out and says them.
type trip struct {
	*faultyWay
	passing
	began time.Time

	// of hearing
	damage *damage
	link   link

	line     *delayLine
	heardAll chan struct{} // closed when hearing is over

	// of saying
	sum                       Direction
	stallAt, resetAt, closeAt int64      // bytes said; endless: never
	sizes                     *rand.Rand // dice for slices
	cut                       int64      // where the slice under way ends, in bytes from the beginning
}

// endless is more bytes than a conversation has.
const endless = 1 << 62

func (w *faultyWay) newTrip(p passing) *trip {
	t := &trip{faultyWay: w, passing: p, began: time.Now(), damage: w.newDamage(), sizes: w.dice("slice")}
	t.link = link{bandwidth: w.bandwidth, latency: w.latency, jitter: w.jitter, dice: w.dice("latency")}
	t.stallAt = w.orEndless("stall-after", w.stallAfter)
	t.resetAt = w.orEndless("reset-after", w.resetAfter)
	t.closeAt = w.orEndless("close-after", w.closeAfter)
	if t.receive == nil {
		t.receive = t.src.Receive
	}
	if t.end == nil {
		t.end = t.dst.CloseWrite
	}
	if t.tap == nil {
		t.tap = func([]byte) {}
	}
	return t
}

func (w *faultyWay) orEndless(name string, bytes int64) int64 {
	if w.has(name) {
		return bytes
	}
	return endless
}

// pass carries one direction until src has ended. It says the end itself, by p.end, when and if the faults let it:
// Direction.Ended tells whether it did.
//
// An error that is ErrFault is to break both ends off. What src had said before it broke arrives before its error does, and as
// late as the rest; an error of writing to dst comes at once. When ctx ends, and Join ends it when it breaks off, pass returns
// context.Cause(ctx) soon, even in the middle of a write.
func (w *faultyWay) pass(ctx context.Context, p passing) (Direction, error) {
	t := w.newTrip(p)
	if w.has("reset-in") {
		why := &faultError{w.item("reset-in"), "broken off"}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, w.resetIn, why)
		defer cancel()
	}
	err := t.carry(ctx)
	switch {
	case err == io.EOF && !w.has("half-close-lost"):
		err = t.sayEnd()
	case err == io.EOF:
		err = nil
	case errors.Is(err, errEndsEarly):
		err = cmp.Or(t.sayEnd(), t.throwAway(ctx))
	}
	return t.sum, err
}

func (t *trip) sayEnd() error {
	err := t.end()
	t.sum.Ended = err == nil
	return err
}

// errEndsEarly is how close-after and close-in end the carrying.
var errEndsEarly = errors.New("the end comes early")

// carry passes on until the end has arrived, which is io.EOF, or a fault or error.
func (t *trip) carry(ctx context.Context) error {
	whole := ctx
	if t.has("close-in") {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, t.closeIn, errEndsEarly)
		defer cancel()
	}
	ctx, stop := context.WithCancel(ctx)
	t.line, t.heardAll = newDelayLine(roomFor(t.Faults)), make(chan struct{})
	release := t.interruptWith(ctx)
	var hearing sync.WaitGroup
	hearing.Go(func() { t.hearAll(ctx) })
	err := t.sayAll(ctx)
	if ctx.Err() != nil {
		err = cmp.Or(context.Cause(whole), context.Cause(ctx)) // it was no fault of the ends
	}
	stop()
	hearing.Wait()
	release()
	return err
}

// interruptWith ends reads and writes that wait when ctx ends. Frames are received and sent under ctx anyway, and their
// deadlines are Join's, who waits for a silence. release makes the ends usable again.
func (t *trip) interruptWith(ctx context.Context) (release func()) {
	if t.frames {
		return func() {}
	}
	set := func(then time.Time) {
		_ = t.src.SetReadDeadline(then) // an end that has none has closed, and waits for nothing
		_ = t.dst.SetWriteDeadline(then)
	}
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		set(time.Unix(1, 0))
		close(done)
	})
	return func() {
		if !stop() {
			<-done
			set(time.Time{})
		}
	}
}

// throwAway hears the rest, for an end that speaks on would otherwise wait for ever. When the other direction is over too,
// there is nobody left to hear for.
func (t *trip) throwAway(ctx context.Context) error {
	rest, stop := context.WithCancel(ctx)
	release := t.interruptWith(rest)
	var watching sync.WaitGroup
	watching.Go(func() {
		_ = awaitWake(rest, t.other)
		stop()
	})
	err := t.hearNothing(rest)
	nobodyLeft := rest.Err() != nil
	stop()
	watching.Wait()
	release()
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case nobodyLeft, err == io.EOF:
		return nil
	}
	return err
}

func (t *trip) hearNothing(ctx context.Context) (err error) {
	space := make([]byte, 64<<10)
	for err == nil {
		if t.frames {
			_, err = t.receive(ctx)
		} else {
			_, err = t.src.Read(space)
		}
	}
	return err
}
