package guard

import (
	"context"
	"fmt"
	"sync"
	"time"

	"parley"
)

// bound makes h hold conversations no longer than limit. Only here does a handler get a context of its own, as that costs
// each call that waits a registration with it.
func bound(h parley.Handler, limit time.Duration) parley.Handler {
	why := fmt.Errorf("%w: the limit is %v", ErrMaxTime, limit)
	return func(ctx context.Context, c *parley.Conn) error {
		ctx, cancel := context.WithTimeoutCause(ctx, limit, why)
		defer cancel()
		closed := make(chan struct{})
		over := func() {
			defer close(closed)
			if context.Cause(ctx) == why {
				c.Close()
			}
		}
		stop := context.AfterFunc(ctx, over)
		err := h(ctx, c)
		if !stop() {
			<-closed
		}
		if context.Cause(ctx) == why {
			return why
		}
		return err
	}
}

// A watch looks once whether a conversation has brought a whole frame, so that frames themselves cost nothing.
type watch struct {
	c     *parley.Conn
	limit time.Duration

	mu    sync.Mutex // held while the conversation is closed, so that end waits for that
	timer *time.Timer
	ended bool
	why   error // of the close
}

func watchFor(c *parley.Conn, limit time.Duration) *watch {
	w := &watch{c: c, limit: limit}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(limit, w.look)
	return w
}

// look closes the conversation if its caller keeps the handler waiting.
func (w *watch) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return
	}
	s := w.c.State()
	switch {
	case s.Hearing.IsZero(): // what was heard may be a frame or a part; or the handler says something, as chargen does
		w.timer.Reset(w.limit)
	case s.Heard > int64(s.Unfinished):
	default:
		w.why = tooSlow(s, w.limit)
		w.c.Close()
	}
}

// end ends the watch, and returns why the conversation was closed, if it was.
func (w *watch) end() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	w.timer.Stop()
	return w.why
}

func tooSlow(s parley.State, limit time.Duration) error {
	if s.Heard == 0 {
		return fmt.Errorf("%w: heard nothing within %v", ErrTooSlow, limit)
	}
	return fmt.Errorf("%w: heard %d bytes without %s within %v", ErrTooSlow, s.Heard, s.End, limit)
}
