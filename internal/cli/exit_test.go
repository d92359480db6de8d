//go:build unix

package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley"
	"parley/frame"
)

// failed is an error as package net and the library make them.
func failed(op string, errno syscall.Errno) error {
	return &parley.Error{Op: op, Addr: "192.0.2.1:7070", Err: &net.OpError{Op: op, Net: "tcp", Err: os.NewSyscallError("call", errno)}}
}

func during(op string, cause error) error {
	return &parley.Error{Op: op, Addr: "192.0.2.1:7070", Err: cause}
}

// TestExitCode has each kind of error, and what is said to the person: a part of the advice, "" for none, "-" for any.
func TestExitCode(t *testing.T) {
	badAddress := &parley.AddressError{}
	if _, err := parley.ParseAddr("nosuch://x"); !errors.As(err, &badAddress) {
		t.Fatalf("nosuch://x: %v is no *parley.AddressError", err)
	}
	_, badText := frame.Line().Append(nil, []byte("a\nb"))
	_, _, malformed := frame.MustParse("netstring").Scan([]byte("GET / HTTP/1.0"), 0, false)
	tooLong := frame.CheckLimit(frame.Line(), []byte("abc"), nil, 0, 2)
	noHost := &net.DNSError{Err: "no such host", Name: "nosuch.invalid", IsNotFound: true}
	slowName := &net.DNSError{Err: "i/o timeout", Name: "slow.invalid", IsTimeout: true}
	alert := &net.OpError{Op: "remote error", Err: tls.AlertError(40)}
	noCert := &fs.PathError{Op: "open", Path: "cert.pem", Err: syscall.ENOENT}
	maxTime := &limitError{"--max-time", time.Second, "not done in the time allowed", ""}
	tests := []struct {
		name   string
		err    error
		want   int
		advice string
	}{
		{"nothing", nil, exitOK, ""},
		{"anything else", errors.New("what"), exitFailed, ""},
		{"a text with its own end", during("send", badText), exitFailed, "choose a --frame"},
		{"standard output closed", &localError{"standard output", syscall.EPIPE}, exitFailed, ""},
		{"standard input cut", &localError{"standard input", io.ErrUnexpectedEOF}, exitFailed, ""},
		{"a certificate that is not there", during("listen", noCert), exitFailed, "check the path"},

		{"an end that is only read", during("send", fmt.Errorf("file:x is only read: %w", errors.ErrUnsupported)), exitFailed, ""},

		{"usage", usagef("an address is needed"), exitUsage, ""},
		{"usage, wrapped", fmt.Errorf("ask: %w", usagef("no")), exitUsage, ""},
		{"an address that cannot be", badAddress, exitUsage, ""},
		{"an address that cannot be, told", during("dial", badAddress), exitUsage, ""},
		{"what this system cannot do", during("listen", fmt.Errorf("?ttl: %w", errors.ErrUnsupported)), exitUsage, ""},

		{"refused", failed("dial", syscall.ECONNREFUSED), exitUnreachable, "nobody listens there"},
		{"refused after the dial, as on UDP", failed("receive", syscall.ECONNREFUSED), exitUnreachable, "nobody listens there"},
		{"no such host", during("dial", noHost), exitUnreachable, "spelling of the host"},
		{"no answer about a host", during("dial", slowName), exitUnreachable, "-"},
		{"no such Unix socket", failed("dial", syscall.ENOENT), exitUnreachable, "check the path"},
		{"no way there", failed("dial", syscall.ENETUNREACH), exitUnreachable, "no way to that network"},
		{"no way to the host", failed("dial", syscall.EHOSTUNREACH), exitUnreachable, "no way to that network"},
		{"port taken", failed("listen", syscall.EADDRINUSE), exitUnreachable, "port 0 is a free one"},
		{"not this machine's", failed("listen", syscall.EADDRNOTAVAIL), exitUnreachable, "not of this machine"},
		{"a port for root", failed("listen", syscall.EACCES), exitUnreachable, "ports under 1024 need root"},
		{"a call that is not allowed", failed("dial", syscall.EACCES), exitUnreachable, ""},
		{"reset in the dial", failed("dial", syscall.ECONNRESET), exitUnreachable, "the other end closed"},

		{"a limit of time", maxTime, exitTimeout, ""},
		{"a limit of time, wrapped", fmt.Errorf("caller 1: %w", maxTime), exitTimeout, ""},
		{"no answer", during("dial", os.ErrDeadlineExceeded), exitTimeout, "nobody answers there"},
		{"no answer, by context", during("dial", context.DeadlineExceeded), exitTimeout, "nobody answers there"},
		{"the system gave up calling", failed("dial", syscall.ETIMEDOUT), exitTimeout, ""},
		{"the system gave up hearing", failed("receive", syscall.ETIMEDOUT), exitTimeout, ""},

		{"reset", failed("receive", syscall.ECONNRESET), exitBroken, "without hearing everything"},
		{"said to one that has gone", failed("send", syscall.EPIPE), exitBroken, "without hearing everything"},
		{"aborted", failed("receive", syscall.ECONNABORTED), exitBroken, "without hearing everything"},
		{"end said to one that has gone", failed("send", syscall.ENOTCONN), exitBroken, "without hearing everything"},
		{"TLS alert", during("receive", alert), exitBroken, "without hearing everything"},

		{"cut short", during("receive", io.ErrUnexpectedEOF), exitTruncated, "incomplete"},
		{"malformed", during("receive", malformed), exitTruncated, ""},
		{"too long", during("receive", tooLong), exitTruncated, "--max-frame"},

		{"interrupted", errInterrupted, exitInterrupted, ""},
		{"interrupted, with more to say", errors.Join(failed("receive", syscall.ECONNRESET), errInterrupted), exitInterrupted, "-"},
		{"told already", toldError{failed("receive", syscall.ECONNRESET)}, exitBroken, "-"},
	}
	for _, tt := range tests {
		if got := exitCode(tt.err); got != tt.want {
			t.Errorf("%s: %v: got exit code %d, want %d", tt.name, tt.err, got, tt.want)
		}
		if tt.advice == "-" {
			continue
		}
		if got := advice(tt.err); (got == "") != (tt.advice == "") || !strings.Contains(got, tt.advice) {
			t.Errorf("%s: %v: got advice %q, want %q", tt.name, tt.err, got, tt.advice)
		}
	}
}

