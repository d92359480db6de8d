package service_test

import (
	"context"
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
		if waited := time.Since(start); waited > time.Second {
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
