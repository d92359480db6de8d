package relay

import (
	"cmp"
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"parley"
	"parley/internal/sock"
	"parley/internal/sys"
)

// Options say how two conversations are joined. The zero value, and a nil pointer, pass bytes on as they come.
type Options struct {
	// Frames passes whole frames on, each end in its own format: those of its parley.Config. It is implied if one end keeps
	// the edges of what is said, as datagrams do.
	Frames bool

	// Silence is how long an end that cannot say its end, as datagrams that were dialled, must be silent after the other has
	// ended before it counts as ended too. 0 or less means [DefaultSilence].
	Silence time.Duration

	AtoB, BtoA *Faults // what goes wrong on the way; nil: nothing
	Tap        *Tap    // who is told what passes; nil: nobody

	Roles [2]string    // what the ends are called in errors and taps; empty: "client" and "server"
	Note  func(string) // told what a person should know, from any goroutine; nil: nobody
}

// DefaultSilence is what a zero Options.Silence means.
const DefaultSilence = time.Minute

// Stats say what a Join has passed on.
type Stats struct{ AtoB, BtoA Direction }

// A Direction is one way of a joined pair.
type Direction struct {
	Bytes  int64 // said to the other end; of frames their texts, without end marks
	Frames int64 // 0 where bytes are passed on as they come
	Ended  bool  // the end was heard, and the other end was told
}

// Join passes on what a and b say until both have ended, and closes both. Stats are valid whatever the error.
//
// The error is nil if both have ended, all that they said was taken by the other's system, and a command that was an end has
// succeeded. Otherwise it is why not: a *parley.Error that names the end it happened at, with Op "receive" if it broke off
// and "send" if it took no more; [ErrSelf]; or context.Cause(ctx), when ctx has ended. Then both ends were broken off, so
// that neither takes what it has heard for all there was. A command that took no more is left to end, until ctx does; if it
// has failed, that is the error.
//
// A Server's graceful end does not end a Join, whose target may still have much to say to the caller: the end of ctx does,
// when the Server's grace is over.
//
// It takes one goroutine beside its own. An idle conversation of a server waits below it, so that it needs little stack; see
// parley.Conn.WriteTo.
func Join(ctx context.Context, a, b *parley.Conn, opts *Options) (Stats, error) {
	if a == nil || b == nil || a == b {
		return Stats{}, refuse(a, b)
	}
	j := newJoint(ctx, a, b, opts)
	if j.begin() {
		j.run(0)
	}
	return j.end()
}

// A joint is one Join. Its ends are 0, which is a, and 1, which is b.
type joint struct {
	Options
	ctx    context.Context // of Join
	ends   [2]*parley.Conn
	ways   [2]direction // by the end they come from
	tapped *tapped
	faulty *faulty        // nil: nothing goes wrong on purpose
	plain  bool           // bytes go from Conn to Conn
	back   sync.WaitGroup // of ways[1]
	stop   func() bool    // ends the listening to ctx

	mu       sync.Mutex
	state    [2]endState
	cause    error // why it does not end well
	causeAt  int   // which end that is about
	cut      bool  // both ends were broken off
	leaving  bool  // but the end causeAt, a command that goes by itself
	deaf     bool  // they were because an end spoke on, and did not hear the last words of the other
	over     bool  // the end of ctx does not matter any more
	panicked any   // of somebody who is told what happens
}

// endState is what has become of one end.
type endState struct {
	heardEnd bool  // it has said its end
	finished bool  // all that it said before that, or before it broke, has been taken by the other end
	failed   bool  // it has broken off, or takes no more
	gone     bool  // that is because its other side has closed it: no write to it waits any more
	told     bool  // all that it said has been given to the other end, which need not have taken it
	untaken  int64 // bytes that were heard for it and that it did not take
}

//go:noinline
func newJoint(ctx context.Context, a, b *parley.Conn, opts *Options) *joint {
	j := &joint{ctx: ctx, ends: [2]*parley.Conn{a, b}}
	if opts != nil {
		j.Options = *opts
	}
	j.Roles = [2]string{cmp.Or(j.Roles[0], "client"), cmp.Or(j.Roles[1], "server")}
	j.Frames = j.Frames || a.KeepsEdges() || b.KeepsEdges()
	if j.Silence <= 0 {
		j.Silence = DefaultSilence
	}
	for i := range j.ways {
		j.ways[i].j, j.ways[i].from, j.ways[i].to = j, i, 1-i
		_, j.ways[i].began = j.ends[i].Bytes()
	}
	if j.Tap != nil {
		j.tapped = j.Tap.open(a, b, j.Roles)
	}
	j.plain = !j.Frames && j.tapped == nil && !isLocal(a) && !isLocal(b)
	for _, c := range j.ends {
		if !c.KeepsEdges() { // datagrams have nothing to finish
			c.Outlast()
		}
		sock.BreakOffByClose(c.NetConn(), true) // whoever closes it before the end is told, and if it is the death of this process
	}
	j.stop = context.AfterFunc(ctx, j.interrupt)
	return j
}

