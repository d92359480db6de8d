package sock

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"time"
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
	if d, ok := nl.(interface{ SetDeadline(time.Time) error }); ok {
		undo := CancelOn(ctx, d.SetDeadline, func() { _ = d.SetDeadline(time.Time{}) })
		defer undo()
	}
	nc, err := nl.Accept()
	return nc, orContext(ctx, err)
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
	return slices.ContainsFunc(shortages, func(s error) bool { return errors.Is(err, s) })
}
