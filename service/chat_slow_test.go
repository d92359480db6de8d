package service_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley"
	"parley/parleytest"
	"parley/service"
)

// smallNetwork has conversations that hold little, so that a caller who does not read shows it soon.
func smallNetwork() parley.Config {
	n := &parleytest.Network{Buffer: 1 << 10}
	return parley.Config{Schemes: []parley.Scheme{n.Scheme()}}
}

// keepReading hears a caller's lines in a goroutine, until the end.
func (p *party) keepReading(c *parley.Conn) (lines func() []string) {
	var all []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			text, err := c.Receive(context.Background())
			if err != nil {
				return
			}
			all = append(all, string(text))
		}
	}()
	return func() []string { <-done; return all }
}

// pass lets virtual time pass.
func pass(d time.Duration) { <-time.After(d) }

func TestChatDropsWhoDoesNotRead(t *testing.T) {
	onParty(t, &service.Chat{Queue: 8}, smallNetwork(), func(p *party) {
		stalled, talker, reader := p.come(), p.come(), p.come()
		heard := p.keepReading(reader)
		start := time.Now()
		for i := range 100 {
			p.say(talker, fmt.Sprintf("line %d %s", i, strings.Repeat("x", 100)))
		}
		if waited := time.Since(start); waited > 4*time.Second {
			t.Errorf("the talker was held up for %v of virtual time", waited)
		}
		pass(10 * time.Second) // long enough to be dropped and to be given up
		reader.CloseWrite()
		lines := heard()
		want, dropped := 0, 0
		for _, l := range lines {
			if strings.HasPrefix(l, fmt.Sprintf("[2 guest2] line %d ", want)) {
				want++
			} else if l == "* 1 guest1 was dropped: does not read" {
				dropped++
			}
		}
		if want != 100 || dropped != 1 {
			t.Errorf("the reader heard %d of 100 lines, and %d times that the other was dropped", want, dropped)
		}
		last := ""
		for {
			text, err := stalled.Receive(p.Context())
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Logf("the stalled caller heard at last: %v", err)
				break
			}
			last = string(text)
		}
		if last == "* 1 guest1 was dropped: does not read" {
			t.Error("who was dropped was still told of the room")
		}
	})
}

// Who reads slowly, but reads, holds up a flood for as long as it takes, and loses nothing.
func TestChatKeepsSlowReader(t *testing.T) {
	for _, queue := range []int{8, 64} {
		onParty(t, &service.Chat{Queue: queue}, smallNetwork(), func(p *party) {
			slow, talker := p.come(), p.come()
			const lines = 120
			go func() {
				for i := range lines {
					fmt.Fprintf(talker, "line %d %s\n", i, strings.Repeat("x", 300))
				}
			}()
			synctest.Wait()
			p.hearsLine(slow, "* 2 guest2 came")
			for i := range lines {
				pass(700 * time.Millisecond) // what comes is read by the kilobyte, so every third time
				p.hearsLine(slow, fmt.Sprintf("[2 guest2] line %d ", i))
			}
		})
	}
}

// hearsLine wants the next line to begin so.
func (p *party) hearsLine(c *parley.Conn, begin string) {
	p.Helper()
	if text := p.next(c); !strings.HasPrefix(text, begin) {
		p.Fatalf("heard %q, want %q", text, begin)
	}
}

// Who speaks for too long must go, but those who have not kept up with him by then have done nothing.
func TestChatSpeakerEndsAmongReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, ch := smallNetwork(), &service.Chat{Queue: 8}
		ln, err := cfg.Listen(t.Context(), "mem:chat")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		p := &party{T: t, chat: ch, cfg: &cfg}
		ch.Seen = func(l service.ChatLine) { p.lines = append(p.lines, l) }
		held := func(ctx context.Context) (c *parley.Conn, ended chan error) {
			ended = make(chan error, 1)
			c = p.dial()
			theirs, err := ln.Accept()
			if err != nil {
				t.Fatal(err)
			}
			go func() { ended <- ch.Handle(ctx, theirs.(*parley.Conn)); theirs.Close() }()
			p.hearsLine(c, "* you are")
			p.hearsLine(c, "* commands")
			return c, ended
		}
		reader, readerEnded := held(t.Context())
		ctx, end := context.WithCancel(t.Context())
		talker, talkerEnded := held(ctx)
		go func() {
			for i := range 100 {
				fmt.Fprintf(talker, "line %d %s\n", i, strings.Repeat("x", 300))
			}
		}()
		synctest.Wait() // the talker waits for the reader
		before := len(p.lines)
		end()
		if err := <-talkerEnded; !errors.Is(err, context.Canceled) {
			t.Errorf("the talker's conversation ended with %v", err)
		}
		if after := p.lines[before:]; len(after) != 2 {
			t.Errorf("after the end of his time the room hears %q", after)
		}
		p.hearsLine(reader, "* 2 guest2 came")
		said := 0
		text := p.next(reader)
		for ; strings.HasPrefix(text, fmt.Sprintf("[2 guest2] line %d ", said)); text = p.next(reader) {
			said++
		}
		if !strings.HasPrefix(text, "* 2 guest2 left") || said == 0 || said == 100 {
			t.Errorf("after %d lines the reader hears %q", said, text)
		}
		reader.CloseWrite()
		if err := <-readerEnded; err != nil {
			t.Errorf("the reader's conversation ended with %v", err)
		}
	})
}

