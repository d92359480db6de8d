package cli

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"

	"parley"
	"parley/frame"
	"parley/guard"
	"parley/internal/sys"
	"parley/service"
)

// advice is what a person can do about err; empty if err says it already.
func advice(err error) string {
	var pe *parley.Error
	listening := errors.As(err, &pe) && pe.Op == "listen"
	var dns *net.DNSError
	var limit *limitError
	var local *localError
	var command *service.CommandError
	if limit := servingLimit(err); limit != "" {
		return "the limit is " + limit
	}
	switch {
	case errors.As(err, &command) && errors.Is(err, os.ErrDeadlineExceeded):
		return "--command-timeout allows for more"
	case errors.As(err, &command) && !errors.Is(err, frame.ErrContainsEnd) && !errors.Is(err, frame.ErrTooLong):
		return ""
	case errors.As(err, &limit):
		return ""
	case errors.As(err, &dns) && !dns.IsTimeout:
		return "check the spelling of the host"
	case sys.Refused.Is(err):
		return "nobody listens there: check the address, or start one with parley listen"
	case errors.Is(err, fs.ErrNotExist):
		return "check the path"
	case sys.InUse.Is(err):
		return "choose another address; port 0 is a free one"
	case sys.NotAvailable.Is(err):
		return "that address is not of this machine"
	case errors.Is(err, os.ErrPermission) && listening && strings.ContainsAny(pe.Addr[:1], "/.u"):
		return "check who may write to that directory"
	case errors.Is(err, os.ErrPermission) && listening:
		return "ports under 1024 need root, or: sysctl net.ipv4.ip_unprivileged_port_start"
	case sys.Unreachable.Is(err):
		return "there is no way to that network from here"
	case errors.Is(err, frame.ErrContainsEnd):
		return "choose a --frame whose end is not in the text; parley help formats lists them"
	case errors.As(err, &local):
		return ""
	case errors.Is(err, frame.ErrTooLong):
		return "the limit is --max-frame"
	case isBroken(err):
		return "the other end closed without hearing everything; some of what was said may be lost"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "what it said is incomplete: it was cut off, or ended TLS without close_notify, or --frame is not how it ends its messages"
	case pe != nil && strings.HasPrefix(pe.Addr, "pipe:"):
		return ""
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "nobody answers there: a firewall, or a host that is off"
	}
	return ""
}

// servingLimit is the flag whose limit a conversation with a server has met; empty if it has met none.
func servingLimit(err error) string {
	for _, l := range []struct {
		met  error
		flag string
	}{
		{parley.ErrIdle, "--idle"}, {guard.ErrTooMany, "--max-conns"}, {guard.ErrTooManyFromHost, "--max-per-host"},
		{guard.ErrTooFast, "--rate"}, {guard.ErrTooSlow, "--first-frame-within"}, {guard.ErrMaxTime, "--max-time"},
	} {
		if errors.Is(err, l.met) {
			return l.flag
		}
	}
	return ""
}
