package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"

	"parley"
	"parley/frame"
	"parley/internal/sys"
	"parley/relay"
)

// The exit codes are part of the interface; topics.go explains them to users.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitUnreachable = 4
	exitTimeout     = 5
	exitBroken      = 6
	exitTruncated   = 7
	exitInterrupted = 130
)

// A usageError is a command line that cannot be meant.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

var (
	errInterrupted = errors.New("interrupted")
	errTerminated  = fmt.Errorf("%w by SIGTERM", errInterrupted)
)

// A limitError is a limit of time that the user has set, or the default.
type limitError struct {
	flag  string
	limit time.Duration
	what  string
	state string // of the conversation, if there was one
}

func (e *limitError) Error() string {
	text := fmt.Sprintf("%s (%s %v)", e.what, e.flag, e.limit)
	if e.state != "" {
		text += ": " + e.state
	}
	return text
}

// A localError is a failure at our own end: standard input, standard output, a file.
type localError struct {
	what string
	err  error
}

func (e *localError) Error() string { return e.what + ": " + e.err.Error() }
func (e *localError) Unwrap() error { return e.err }

// A toldError has been told already, as that of one of several callers; only its exit code still counts.
type toldError struct{ error }

func (e toldError) Unwrap() error { return e.error }

// because returns why ctx has ended, if that is why err came; else err.
func because(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if err == nil || cause == nil {
		return err
	}
	if errors.Is(err, ctx.Err()) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) {
		return cause
	}
	return err
}

// exitCode classifies err.
func exitCode(err error) int {
	var limit *limitError
	var local *localError
	var usage usageError
	var address *parley.AddressError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errInterrupted):
		return exitInterrupted
	case errors.As(err, &usage) || errors.As(err, &address) || errors.Is(err, errors.ErrUnsupported) && !isUnderWay(err):
		return exitUsage
	case errors.As(err, &limit) || errors.Is(err, parley.ErrIdle):
		return exitTimeout
	case errors.As(err, &local):
		return exitFailed
	case isUnreachable(err):
		return exitUnreachable
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, frame.ErrMalformed) || errors.Is(err, frame.ErrTooLong):
		return exitTruncated
	case isBroken(err):
		return exitBroken
	case errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) || sys.TimedOut.Is(err):
		return exitTimeout
	}
	return exitFailed
}

// isUnderWay reports whether err came of saying or hearing, when something may have been done already.
func isUnderWay(err error) bool {
	pe := (*parley.Error)(nil)
	return errors.As(err, &pe) && (pe.Op == "send" || pe.Op == "receive")
}

// isBroken reports whether the other end tore the conversation down, by a reset or by a TLS alert.
func isBroken(err error) bool {
	if oe := (*net.OpError)(nil); errors.As(err, &oe) && oe.Op == "remote error" {
		return true
	}
	// ENOTCONN is of saying the end, when the reset has been told already.
	return sys.Broken.Is(err) || errors.Is(err, syscall.ENOTCONN) || errors.Is(err, relay.ErrFault)
}

// isUnreachable reports whether there never was a conversation, for another reason than time or a file of ours.
func isUnreachable(err error) bool {
	var pe *parley.Error
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return true
	case sys.Refused.Is(err): // on UDP it comes after the dial
		return true
	case !errors.As(err, &pe) || pe.Op != "dial" && pe.Op != "listen":
		return false
	}
	var file *fs.PathError
	return !pe.Timeout() && !errors.Is(err, context.DeadlineExceeded) && !errors.As(err, &file)
}
