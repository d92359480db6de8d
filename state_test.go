package parley_test

import (
	"context"
	"net"
	"testing"
	"time"

	"parley"
	"parley/frame"
)

func TestStateCounts(t *testing.T) {
	for network, address := range streams(t) {
		caller, accepted := pair(t, new(parley.Config), address)
		send(t, caller, "hello") // 6 bytes
		write(t, caller, "by")
		hears(t, accepted, "hello")
		if got := caller.State(); got.Said != 8 || got.Heard != 0 || got.SaidEnd || got.HeardEnd {
			t.Errorf("%s: who has spoken: %+v", network, got)
		}
		if got := accepted.State(); got.Said != 0 || got.Heard < 6 || !got.Hearing.IsZero() || !got.Saying.IsZero() {
			t.Errorf("%s: who has heard: %+v", network, got)
		}
		if got := accepted.State().End; got != frame.Line().End() {
			t.Errorf("%s: a frame ends with %q", network, got)
		}

		if err := caller.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if _, err := accepted.Receive(soon(t)); err == nil {
			t.Error("a part is a frame")
		}
		if !caller.State().SaidEnd || caller.State().HeardEnd {
			t.Errorf("%s: who has ended: %+v", network, caller.State())
		}
		if got := accepted.State(); got.SaidEnd || !got.HeardEnd || got.Heard != 8 {
			t.Errorf("%s: who has heard the end: %+v", network, got)
		}
	}
}

func TestStateHearing(t *testing.T) {
	for network, address := range streams(t) {
		caller, accepted := pair(t, new(parley.Config), address)
		before := time.Now()
		ctx, cancel := context.WithCancel(context.Background())
		heard := make(chan error, 1)
		go func() { _, err := accepted.Receive(ctx); heard <- err }()
		write(t, caller, "half a li")
		until(t, "a part was heard", func() bool { return accepted.State().Unfinished == 9 })
		state := accepted.State()
		if state.Hearing.Before(before) || state.Hearing.After(time.Now()) {
			t.Errorf("%s: hearing since %v, want after %v", network, state.Hearing, before)
		}
		if want := "heard 9 bytes without the end of a line yet"; state.String() != "said 0 bytes; "+want {
			t.Errorf("%s: %q", network, state)
		}
		cancel()
		wants(t, network, <-heard, context.Canceled)
		if state := accepted.State(); state.Unfinished != 0 || !state.Hearing.IsZero() {
			t.Errorf("%s: nobody waits, and yet %+v", network, state)
		}
	}
}

// The parts of a frame are not waited for by who copies bytes.
func TestStateOfACopyHasNoUnfinishedFrame(t *testing.T) {
	caller, accepted := tcpPair(t, new(parley.Config))
	ctx, cancel := context.WithCancel(context.Background())
	heard := make(chan error, 1)
	go func() { _, err := accepted.Receive(ctx); heard <- err }()
	write(t, caller, "half a li")
	until(t, "a part was heard", func() bool { return accepted.State().Unfinished == 9 })
	cancel()
	<-heard
	r, w := filePipe(t)
	copied := make(chan error, 1)
	go func() { _, err := accepted.WriteTo(w); copied <- err }()
	until(t, "the copy waits", func() bool { return !accepted.State().Hearing.IsZero() })
	if got := accepted.State().Unfinished; got != 0 {
		t.Errorf("%d bytes of a frame are unfinished, and have been copied", got)
	}
	caller.Close()
	if err := <-copied; err != nil {
		t.Error(err)
	}
	w.Close()
	if got := make([]byte, 20); true {
		if n, err := r.Read(got); string(got[:n]) != "half a li" {
			t.Errorf("copied %q, %v", got[:n], err)
		}
	}
}

func TestStateSaying(t *testing.T) {
	for network, address := range streams(t) {
		caller, _ := pair(t, new(parley.Config), address)
		before := time.Now()
		written := make(chan error, 1)
		go func() { written <- writeForever(caller) }()
		until(t, "a Write waits", func() bool { return !caller.State().Saying.IsZero() })
		if got := caller.State(); got.Saying.Before(before) || got.Said == 0 {
			t.Errorf("%s: %+v", network, got)
		}
		caller.Close()
		wants(t, network+": a Write during Close", <-written, net.ErrClosed)
		if !caller.State().Saying.IsZero() {
			t.Errorf("%s: a closed conversation says", network)
		}
	}
}

func writeForever(c *parley.Conn) error {
	piece := make([]byte, 64<<10)
	for {
		if _, err := c.Write(piece); err != nil {
			return err
		}
	}
}

// Where nobody can tell, nothing is claimed.
func TestStateOfPipe(t *testing.T) {
	a, b := net.Pipe()
	defer b.Close()
	c := parley.NewConn(a, nil)
	defer c.Close()
	go b.Read(make([]byte, 10))
	send(t, c, "hello")
	if got := c.State(); got.Said != 6 || got.Taken != -1 || got.Unread != -1 || got.NotReading {
		t.Errorf("%+v", got)
	}
	if got := c.State().String(); got != "said 6 bytes; heard 0 bytes" {
		t.Errorf("%q", got)
	}
	if err := c.WaitTaken(soon(t)); err != nil {
		t.Error(err)
	}
}

func TestStateString(t *testing.T) {
	line := frame.Line().End()
	for _, test := range []struct {
		state parley.State
		want  string
	}{
		{parley.State{}, "said 0 bytes; heard 0 bytes"},
		{parley.State{Said: 5, Taken: -1, Heard: 7}, "said 5 bytes; heard 7 bytes"},
		{parley.State{Said: 5, Taken: 5}, "said 5 bytes, all taken by the other kernel; heard 0 bytes"},
		{parley.State{Said: 5, Taken: 2}, "said 5 bytes, 2 taken by the other kernel; heard 0 bytes"},
		{parley.State{Heard: 30, Unfinished: 27, End: line}, "said 0 bytes; heard 27 bytes without the end of a line yet"},
		{parley.State{Taken: -1, Said: 1, NotReading: true}, "said 1 bytes; heard 0 bytes; the other end is not reading"},
		{parley.State{HeardEnd: true, SaidEnd: true}, "said 0 bytes; heard 0 bytes; the other end has ended; this end has ended"},
	} {
		if got := test.state.String(); got != test.want {
			t.Errorf("%+v: %q, want %q", test.state, got, test.want)
		}
	}
}
