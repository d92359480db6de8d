package cli

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"parley"
)

// A watch looks at one conversation now and then: it explains a wait that lasts longer than --patience, once each wait,
// and ends the conversation after --idle-timeout without a byte either way.
type watch struct {
	*flags
	u       *ui
	c       *parley.Conn
	who     string        // the other end, as the user knows it
	from    string        // what is waited for while nothing is being heard or said; empty means the other end
	after   string        // what is waited for when the other end has ended; empty means the end of standard input
	explain func() string // what is waited for, and how things are; nil means whom and State
	moved   func() int64  // changes with all that moves; nil means progress of c
	quiet   func() bool   // whether a wait now needs no words, as when a person is typing; nil means it always does
}

// start begins to watch; the context it returns ends with an idle conversation. stop ends the watch.
func (w watch) start(ctx context.Context) (_ context.Context, stop func()) {
	if w.patience <= 0 && w.idleTimeout <= 0 {
		return context.WithCancel(ctx)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.loop(ctx, cancel)
	}()
	return ctx, func() {
		cancel(nil)
		<-done
	}
}

func (w watch) loop(ctx context.Context, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(w.interval())
	defer tick.Stop()
	last, since, explained := int64(-1), time.Now(), false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s := w.c.State()
		n := progress(s)
		if w.moved != nil {
			n = w.moved()
		}
		if n != last {
			last, since, explained = n, time.Now(), false
		}
		waited := time.Since(since)
		if w.patience > 0 && waited >= w.patience && !explained && (w.quiet == nil || !w.quiet()) {
			w.u.note("waiting %v %s", waited.Round(100*time.Millisecond), w.why(s))
			explained = true
		}
		if w.idleTimeout > 0 && waited >= w.idleTimeout {
			cancel(&limitError{"--idle-timeout", w.idleTimeout, "nothing was said or heard", s.String()})
			return
		}
	}
}

// why is what the person is told.
func (w watch) why(s parley.State) string {
	if w.explain != nil {
		return w.explain()
	}
	return fmt.Sprintf("for %s: %s", w.whom(s), s)
}

// progress changes with every byte and with the end of either direction.
func progress(s parley.State) int64 {
	n := s.Said + s.Heard
	if s.SaidEnd {
		n++
	}
	if s.HeardEnd {
		n++
	}
	return n
}

// interval is short against both limits, and long against the work of a look.
func (w watch) interval() time.Duration {
	shortest := w.patience
	if shortest <= 0 || w.idleTimeout > 0 && w.idleTimeout < shortest {
		shortest = w.idleTimeout
	}
	return min(max(shortest/10, 5*time.Millisecond), 250*time.Millisecond)
}

// whom names who is to do what next.
func (w watch) whom(s parley.State) string {
	switch {
	case s.HeardEnd:
		return cmp.Or(w.after, "the end of standard input")
	case w.from != "" && s.Hearing.IsZero() && s.Saying.IsZero():
		return w.from
	case !s.Saying.IsZero() && s.NotReading:
		return w.who + " to read"
	case s.Unfinished > 0:
		return w.who + " to finish a message"
	case s.SaidEnd:
		return w.who + " to speak or to end"
	}
	return w.who + " to speak"
}
