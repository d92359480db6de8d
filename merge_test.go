package parley_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"

	"parley"
	"parley/frame"
)

func listenPacket(t testing.TB, cfg *parley.Config, address string) *parley.PacketConn {
	t.Helper()
	pc, err := cfg.ListenPacket(soon(t), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	return pc
}

// Frames of all kinds of source come in one loop, those of each conversation in order, and can be replied to.
func TestMergeOfAll(t *testing.T) {
	noLeaks(t)
	cfg := new(parley.Config)
	tcp, unix := listen(t, cfg, "0"), listen(t, cfg, socketPath(t))
	udp := listenPacket(t, cfg, "udp:0")
	far, near := tcpPair(t, cfg)
	callers := map[string]*parley.Conn{
		"tcp 1": dial(t, cfg, tcp.Address()), "tcp 2": dial(t, cfg, tcp.Address()),
		"unix": dial(t, cfg, unix.Address()), "udp": dial(t, cfg, udp.Address()), "conn": far,
	}
	for name, c := range callers {
		for i := range 3 {
			send(t, c, fmt.Sprint(name, " says ", i))
		}
	}
	next := map[string]int{}
	frames := 0
	for f, err := range parley.Merge(soon(t), tcp, unix, udp, near) {
		if err != nil {
			t.Fatal(err)
		}
		name, n, _ := strings.Cut(string(f.Data), " says ")
		if n != fmt.Sprint(next[name]) {
			t.Errorf("%s says %s, and %d was next", name, n, next[name])
		}
		next[name]++
		if f.From == nil || (f.Conn == nil) != (name == "udp") {
			t.Errorf("%q comes of %v, from %v", f.Data, f.Conn, f.From)
		}
		if err := f.Reply(soon(t), []byte("heard "+n)); err != nil {
			t.Error(err)
		}
		if frames++; frames == 15 {
			break
		}
	}
	for name, c := range callers {
		for i := range 3 {
			hears(t, c, fmt.Sprint("heard ", i))
		}
		_, err := c.Receive(expired(t))
		if name == "conn" || name == "udp" {
			wants(t, name+", not the loop's to close", err, context.DeadlineExceeded)
		}
	}
	hearsEnd(t, callers["tcp 1"])
	hearsEnd(t, callers["unix"])
}

// expired is a context whose time is soon up.
func expired(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 1)
	t.Cleanup(cancel)
	return ctx
}

func hearsEnd(t testing.TB, c *parley.Conn) {
	t.Helper()
	if text, err := c.Receive(soon(t)); err != io.EOF {
		t.Errorf("heard %q, %v; want io.EOF", text, err)
	}
}

// A loop that is left early, in whatever way, leaves no goroutine and no conversation of a listener behind.
func TestMergeLeftEarly(t *testing.T) {
	for name, leave := range map[string]func(frames iter.Seq2[parley.Frame, error], cancel func()){
		"break": func(frames iter.Seq2[parley.Frame, error], _ func()) {
			for range frames {
				break
			}
		},
		"panic": func(frames iter.Seq2[parley.Frame, error], _ func()) {
			defer func() { _ = recover() }()
			for range frames {
				panic("leave")
			}
		},
		"cancel": func(frames iter.Seq2[parley.Frame, error], cancel func()) {
			for range frames {
				cancel()
			}
		},
		"pull": func(frames iter.Seq2[parley.Frame, error], _ func()) {
			next, stop := iter.Pull2(frames)
			next()
			stop()
		},
	} {
		t.Run(name, func(t *testing.T) {
			noLeaks(t)
			ln := listen(t, new(parley.Config), "127.0.0.1:0") // "0" has goroutines of its own
			pc := listenPacket(t, new(parley.Config), "udp:127.0.0.1:0")
			for range 3 {
				write(t, dial(t, new(parley.Config), ln.Address()), strings.Repeat("many lines\n", 5000))
			}
			ctx, cancel := context.WithCancel(soon(t))
			defer cancel()
			leave(parley.Merge(ctx, ln, pc), cancel)
			if left := goroutinesLeft(patience); left != "" {
				t.Errorf("left behind when the loop is:\n\n%s", left)
			}
			send(t, dial(t, new(parley.Config), ln.Address()), "later")
			for f, err := range ln.Frames(soon(t)) { // the listener goes on
				if err == nil && string(f.Data) == "later" {
					break
				}
			}
		})
	}
}