// begin begins with the way back. The caller carries the other way, by run(0), unless it is false: both were broken off.
//
//go:noinline
func (j *joint) begin() bool {
	if !j.beginFaults() {
		return false
	}
	j.back.Add(1)
	go j.runBack()
	return true
}

// run carries one direction to its end. Idle pairs wait below it, so that what they wait in is called from here, and the rest
// is done elsewhere: their stack must be small; see parley.Conn.WriteTo.
func (j *joint) run(i int) {
	defer j.catch()
	d := &j.ways[i]
	if j.plain {
		d.sum.Bytes, d.err = j.ends[d.from].WriteTo(j.ends[d.to])
	} else {
		d.carry()
	}
	d.after()
}

// runBack is run of the way back.
func (j *joint) runBack() {
	j.run(1)
	j.back.Done()
}

// catch keeps a panic, of a parley.Config's Observe for example, from ending the program where it would have ended one
// conversation: Join panics with it in the goroutine of its caller.
func (j *joint) catch() {
	if p := recover(); p != nil {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.panicked = fmt.Sprintf("%v\n%s", p, debug.Stack())
		j.breakOff()
	}
}

// interrupt ends the Join because ctx has ended.
func (j *joint) interrupt() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.over {
		j.cause = cmp.Or(j.cause, context.Cause(j.ctx))
		j.breakOff()
	}
}

// fail says that the end i has broken off or takes no more, and why. What it has said before that still arrives; then, or
// at once if it has arrived already, both ends are broken off.
func (j *joint) fail(i int, why error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.cause == nil {
		j.cause, j.causeAt = why, i
	}
	j.state[i].failed = true
	j.state[i].gone = j.state[i].gone || sys.Broken.Is(why)
	if j.state[i].finished {
		j.breakOffFailed(i)
	}
}

// finish says that all that the end i had to say has been taken; untaken bytes were not, because the other end has failed.
func (j *joint) finish(i int, untaken int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.state[1-i].untaken = untaken
	j.state[i].finished = true
	if j.state[i].failed {
		j.breakOffFailed(i)
	}
}

// tellAll says that all that the end i had to say was given to the other.
func (j *joint) tellAll(i int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.state[i].told = true
}

// hasToldAll reports whether tellAll was called.
func (j *joint) hasToldAll(i int) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.state[i].told
}

// noteDeaf says that it is broken off because an end speaks on and does not hear.
func (j *joint) noteDeaf() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.deaf = true
}

// hearEnd says that the end i has ended, and returns its state and that of the other.
func (j *joint) hearEnd(i int) (own, other endState) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.state[i].heardEnd = true
	return j.state[i], j.state[1-i]
}

// breakOffFailed is breakOff because the end i has failed, and all it said has been taken. A command that has closed its
// input is left to end: how it ended says more than that it takes no more. It needs the lock.
func (j *joint) breakOffFailed(i int) {
	_, isCommand := j.ends[i].NetConn().(waiter)
	switch {
	case j.cut:
	case isCommand && j.state[i].gone && j.causeAt == i:
		j.cut, j.leaving = true, true
		j.faulty.stop()
		breakOff(j.ends[1-i])
	default:
		j.breakOff()
	}
}

// breakOff makes both ends notice that this is no proper end, and ends all calls. It needs the lock. A command, which may
// take its time to go, does not keep the other end waiting.
func (j *joint) breakOff() {
	j.cut = true
	j.faulty.stop()
	first, last := j.ends[0], j.ends[1]
	if _, slow := first.NetConn().(interface{ Abort() }); slow {
		first, last = last, first
	}
	breakOff(first)
	breakOff(last)
}

// breakOffFor is breakOff at once, whatever is still on its way.
func (j *joint) breakOffFor(why error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.cause = cmp.Or(j.cause, why)
	j.breakOff()
}

// end waits until both directions are over, lets go of the ends, and returns what Join does.
func (j *joint) end() (Stats, error) {
	j.back.Wait()
	j.stop()
	err := j.letGo()
	if j.panicked != nil {
		panic(j.panicked)
	}
	return Stats{j.ways[0].sum, j.ways[1].sum}, err
}

// letGo closes both ends, and returns what was not well.
func (j *joint) letGo() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.over = true
	switch {
	case j.cause == nil:
		j.waitLocal()
	case j.leaving:
		j.waitFailed()
	}
	if j.cut {
		j.breakOff() // whoever has begun to may not be done
	}
	for _, c := range j.ends {
		if !j.cut {
			sock.BreakOffByClose(c.NetConn(), false)
		}
		c.Close()
	}
	j.faulty.stop()
	j.tellTap()
	return j.explained()
}
