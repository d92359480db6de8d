package relay

import (
	"context"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"parley"
)

// A direction passes on what one end says to the other.
type direction struct {
	j        *joint
	from, to int
	sum      Direction
	err      error        // why from was not heard to its end
	began    int64        // bytes heard of from before
	untaken  int64        // bytes heard that could not be said
	settled  bool         // to had ended, and taken all, before it was told of the end
	silence  atomic.Int64 // from has ended once silent for so long, in ns; 0: only when it says so
}

// pair returns whom it hears and whom it tells.
func (d *direction) pair() (from, to *parley.Conn) { return d.j.ends[d.from], d.j.ends[d.to] }

// carry passes on until from has ended, or an end has failed.
func (d *direction) carry() {
	switch {
	case d.j.faulty.has(d.from):
		d.carryFaulty()
	case d.j.Frames:
		d.err = d.carryFrames()
	default:
		d.sum.Bytes, d.err = d.copyBytes()
	}
}

// after does what is to be done once from has ended, or an end has failed.
func (d *direction) after() {
	failed, op := d.from, "receive"
	if isWrite(d.err) {
		failed, op = d.to, "send"
		gone := isGone(d.err) && !d.hasLostNothing()
		if _, to := d.pair(); d.err != nil && isLocal(to) {
			_ = to.CloseWrite() // or one that is only written to would never say its end: its file has failed behind its back
		}
		if gone {
			d.j.fail(failed, d.j.named(failed, op, d.err))
			d.err = d.discard()
			failed, op = d.from, "receive"
		}
	}
	switch {
	case d.err != nil:
		d.j.fail(d.from, d.j.named(failed, op, d.err))
	case !d.j.faulty.has(d.from):
		_ = d.tellEnd() // it has been noted
	}
	d.j.tellAll(d.from)
	if !d.settled {
		d.waitTaken()
	}
	d.j.finish(d.from, d.untaken)
	d.j.faulty.ended(d.from)
}

// hasLostNothing reports that there was nothing to be said to a pipe that nobody reads, but the end: splice(2) complains all
// the same. d has no error then.
func (d *direction) hasLostNothing() bool {
	from, to := d.pair()
	_, heard := from.Bytes()
	if in, _ := filesOf(from); in != nil {
		return false // what is taken of a file is taken to be written
	}
	if _, out := filesOf(to); out == nil || heard-d.began != d.sum.Bytes {
		return false
	}
	n, err := from.Read(make([]byte, 1)) // which need not wait, as it waited for this that splice(2) was tried
	if n == 0 && err == io.EOF {
		d.err = nil
	}
	return d.err == nil
}

// discard hears what nobody takes any more, until from has ended: an end that must say everything before it listens
// could not hear the last words of the other.
func (d *direction) discard() error {
	from, _ := d.pair()
	if isFile(from) {
		return nil
	}
	n, err := from.WriteTo(d.newWaste())
	in, _ := filesOf(from) // whose bytes are counted where they are said, and what was lost on the way is not
	if d.untaken += n; !d.j.Frames && in == nil {
		_, heard := from.Bytes()
		d.untaken = heard - d.began - d.sum.Bytes // what was lost on the way, too
	}
	return err
}

// tellEnd tells to that from has ended.
func (d *direction) tellEnd() error {
	_, to := d.pair()
	d.j.tapped.halfClosed(d.from)
	own, other := d.j.hearEnd(d.from)
	if own.failed || other.failed {
		return nil // both will be broken off, which is no end
	}
	// An end that has ended and taken everything may be gone: then only our end cannot reach it, which is no loss.
	d.settled = other.heardEnd && hasTaken(to)
	err := closeWrite(to)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		d.cannotTell()
	case err != nil && !d.settled:
		d.j.fail(d.to, d.j.named(d.to, "send", err))
		return err
	default:
		d.sum.Ended = true
	}
	return nil
}

// closeWrite is CloseWrite, but says why c is not connected any more: it was reset, which the kernel may have told a read.
func closeWrite(c *parley.Conn) error {
	err := c.CloseWrite()
	if !errors.Is(err, syscall.ENOTCONN) {
		return err
	}
	if why := c.WaitTaken(longAgo); why != nil && !errors.Is(why, context.Canceled) {
		return why
	}
	return os.NewSyscallError("shutdown", syscall.ECONNRESET)
}

// waitTaken waits until all that was said to to has been taken. ctx ends the wait by breaking off. Datagrams are not waited
// for: nobody acknowledges them, and to ask takes the error of a target that is not there away from who hears it.
func (d *direction) waitTaken() {
	_, to := d.pair()
	if to.KeepsEdges() {
		return
	}
	if err := to.WaitTaken(context.Background()); err != nil {
		d.j.fail(d.to, d.j.named(d.to, "send", err))
	}
}

// longAgo is a context for a look that does not wait.
var longAgo = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// hasTaken reports whether c has taken all that was said to it, as far as can be known.
func hasTaken(c *parley.Conn) bool { return c.KeepsEdges() || c.WaitTaken(longAgo) == nil }

// cannotTell is tellEnd where there is no half-close. Datagrams have ended when the other end has, at once if that is
// datagrams too; for others we wait, as they may end by themselves.
func (d *direction) cannotTell() {
	from, to := d.pair()
	back := &d.j.ways[d.to]
	switch {
	case from.KeepsEdges() && to.KeepsEdges():
		back.endAfter(1)
	case from.KeepsEdges(), to.KeepsEdges():
		back.endAfter(d.j.Silence)
	case d.j.Note != nil:
		d.j.Note(d.j.place(d.to) + " has no half-close, so it is not told that " + d.j.place(d.from) + " has ended; waiting until it ends itself")
	}
}

// endAfter makes from end when it has been silent for so long.
func (d *direction) endAfter(silence time.Duration) {
	d.silence.Store(int64(silence))
	d.heardNow()
}

// heardNow begins the silence anew, if there is a limit to it.
func (d *direction) heardNow() {
	if silence := d.silence.Load(); silence != 0 {
		from, _ := d.pair()
		_ = from.SetReadDeadline(time.Now().Add(time.Duration(silence)))
	}
}