// TestBecause: the end of a context shows as many errors, of which none says who ended it.
func TestBecause(t *testing.T) {
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(errInterrupted)
	reset := failed("receive", syscall.ECONNRESET)
	tests := []struct {
		name string
		ctx  context.Context
		err  error
		want error
	}{
		{"nothing wrong", t.Context(), nil, nil},
		{"nothing wrong, ended", ended, nil, nil},
		{"not ended", t.Context(), net.ErrClosed, net.ErrClosed},
		{"cancelled", ended, during("receive", context.Canceled), errInterrupted},
		{"deadline moved", ended, during("receive", os.ErrDeadlineExceeded), errInterrupted},
		{"closed", ended, during("accept", net.ErrClosed), errInterrupted},
		{"its own fault", ended, reset, reset},
	}
	for _, tt := range tests {
		if got := because(tt.ctx, tt.err); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestLimitErrorNamesTheFlag(t *testing.T) {
	tests := []struct {
		err  limitError
		want string
	}{
		{limitError{"--max-time", time.Second, "not done", ""}, "not done (--max-time 1s)"},
		{limitError{"--idle-timeout", 2 * time.Minute, "silence", "heard 3 bytes"}, "silence (--idle-timeout 2m0s): heard 3 bytes"},
	}
	for _, tt := range tests {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// TestExitCodesAreExplained: what the program leaves with, its help must tell.
func TestExitCodesAreExplained(t *testing.T) {
	for _, code := range []int{exitOK, exitFailed, exitUsage, exitUnreachable, exitTimeout, exitBroken, exitTruncated, exitInterrupted} {
		if line := fmt.Sprintf("\n%5d  ", code); !strings.Contains(exitCodesText, line) {
			t.Errorf("parley help exit-codes has no line that begins with %q", line)
		}
	}
}
