package parley_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley"
	"parley/frame"
)

// The text of an Error names the operation, the place and the cause, each once.
func TestErrorText(t *testing.T) {
	tcp := func(s string) net.Addr {
		a, err := net.ResolveTCPAddr("tcp", s)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	here, there := tcp("127.0.0.1:1"), tcp("127.0.0.1:2")
	reset := os.NewSyscallError("read", syscall.ECONNRESET)
	read := &net.OpError{Op: "read", Net: "tcp", Source: here, Addr: there, Err: reset}
	dial := &net.OpError{Op: "dial", Net: "tcp", Addr: there, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for _, test := range []struct {
		err  parley.Error
		want string
	}{
		{parley.Error{Op: "receive", Addr: "127.0.0.1:2", Err: read}, "receive 127.0.0.1:2: read: connection reset by peer"},
		{parley.Error{Op: "dial", Addr: "127.0.0.1:2", Err: dial}, "dial 127.0.0.1:2: connect: connection refused"},
		{parley.Error{Op: "dial", Addr: "tcp:127.0.0.1:2", Err: dial}, "dial tcp:127.0.0.1:2: connect: connection refused"},
		{parley.Error{Op: "dial", Addr: "name:2", Err: dial}, "dial name:2 (127.0.0.1:2): connect: connection refused"},
		{parley.Error{Op: "dial", Addr: "name:2", Err: fmt.Errorf("%w; try again", dial)}, "dial name:2 (127.0.0.1:2): connect: connection refused; try again"},
		{parley.Error{Op: "receive", Addr: "127.0.0.1:2", Err: &net.OpError{Op: "read", Addr: there, Err: os.ErrDeadlineExceeded}}, "receive 127.0.0.1:2: i/o timeout"},
		{parley.Error{Op: "receive", Addr: "127.0.0.1:2", Err: &net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}},
			"receive 127.0.0.1:2: remote error: tls: bad certificate"},
		{parley.Error{Op: "ask", Addr: "/p", Err: io.ErrUnexpectedEOF}, "ask /p: unexpected EOF"},
		{parley.Error{Op: "dial", Addr: "x", Err: &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("mistake")}}, "dial x: mistake"},
	} {
		if got := test.err.Error(); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

// failures make each error of the table in docs/from-perl.md, and more.
var failures = map[string]struct {
	fail func(t *testing.T) error
	is   error  // what errors.Is must find
	op   string // of the *parley.Error; empty if there is none
	says string
}{
	"refused":            {refused, syscall.ECONNREFUSED, "dial", "connect"},
	"connect timeout":    {connectTimeout, context.DeadlineExceeded, "dial", ""},
	"receive timeout":    {receiveTimeout, context.DeadlineExceeded, "receive", ": context deadline exceeded"},
	"read timeout":       {readTimeout, os.ErrDeadlineExceeded, "", "i/o timeout"},
	"port in use":        {portInUse, syscall.EADDRINUSE, "listen", "bind: address already in use"},
	"ended":              {ended, io.EOF, "", "EOF"},
	"ended in mid-frame": {endedInMidFrame, io.ErrUnexpectedEOF, "receive", "the other end stopped after 2 bytes without the end of a line"},
	"reset":              {reset, syscall.ECONNRESET, "receive", ": read: connection reset by peer"},
	"write after reset":  {writeAfterReset, syscall.EPIPE, "send", ": write: broken pipe"},
	"closed":             {closed, net.ErrClosed, "receive", "use of closed network connection"},
	"too long":           {tooLong, frame.ErrTooLong, "receive", "the limit is 3"},
	"own end in it":      {ownEnd, frame.ErrContainsEnd, "send", "frame line"},
	"out of step":        {outOfStep, parley.ErrOutOfStep, "ask", "out of step"},
	"no half-close":      {noHalfClose, errors.ErrUnsupported, "send", "no half-close on udp"},
}

func TestErrorsAreFound(t *testing.T) {
	for name, test := range failures {
		t.Run(name, func(t *testing.T) {
			if _, errno := test.is.(syscall.Errno); errno && runtime.GOOS == "windows" {
				t.Skip("Windows has numbers of its own")
			}
			err := test.fail(t)
			wants(t, name, err, test.is)
			says(t, name, err, test.says)
			var e *parley.Error
			if errors.As(err, &e) != (test.op != "") || e != nil && e.Op != test.op {
				t.Errorf("the operation of %#v is not %q", err, test.op)
			}
			words := strings.Split(err.Error(), ": ")
			for i := 1; i < len(words); i++ {
				if words[i] == words[i-1] {
					t.Errorf("doubled words: %q", err)
				}
			}
			var timeout interface{ Timeout() bool }
			if got := errors.As(err, &timeout) && timeout.Timeout(); got != strings.Contains(name, "timeout") {
				t.Errorf("%v: Timeout() is %v", err, got)
			}
		})
	}
}

func refused(t *testing.T) error {
	ln, address := raw(t)
	ln.Close()
	_, err := parley.Dial(soon(t), address)
	return err
}

// connectTimeout calls somebody who never answers the handshake.
func connectTimeout(t *testing.T) error {
	_, address := raw(t)
	_, err := (&parley.Config{Timeout: 5 * time.Millisecond}).Dial(soon(t), "tls:"+address)
	return err
}

func receiveTimeout(t *testing.T) error {
	caller, _ := tcpPair(t, new(parley.Config))
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, err := caller.Receive(ctx)
	return err
}

func readTimeout(t *testing.T) error {
	caller, _ := tcpPair(t, new(parley.Config))
	caller.SetReadDeadline(time.Unix(1, 0))
	_, err := caller.Read(make([]byte, 1))
	return err
}

func portInUse(t *testing.T) error {
	_, address := raw(t)
	_, err := parley.Listen(soon(t), address)
	return err
}

func ended(t *testing.T) error {
	caller, accepted := tcpPair(t, new(parley.Config))
	accepted.Close()
	_, err := caller.Receive(soon(t))
	return err
}

func endedInMidFrame(t *testing.T) error {
	caller, accepted := tcpPair(t, new(parley.Config))
	write(t, accepted, "he")
	accepted.Close()
	_, err := caller.Receive(soon(t))
	return err
}

// resetPair is a conversation whose other end has reset it.
func resetPair(t *testing.T) *parley.Conn {
	caller, accepted := tcpPair(t, new(parley.Config))
	accepted.NetConn().(*net.TCPConn).SetLinger(0)
	accepted.Close()
	return caller
}

func reset(t *testing.T) error {
	_, err := resetPair(t).Receive(soon(t))
	return err
}

func writeAfterReset(t *testing.T) error {
	c := resetPair(t)
	_, _ = c.Receive(soon(t))
	return c.Send(soon(t), []byte("x"))
}

func closed(t *testing.T) error {
	caller, _ := tcpPair(t, new(parley.Config))
	caller.Close()
	_, err := caller.Receive(soon(t))
	return err
}

func tooLong(t *testing.T) error {
	caller, accepted := tcpPair(t, &parley.Config{MaxFrame: 3})
	write(t, accepted, "long\n")
	_, err := caller.Receive(soon(t))
	return err
}

func ownEnd(t *testing.T) error {
	caller, _ := tcpPair(t, new(parley.Config))
	err := caller.Send(soon(t), []byte("two\nlines"))
	if said := caller.State().Said; said != 0 {
		t.Errorf("%d bytes of it were said", said)
	}
	return err
}

func outOfStep(t *testing.T) error {
	caller, accepted := tcpPair(t, new(parley.Config))
	write(t, accepted, "one\ntwo\n")
	hears(t, caller, "one")
	_, err := caller.Ask(soon(t), []byte("?"))
	return err
}

func noHalfClose(t *testing.T) error {
	pc, err := parley.ListenPacket(soon(t), "udp:127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	return withoutHalfClose(t, pc.Address())
}

func withoutHalfClose(t *testing.T, address string) error {
	return dial(t, new(parley.Config), address).CloseWrite()
}

func TestNoSuchHost(t *testing.T) {
	_, err := parley.Dial(soon(t), "a..b:7070")
	var dns *net.DNSError
	if !errors.As(err, &dns) || !dns.IsNotFound {
		t.Errorf("%v", err)
	}
	says(t, "no such host", err, "dial a..b:7070: lookup a..b: no such host")
}

// Whoever holds a port is named, where that can be known.
func TestPortInUseText(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has words of its own")
	}
	ln, address := raw(t)
	port := strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
	_, err := parley.Listen(soon(t), address)
	says(t, "listen", err, "listen "+address+": bind: address already in use")
	if strings.Count(err.Error(), "listen") != 1 {
		t.Errorf("doubled words: %q", err)
	}
	_, err = parley.Listen(soon(t), port)
	says(t, "listen on a number", err, "listen "+port+" (127.0.0.1:"+port+"): bind: address already in use")
	var oe *net.OpError
	if !errors.As(err, &oe) {
		t.Errorf("%#v holds no *net.OpError", err)
	}
}

// How long is too long for the accepting end is its context's to say, and no error.
func TestAcceptTimeout(t *testing.T) {
	ln := listen(t, new(parley.Config), "0")
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	for c, err := range ln.Conns(ctx) {
		t.Errorf("%v, %v", c, err)
	}
	for f, err := range ln.Frames(ctx) {
		t.Errorf("%v, %v", f, err)
	}
	wants(t, "the context", ctx.Err(), context.DeadlineExceeded)
}
