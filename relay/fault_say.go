package relay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/frame"
)

// sayAll says what has arrived, and returns the end, or why there is none.
func (t *trip) sayAll(ctx context.Context) error {
	if err := t.counted(ctx); err != nil {
		return err
	}
	for {
		p, err := t.line.first(ctx)
		if err != nil {
			return err
		}
		if err := t.stallByTime(ctx); err != nil {
			return err
		}
		switch {
		case p.end != nil:
			return p.end
		case t.frames:
			err = t.sayFrame(ctx, p)
		default:
			err = t.sayBytes(ctx, p.data)
		}
		if err != nil {
			return err
		}
		t.line.done()
	}
}

// sayBytes says data slice by slice, and no byte beyond where something is to happen.
func (t *trip) sayBytes(ctx context.Context, data []byte) error {
	for len(data) > 0 {
		piece := data[:min(int64(len(data)), t.uncut(), t.untilCounted())]
		t.tap(piece)
		n, err := t.dst.Write(piece)
		t.sum.Bytes += int64(n)
		if err != nil {
			return err
		}
		data = data[n:]
		if err := t.counted(ctx); err != nil {
			return err
		}
		if t.sliceDelay > 0 && t.sum.Bytes == t.cut {
			if err := waitUntil(ctx, time.Now().Add(t.sliceDelay)); err != nil {
				return err
			}
		}
	}
	return nil
}

// uncut is how many bytes the slice under way still takes. Slices are cut where the dice say, counted from the first byte,
// whatever pieces the kernel hands over.
func (t *trip) uncut() int64 {
	if !t.has("slice") {
		return endless
	}
	for t.cut <= t.sum.Bytes {
		t.cut += t.sliceMin + t.sizes.Int64N(t.sliceMax-t.sliceMin+1)
	}
	if !t.inForce() {
		return endless
	}
	return t.cut - t.sum.Bytes
}

func (t *trip) sayFrame(ctx context.Context, p piece) error {
	if !p.changed {
		t.tap(p.data)
	}
	err := t.dst.Send(ctx, p.data)
	if p.changed && errors.Is(err, frame.ErrContainsEnd) {
		return nil // as changed it cannot be said in this format; a frame that nobody can read is lost
	}
	if err != nil {
		return err
	}
	if p.changed {
		t.tap(p.data)
	}
	t.sum.Frames++
	t.sum.Bytes += int64(len(p.data))
	return t.counted(ctx)
}

// untilCounted is how many bytes may be said before something is to happen.
func (t *trip) untilCounted() int64 { return min(t.stallAt, t.resetAt, t.closeAt) - t.sum.Bytes }

// counted does what is to happen once so many bytes were said.
func (t *trip) counted(ctx context.Context) error {
	if t.sum.Bytes >= t.stallAt {
		t.stallAt = endless // it happens once
		if err := t.stall(ctx, "stall-after", time.Now()); err != nil {
			return err
		}
	}
	if t.sum.Bytes >= t.resetAt {
		// A reset overtakes what has not been taken; so many bytes were to arrive.
		if err := t.dst.WaitTaken(ctx); err != nil {
			return err
		}
		return &faultError{t.item("reset-after"), fmt.Sprintf("broken off after %d bytes", t.sum.Bytes)}
	}
	if t.sum.Bytes >= t.closeAt {
		return errEndsEarly
	}
	return nil
}

// stallByTime stalls if stall-in says so.
func (t *trip) stallByTime(ctx context.Context) error {
	begin := t.began.Add(t.stallIn)
	if !t.has("stall-in") || time.Now().Before(begin) {
		return nil
	}
	return t.stall(ctx, "stall-in", begin)
}

// stall says nothing for as long as it is to last since begin. One for good ends when nothing can come of it any more: src
// has ended, and so has the other direction.
func (t *trip) stall(ctx context.Context, name string, begin time.Time) error {
	if t.has("stall-for") {
		return waitUntil(ctx, begin.Add(t.stallFor))
	}
	for _, over := range []<-chan struct{}{t.heardAll, t.other} {
		select {
		case <-over:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return &faultError{t.item(name), "held back what was said until nobody was left"}
}
