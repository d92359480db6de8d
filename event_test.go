package parley_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"parley"
	"parley/frame"
)

// A record keeps what Config.Observe is told.
type record struct {
	mu     sync.Mutex
	events []parley.Event
}

func (r *record) observe(e parley.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e.Data = slices.Clone(e.Data) // it is valid only during the call
	r.events = append(r.events, e)
}

// lines are the events in the order they came: "said 6 hello".
func (r *record) lines() (lines []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		line := e.Kind.String()
		if e.Kind == parley.Said || e.Kind == parley.Heard {
			line += fmt.Sprintf(" %d %s", e.Size, e.Data)
		}
		lines = append(lines, line)
	}
	return lines
}

func TestObserveBothEnds(t *testing.T) {
	for network, address := range streams(t) {
		var atCaller, atAccepted record
		ln := listen(t, &parley.Config{Observe: atAccepted.observe}, address)
		began := time.Now()
		caller := dial(t, &parley.Config{Observe: atCaller.observe}, ln.Address())
		answered := make(chan error, 1)
		go func() {
			for c, err := range ln.Conns(soon(t)) {
				for f, err := range c.Frames(soon(t)) {
					if err != nil {
						answered <- err
						return
					}
					if err := f.Reply(soon(t), []byte("yes")); err != nil {
						answered <- err
						return
					}
				}
				answered <- errors.Join(err, c.CloseWrite(), c.CloseWrite(), c.Close())
				return
			}
		}()
		if _, err := caller.Ask(soon(t), []byte("hello?")); err != nil {
			t.Fatal(err)
		}
		write(t, caller, "no frame is known of this") // and so there is no event
		write(t, caller, "\n")
		hears(t, caller, "yes")
		if err := errors.Join(caller.CloseWrite(), caller.CloseWrite()); err != nil {
			t.Fatal(err)
		}
		if _, err := caller.Receive(soon(t)); err != io.EOF {
			t.Fatal(err)
		}
		if err := <-answered; err != nil {
			t.Fatal(err)
		}
		caller.Close()
		caller.Close()

		want := []string{"opened", "said 7 hello?", "heard 4 yes", "heard 4 yes", "said-end", "heard-end", "closed"}
		if got := atCaller.lines(); !slices.Equal(got, want) {
			t.Errorf("%s: at the caller %q, want %q", network, got, want)
		}
		want = []string{"opened", "heard 7 hello?", "said 4 yes", "heard 26 no frame is known of this", "said 4 yes", "heard-end", "said-end", "closed"}
		if got := atAccepted.lines(); !slices.Equal(got, want) {
			t.Errorf("%s: at the accepted end %q, want %q", network, got, want)
		}
		last := began
		for _, e := range atCaller.events {
			if e.Conn != caller || e.Addr.String() != caller.RemoteAddr().String() || e.Time.Before(last) || e.Err != nil {
				t.Errorf("%s: %s of %v with %v at %v, after %v: %v", network, e.Kind, e.Conn, e.Addr, e.Time, last, e.Err)
			}
			last = e.Time
		}
	}
}

// What was not said is no event, and what a frame ends with may be the close.
func TestObserveUntilClose(t *testing.T) {
	var said, heard record
	ln := listen(t, &parley.Config{Frame: frame.UntilClose(), Observe: heard.observe}, "0")
	caller := dial(t, &parley.Config{Frame: frame.UntilClose(), Observe: said.observe}, ln.Address())
	send(t, caller, "all of it")
	for f, err := range ln.Frames(soon(t)) {
		if err != nil || string(f.Data) != "all of it" {
			t.Errorf("heard %q, %v", f.Data, err)
		}
		break
	}
	if got, want := said.lines(), []string{"opened", "said 9 all of it", "said-end"}; !slices.Equal(got, want) {
		t.Errorf("at the caller %q, want %q", got, want)
	}
	if got, want := heard.lines(), []string{"opened", "heard-end", "heard 9 all of it", "closed"}; !slices.Equal(got, want) {
		t.Errorf("at the accepted end %q, want %q", got, want)
	}
}

func TestObserveFailures(t *testing.T) {
	var events record
	caller, _ := tcpPair(t, &parley.Config{Observe: events.observe})
	_ = caller.Send(soon(t), []byte("two\nlines"))
	caller.Close()
	if err := caller.Send(soon(t), []byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	for _, e := range events.events {
		if e.Kind == parley.Said {
			t.Errorf("said %q", e.Data)
		}
	}
}

func TestEventKinds(t *testing.T) {
	names := map[string]bool{}
	for k := parley.Opened; k <= parley.Dropped; k++ {
		names[k.String()] = true
	}
	if len(names) != 8 || names["unknown"] || names[""] {
		t.Errorf("the kinds are called %v", names)
	}
	for _, k := range []parley.EventKind{-1, 0, parley.Dropped + 1} {
		if k.String() != "unknown" {
			t.Errorf("kind %d is called %q", int(k), k)
		}
	}
}
