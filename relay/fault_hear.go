package relay

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"time"
)

// lateFor is how long a frame is held back for another to overtake it.
const lateFor = time.Second

// damage is what happens to pieces as they are heard: drop, duplicate, reorder and corrupt. Each throws its dice for every piece, hit or
// not, so that they do not depend on each other.
type damage struct {
	*Faults
	drops, doubles, lates, changes *rand.Rand
}

func (w *faultyWay) newDamage() *damage {
	return &damage{w.Faults, w.dice("drop"), w.dice("duplicate"), w.dice("reorder"), w.dice("corrupt")}
}

// corruptBytes changes bytes of p here and there, and corruptFrame perhaps one.
func (d *damage) corruptBytes(p []byte, now bool) {
	if d.corrupt == 0 {
		return
	}
	for i := range p {
		if hits(d.changes, d.corrupt) {
			change := d.otherBits()
			if now {
				p[i] ^= change
			}
		}
	}
}

func (d *damage) corruptFrame(p []byte, now bool) (changed bool) {
	if !hits(d.changes, d.corrupt) || len(p) == 0 {
		return false
	}
	at, change := d.changes.IntN(len(p)), d.otherBits()
	if now {
		p[at] ^= change
	}
	return now
}

// otherBits is what a byte is changed by, never to itself.
func (d *damage) otherBits() byte { return byte(1 + d.changes.IntN(255)) }

// copies returns how many of a frame arrive: none, one, two. late says that the next one goes first.
func (d *damage) copies(now bool) (n int, late bool) {
	drop, double, late := hits(d.drops, d.drop), hits(d.doubles, d.duplicate), hits(d.lates, d.reorder)
	switch {
	case !now:
		return 1, false
	case drop:
		return 0, false
	case double:
		return 2, late
	}
	return 1, late
}

// hearAll hears src until its end, and puts what comes into the line, the end last.
func (t *trip) hearAll(ctx context.Context) {
	defer close(t.heardAll)
	var why error
	if t.frames {
		why = t.hearFrames(ctx)
	} else {
		why = t.hearBytes(ctx)
	}
	if ctx.Err() != nil {
		return
	}
	_ = t.send(ctx, piece{end: why}) // the only error is the end of ctx, which sayAll finds too
}

func (t *trip) hearBytes(ctx context.Context) error {
	space := make([]byte, stepFor(t.Faults))
	for {
		n, err := t.src.Read(space)
		if n > 0 {
			now := t.inForce()
			data := bytes.Clone(space[:n])
			t.damage.corruptBytes(data, now)
			if err := t.send(ctx, piece{data: data}); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
}

func (t *trip) hearFrames(ctx context.Context) error {
	var late []piece // held back until the next has gone
	for {
		data, err := t.nextFrame(ctx, late != nil)
		switch {
		case errors.Is(err, errNoneCame):
			late, err = nil, t.send(ctx, late...)
		case err != nil:
			return cmp.Or(t.send(ctx, late...), err)
		default:
			late, err = t.hearFrame(ctx, data, late)
		}
		if err != nil {
			return err
		}
	}
}

// hearFrame sends a frame on its way, and then those that were held back; or returns it to be held back itself.
func (t *trip) hearFrame(ctx context.Context, data []byte, late []piece) ([]piece, error) {
	now := t.inForce()
	n, isLate := t.damage.copies(now)
	changed := t.damage.corruptFrame(data, now)
	var arriving []piece
	for range n {
		arriving = append(arriving, piece{data: data, changed: changed})
	}
	if isLate && late == nil {
		return arriving, nil
	}
	if n == 0 {
		return late, nil // nothing has overtaken
	}
	return nil, t.send(ctx, append(arriving, late...)...)
}

var errNoneCame = errors.New("no frame came in time")

// nextFrame returns the next frame, which is then ours; errNoneCame if hurried and none comes soon.
func (t *trip) nextFrame(ctx context.Context, hurried bool) ([]byte, error) {
	if !hurried {
		return t.receive(ctx)
	}
	soon, cancel := context.WithTimeoutCause(ctx, lateFor, errNoneCame)
	defer cancel()
	data, err := t.receive(soon)
	if err != nil && errors.Is(err, context.DeadlineExceeded) && context.Cause(soon) == errNoneCame {
		return nil, errNoneCame
	}
	return data, err
}

// send puts pieces on their way. They set out when there is room for them, not when they were heard.
func (t *trip) send(ctx context.Context, pieces ...piece) error {
	for _, p := range pieces {
		if err := t.line.room(ctx, len(p.data)); err != nil {
			return err
		}
		p.due = t.link.arrival(time.Now(), len(p.data), t.inForce())
		if p.end == io.EOF {
			p.due = p.due.Add(t.slowClose)
		}
		t.line.put(p)
	}
	return nil
}

// inForce reports whether the kinds that after and for are about happen now.
func (t *trip) inForce() bool {
	age := time.Since(t.began)
	return age >= t.from && (!t.has("for") || age < t.from+t.during)
}