// Who begins to read again while he is being dropped hears everything up to then, and why.
func TestChatTellsWhoIsDropped(t *testing.T) {
	onParty(t, &service.Chat{Queue: 8}, smallNetwork(), func(p *party) {
		stalled, talker := p.come(), p.come()
		for i := range 40 {
			p.say(talker, fmt.Sprintf("line %d %s", i, strings.Repeat("x", 100)))
		}
		pass(1500 * time.Millisecond)
		got := p.heard(stalled)
		if n := len(got); n < 10 || got[n-2] != "* you were dropped, as you do not read" || got[n-1] != "EOF" {
			t.Errorf("heard %q", got)
		}
		for i, l := range got[1 : len(got)-2] {
			if !strings.HasPrefix(l, fmt.Sprintf("[2 guest2] line %d ", i)) {
				t.Errorf("line %d is %q", i, l)
			}
		}
	})
}

// Asking much without reading the answers ends only the one who does.
func TestChatDropsWhoOnlyAsks(t *testing.T) {
	onParty(t, &service.Chat{Queue: 8}, smallNetwork(), func(p *party) {
		asks, reader := p.come(), p.come()
		for range 200 {
			if _, err := asks.Write([]byte("/help\n")); err != nil {
				break
			}
		}
		pass(10 * time.Second)
		p.hears(reader, "* 1 guest1 was dropped: does not read")
	})
}

// A flood loses nothing to those who read, however short the queue.
func TestChatFloodWaitsForReaders(t *testing.T) {
	const talkers, each = 5, 300
	onParty(t, &service.Chat{Queue: 2}, smallNetwork(), func(p *party) {
		var callers []*parley.Conn
		var heard []func() []string
		for range talkers {
			c := p.come()
			callers, heard = append(callers, c), append(heard, p.keepReading(c))
			synctest.Wait()
		}
		for _, c := range callers {
			go func() {
				for i := range each {
					fmt.Fprintf(c, "line %d\n", i)
				}
			}()
		}
		synctest.Wait()
		for _, c := range callers {
			c.CloseWrite()
			synctest.Wait()
		}
		for i, lines := range heard {
			next := make([]int, talkers+1)
			for _, l := range lines() {
				var id, n int
				if _, err := fmt.Sscanf(strings.Replace(l, "] line", " line", 1), "[%d guest%d line %d", &id, &id, &n); err != nil {
					continue
				}
				if n != next[id] {
					t.Fatalf("caller %d heard line %d of caller %d, want %d", i+1, n, id, next[id])
				}
				next[id]++
			}
			next[i+1] = each // his own he does not hear
			for id, n := range next[1:] {
				if n != each {
					t.Errorf("caller %d heard %d lines of caller %d, want %d", i+1, n, id+1, each)
				}
			}
		}
	})
}

// A stalled caller must not keep a server from ending.
func TestChatEndsInSpiteOfStalled(t *testing.T) {
	onParty(t, &service.Chat{Queue: 8}, smallNetwork(), func(p *party) {
		_, talker := p.come(), p.come()
		for i := range 14 {
			p.say(talker, fmt.Sprintf("line %d %s", i, strings.Repeat("x", 100)))
		}
		start := time.Now()
		p.stop()
		err := <-p.served
		p.served <- err
		if took := time.Since(start); err != nil || took >= parley.DefaultGrace {
			t.Errorf("Serve ended after %v with %v", took, err)
		}
		if log := p.log.String(); !strings.Contains(log, "caller 1 guest1 does not read") {
			t.Errorf("the log is %q", log)
		}
	})
}
