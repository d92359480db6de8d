package relay

import (
	"context"
	"errors"
	"io"
)

// faulty is what a joint needs besides, where something is to go wrong on purpose. A nil one has nothing.
type faulty struct {
	ctx    context.Context // ends when the ends are broken off
	cancel context.CancelCauseFunc
	ways   [2]*faultyWay    // by the end they come from; nil: nothing goes wrong there
	over   [2]chan struct{} // closed when that direction is over
}

// beginFaults throws the dice for this conversation. It is false if the conversation was broken off at once.
func (j *joint) beginFaults() bool {
	return j.AtoB == nil && j.BtoA == nil || j.throwDice()
}

func (j *joint) throwDice() bool {
	there, back, err := beginFaults(j.AtoB, j.BtoA, j.Frames)
	if err != nil {
		j.breakOffFor(err)
		return false
	}
	if there == nil && back == nil {
		return true
	}
	j.plain = false
	j.faulty = &faulty{ways: [2]*faultyWay{there, back}, over: [2]chan struct{}{make(chan struct{}), make(chan struct{})}}
	j.faulty.ctx, j.faulty.cancel = context.WithCancelCause(j.ctx)
	return true
}

func (f *faulty) has(from int) bool { return f != nil && f.ways[from] != nil }

// stop ends faults that wait.
func (f *faulty) stop() {
	if f != nil {
		f.cancel(errBrokenOff)
	}
}

var errBrokenOff = errors.New("the conversation was broken off")

// ended says that a direction is over.
func (f *faulty) ended(from int) {
	if f != nil {
		close(f.over[from])
	}
}

// carryFaulty passes on with faults, the end included.
func (d *direction) carryFaulty() {
	from, to := d.pair()
	f := d.j.faulty
	sum, err := f.ways[d.from].pass(f.ctx, passing{
		src: from, dst: to, frames: d.j.Frames, receive: d.receive, end: d.tellEnd, other: f.over[d.to],
		tap: func(p []byte) { d.j.tapped.piece(d.from, p, d.j.Frames) },
	})
	d.sum.Bytes, d.sum.Frames = sum.Bytes, sum.Frames
	if errors.Is(err, ErrFault) {
		d.j.breakOffFor(err)
	}
	if err != io.EOF {
		d.err = err
	}
}