// A caller that breaks off in the middle of a frame is told with its conversation and what it had said; others go on.
func TestListenerFramesWithTruncatedCaller(t *testing.T) {
	noLeaks(t)
	ln := listen(t, new(parley.Config), "0")
	good, bad := dial(t, new(parley.Config), ln.Address()), dial(t, new(parley.Config), ln.Address())
	send(t, good, "one")
	write(t, bad, "whole\nha")
	bad.Close()
	var heard []string
	failures := 0
	for f, err := range ln.Frames(soon(t)) {
		if err != nil {
			failures++
			wants(t, "the truncated", err, io.ErrUnexpectedEOF)
			if f.Conn == nil || string(f.Data) != "ha" || f.From.String() != bad.LocalAddr().String() {
				t.Errorf("it is told with %v, %q, %v", f.Conn, f.Data, f.From)
			}
			send(t, good, "two")
			continue
		}
		heard = append(heard, string(f.Data))
		if string(f.Data) == "two" {
			good.Close()
			ln.Close() // and so the loop ends, when all have
		}
	}
	slices.Sort(heard)
	if want := []string{"one", "two", "whole"}; failures != 1 || !slices.Equal(heard, want) {
		t.Errorf("heard %q with %d failures, want %q with 1", heard, failures, want)
	}
}

// One caller's mistake is one error, whatever it is.
func TestListenerFramesCarriesErrors(t *testing.T) {
	noLeaks(t)
	cfg := &parley.Config{Frame: frame.MustParse("netstring"), MaxFrame: 100}
	ln := listen(t, cfg, "0")
	for _, said := range []string{"GET / HTTP/1.0", "1000:", "5:he", "5:hello,"} {
		write(t, dial(t, cfg, ln.Address()), said)
	}
	var errs error
	heard := ""
	n := 0
	for f, err := range ln.Frames(soon(t)) {
		heard += string(f.Data)
		errs = errors.Join(errs, err)
		if n++; n == 3 {
			break
		}
	}
	wants(t, "malformed", errs, frame.ErrMalformed)
	wants(t, "too long", errs, frame.ErrTooLong)
	if heard != "hello" {
		t.Errorf("heard %q", heard)
	}
}

// Conversations that end cleanly end silently, and when all sources have, so does the loop.
func TestMergeEnds(t *testing.T) {
	noLeaks(t)
	a, nearA := tcpPair(t, new(parley.Config))
	b, nearB := tcpPair(t, new(parley.Config))
	send(t, a, "a")
	a.Close()
	send(t, b, "b")
	b.Close()
	var heard []string
	for f, err := range parley.Merge(soon(t), nearA, nearB) {
		heard = append(heard, fmt.Sprint(string(f.Data), err))
	}
	slices.Sort(heard)
	if want := []string{"a<nil>", "b<nil>"}; !slices.Equal(heard, want) {
		t.Errorf("heard %q, want %q", heard, want)
	}
	for f, err := range parley.Merge(soon(t)) {
		t.Errorf("of no source: %v, %v", f, err)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for f, err := range parley.Merge(ended, nearA, listen(t, new(parley.Config), "0")) {
		t.Errorf("of a context that has ended: %v, %v", f, err)
	}
}

// A Source of another make is merged by its Frames.
type twice struct{ parley.Source }

func (s twice) Frames(ctx context.Context) iter.Seq2[parley.Frame, error] {
	return func(yield func(parley.Frame, error) bool) {
		for f, err := range s.Source.Frames(ctx) {
			for range 2 {
				if !yield(f, err) {
					return
				}
			}
		}
	}
}

func TestMergeOfAnotherMake(t *testing.T) {
	noLeaks(t)
	caller, accepted := tcpPair(t, new(parley.Config))
	write(t, caller, "one\ntw")
	caller.Close()
	var heard bytes.Buffer
	var errs []error
	for f, err := range parley.Merge(soon(t), twice{accepted}) {
		heard.Write(f.Data)
		if err != nil {
			errs = append(errs, err)
		}
	}
	if heard.String() != "oneonetwtw" || len(errs) != 2 {
		t.Errorf("heard %q, %v", heard.String(), errs)
	}
}
