package meter

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"parley"
	"parley/frame"
	"parley/internal/sys"
)

func TestErrorKind(t *testing.T) {
	inConversation := func(err error) error { return &parley.Error{Op: "receive", Addr: "127.0.0.1:7", Err: err} }
	errMine := fmt.Errorf("too slow: %w", os.ErrDeadlineExceeded)
	m := New()
	m.Kind("mine", oneOf(errMine))
	for _, test := range []struct {
		err  error
		want string
	}{
		{inConversation(errMine), "mine"},
		{nil, ""},
		{io.EOF, ""},
		{parley.ErrServerEnding, ""},
		{inConversation(parley.ErrServerEnding), ""},
		{inConversation(parley.ErrIdle), "idle"},
		{inConversation(&net.OpError{Op: "read", Err: os.NewSyscallError("read", sys.Reset[0])}), "reset"},
		{inConversation(&net.OpError{Op: "write", Err: os.NewSyscallError("write", sys.NoReader[0])}), "reset"},
		{fmt.Errorf("%w, %w", io.ErrUnexpectedEOF, sys.Reset[0]), "reset"},
		{inConversation(io.ErrUnexpectedEOF), "truncated"},
		{inConversation(&frame.TooLongError{Limit: 10}), "too-long"},
		{inConversation(frame.ErrMalformed), "malformed"},
		{inConversation(fmt.Errorf("heard 3 bytes: %w", os.ErrDeadlineExceeded)), "timeout"},
		{context.DeadlineExceeded, "timeout"},
		{inConversation(sys.TimedOut[0]), "timeout"},
		{inConversation(sys.Refused[0]), "refused"},
		{parley.ErrOutOfStep, "out-of-step"},
		{inConversation(tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}), "tls"},
		{inConversation(tls.AlertError(42)), "tls"},
		{errPanicked, "panic"},
		{errors.New("the command has died"), "other"},
		{context.Canceled, "other"},
	} {
		if got := m.errorKind(test.err); got != test.want {
			t.Errorf("%v is of kind %q, want %q", test.err, got, test.want)
		}
	}
}

func TestHistogram(t *testing.T) {
	var h histogram
	for _, d := range []time.Duration{-1, 0, 10 * time.Microsecond, 10*time.Microsecond + 1, time.Second, time.Minute} {
		h.add(d)
	}
	d := h.read()
	if d.count != 6 || d.buckets[0] != 3 || d.buckets[1] != 1 || d.buckets[len(bounds)] != 1 {
		t.Errorf("read: %+v", d)
	}
	for _, test := range []struct {
		share float64
		want  time.Duration
		ok    bool
	}{
		{0, 10 * time.Microsecond, true},
		{0.5, 10 * time.Microsecond, true},
		{0.51, 20 * time.Microsecond, true},
		{0.8, time.Second, true},
		{0.99, 0, false},
	} {
		if got, ok := d.within(test.share); got != test.want || ok != test.ok {
			t.Errorf("%v of them are within %v, %v; want %v, %v", test.share, got, ok, test.want, test.ok)
		}
	}
	var none durations
	if got, ok := none.within(0.5); ok {
		t.Errorf("half of none are within %v", got)
	}
}

func TestLabelValue(t *testing.T) {
	for in, want := range map[string]string{
		`plain`: `plain`, `a"b`: `a\"b`, `a\b`: `a\\b`, "a\nb": `a\nb`, "\xff": "\uFFFD", `\n`: `\\n`,
	} {
		if got := labelValue(in); got != want {
			t.Errorf("labelValue(%q) = %q, want %q", in, got, want)
		}
	}
}
