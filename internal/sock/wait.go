package sock

import (
	"context"
	"errors"
	"net"
	"os"
	"reflect"
	"runtime"
	"sync"
	"time"

	"parley/internal/sys"
)

// Past is a deadline that has gone by, whatever the clock says.
var Past = time.Unix(1, 0)

// CancelOn makes ctx end the calls that set's deadline governs, without closing anything. The function it returns undoes
// that: restore has been called when it returns, if ctx ended meanwhile.
func CancelOn(ctx context.Context, set func(time.Time) error, restore func()) (undo func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	ran := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = set(Past)
		close(ran)
	})
	return func() {
		if !stop() {
			<-ran
			restore()
		}
	}
}

// Accept is nl.Accept under ctx, if nl has AcceptContext or SetDeadline; else ctx is only looked at before.
func Accept(ctx context.Context, nl net.Listener) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if ca, ok := nl.(interface {
		AcceptContext(context.Context) (net.Conn, error)
	}); ok {
		return ca.AcceptContext(ctx)
	}
	if d, ok := nl.(deadlineListener); ok && reflect.ValueOf(nl).Comparable() {
		undo := CancelOn(ctx, func(time.Time) error { return endings.begin(d) }, func() { endings.end(d) })
		defer undo()
	}
	for {
		nc, err := nl.Accept()
		if ctx.Err() != nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			return nc, orContext(ctx, err)
		}
		runtime.Gosched() // another Accept's context has ended, which is about to clear the deadline
	}
}

// AcceptPatiently is Accept that outlasts a shortage of the system: it tells of each, and when it will try again.
func AcceptPatiently(ctx context.Context, nl net.Listener, tell func(err error, retry time.Duration)) (net.Conn, error) {
	const first, longest = 5 * time.Millisecond, time.Second
	for wait := first; ; wait = min(2*wait, longest) {
		nc, err := Accept(ctx, nl)
		if err == nil || ctx.Err() != nil || !IsShortage(err) {
			return nc, err
		}
		tell(err, wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

type deadlineListener interface {
	net.Listener
	SetDeadline(time.Time) error
}

// endings counts, for each listener, the Accepts that are ending with their contexts. Those share one deadline with the
// Accepts that go on: it is cleared by the last, or else one that has just ended another might wait for ever.
var endings = endingAccepts{of: map[deadlineListener]int{}}

type endingAccepts struct {
	mu sync.Mutex
	of map[deadlineListener]int
}

func (e *endingAccepts) begin(l deadlineListener) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.of[l]++
	return l.SetDeadline(Past)
}

func (e *endingAccepts) end(l deadlineListener) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.of[l]--; e.of[l] == 0 {
		delete(e.of, l)
		_ = l.SetDeadline(time.Time{})
	}
}

// ReadFrom is pc.ReadFrom under ctx, by ReadFromContext or by a read deadline.
func ReadFrom(ctx context.Context, pc net.PacketConn, p []byte) (int, net.Addr, error) {
	if cr, ok := pc.(interface {
		ReadFromContext(context.Context, []byte) (int, net.Addr, error)
	}); ok {
		return cr.ReadFromContext(ctx, p)
	}
	undo := CancelOn(ctx, pc.SetReadDeadline, func() { _ = pc.SetReadDeadline(time.Time{}) })
	defer undo()
	n, from, err := pc.ReadFrom(p)
	return n, from, orContext(ctx, err)
}

// orContext says that ctx has ended, where a deadline was only its messenger.
func orContext(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		return ctx.Err()
	}
	return err
}

// IsShortage reports whether an error of Accept passes when others let go of what is short, or concerns one caller only.
func IsShortage(err error) bool {
	return sys.Shortage.Is(err)
}
