package meter

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"os"

	"parley"
	"parley/frame"
	"parley/internal/sys"
)

// errPanicked is what a Handler has returned if it has not returned.
var errPanicked = errors.New("the handler panicked")

// A kind is what goes wrong, by a name that fits into a label.
type kind struct {
	name string
	is   func(error) bool
}

// Kind adds a kind of error to those that are known, and comes before them. It must be called before the first conversation.
func (m *Meter) Kind(name string, is func(error) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kinds = append(m.kinds, kind{name, is})
}

// Failed counts an error that no Handler returns, as it did not end the conversation.
func (m *Meter) Failed(service string, err error) {
	s, kind := m.service(service), m.errorKind(err)
	s.mu.Lock()
	defer s.mu.Unlock()
	if kind != "" {
		s.errors.add(kind)
	}
}

// kinds are the names of what goes wrong in conversations. The first that fits is the one: what was broken off in the middle of
// a frame is truncated by a reset, say, and the reset is the cause.
var kinds = []kind{
	{"panic", oneOf(errPanicked)},
	{"idle", oneOf(parley.ErrIdle)},
	{"too-long", oneOf(frame.ErrTooLong)},
	{"malformed", oneOf(frame.ErrMalformed)},
	{"out-of-step", oneOf(parley.ErrOutOfStep)},
	{"reset", sys.Broken.Is},
	{"refused", sys.Refused.Is},
	{"truncated", oneOf(io.ErrUnexpectedEOF)},
	{"timeout", isTimeout},
	{"tls", isTLS},
}

// errorKind returns the kind of error that a Handler has returned; empty for those that are good ends.
func (m *Meter) errorKind(err error) string {
	if err == nil || err == io.EOF || errors.Is(err, parley.ErrServerEnding) {
		return ""
	}
	for _, known := range [...][]kind{m.kinds, kinds} {
		for _, k := range known {
			if k.is(err) {
				return k.name
			}
		}
	}
	return "other"
}

func oneOf(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

func isTimeout(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) || sys.TimedOut.Is(err)
}

// isTLS reports whether the other end speaks no TLS, or not the one that was wanted.
func isTLS(err error) bool {
	var alert tls.AlertError
	var record tls.RecordHeaderError
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &alert) || errors.As(err, &record) || errors.As(err, &certificate)
}
