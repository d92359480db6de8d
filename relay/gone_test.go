package relay_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"parley"
	"parley/internal/sock"
	"parley/internal/sys"
	"parley/relay"
)

// joinGoneCommand joins a client to a command that has broken off, and whose Wait is wait.
func joinGoneCommand(t *testing.T, wait func(context.Context) error) *joined {
	client, a := streams()[0].pair(t, nil)
	b, server := streams()[0].pair(t, nil)
	sock.BreakOff(server.NetConn())
	j := joinConns(t, client, a, parley.NewConn(commandEnd{b.NetConn(), wait}, nil), server, nil)
	j.b = b
	return j
}

// A command that takes no more is waited for, as how it ended says more; the client does not wait for that.
func TestGoneCommandHasFailed(t *testing.T) {
	status := errors.New("exit status 3")
	leave := make(chan struct{})
	j := joinGoneCommand(t, func(context.Context) error { <-leave; return status })
	hearsReset(t, j.client)
	close(leave)
	_, err := j.wait(t)
	names(t, err, "receive", j.b)
	says(t, err, "what was said to it last may be lost")
	if !errors.Is(err, status) || sys.Broken.Is(err) {
		t.Error(err)
	}
}

// A command that succeeds although it takes no more is not why.
func TestGoneCommandHasNotFailed(t *testing.T) {
	j := joinGoneCommand(t, func(context.Context) error { return nil })
	if _, err := j.wait(t); !sys.Reset.Is(err) {
		t.Error(err)
	}
}

func TestContextEndsWaitForGoneCommand(t *testing.T) {
	waits := make(chan struct{})
	j := joinGoneCommand(t, func(ctx context.Context) error { close(waits); <-ctx.Done(); return ctx.Err() })
	select {
	case <-waits:
	case <-j.over:
	}
	j.stop(errors.New("time is up"))
	if _, err := j.wait(t); !sys.Reset.Is(err) {
		t.Errorf("%v; want what was known before", err)
	}
}

// notConnected is an end that a reset has reached, of which the kernel has told somebody else already.
type notConnected struct {
	net.Conn
	other *parley.Conn
}

func (c notConnected) CloseWrite() error {
	c.other.Close()
	return &net.OpError{Op: "close", Net: "tcp", Err: os.NewSyscallError("shutdown", syscall.ENOTCONN)}
}

// Who cannot be told of an end because it has reset is told to have reset.
func TestNotConnectedIsReset(t *testing.T) {
	client, a := streams()[3].pair(t, nil)
	b, server := streams()[3].pair(t, nil)
	b = parley.NewConn(notConnected{b.NetConn(), server}, nil)
	closeWrite(t, client)
	stats, err := relay.Join(soon(t), a, b, nil)
	names(t, err, "send", b)
	says(t, err, "connection reset by peer")
	if !sys.Reset.Is(err) || stats.AtoB.Ended {
		t.Errorf("%+v, %v", stats, err)
	}
}

// A fault that cannot be is refused once.
func TestUnfitFaultIsToldOnce(t *testing.T) {
	for _, spec := range []string{"drop=1%", "duplicate=1%", "reorder=1%", "drop=1%,reorder=1%"} {
		up, down, err := relay.ParseFaults(spec, 1)
		if err != nil {
			t.Fatal(err)
		}
		j := join(t, streams()[0], streams()[0], &relay.Options{AtoB: up, BtoA: down})
		_, err = j.wait(t)
		if says(t, err, "is for frames"); strings.Count(err.Error(), "is for frames") != 1 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q", err)
		}
	}
}
