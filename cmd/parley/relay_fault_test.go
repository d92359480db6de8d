//go:build unix

package main

import (
	"bytes"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/transcript"
)

// faulty relays text between standard input and a command, with faults, and returns what came back.
func faulty(t *testing.T, text string, flags ...string) string {
	t.Helper()
	p := start(t, stdin(parley(append([]string{"relay", "-", "exec:cat"}, flags...)...), text))
	p.leaves(0, ``)
	return p.out.text()
}

// TestRelayFaultSeeds: the same seed has the same faults, another has others, and parley tells the one that it took.
func TestRelayFaultSeeds(t *testing.T) {
	t.Parallel()
	text := shuffledLines(2000)
	for _, tt := range []struct {
		fault, frame string
		check        func(got string) bool
	}{
		{"up:drop=10%", "line", func(got string) bool { return len(got) < len(text)*95/100 && len(got) > len(text)*85/100 }},
		{"up:duplicate=10%", "line", func(got string) bool { return len(got) > len(text)*105/100 && len(got) < len(text)*115/100 }},
		{"up:reorder=10%", "line", func(got string) bool { return len(got) == len(text) && got != text && sorted(got) == sorted(text) }},
		{"down:corrupt=1%", "", func(got string) bool { return len(got) == len(text) && got != text }},
	} {
		t.Run(tt.fault, func(t *testing.T) {
			t.Parallel()
			flags := []string{"--fault", tt.fault}
			if tt.frame != "" {
				flags = append(flags, "--frame", tt.frame)
			}
			first := faulty(t, text, append(flags, "--seed", "7")...)
			if !tt.check(first) {
				t.Errorf("%d bytes of %d came back", len(first), len(text))
			}
			if faulty(t, text, append(flags, "--seed", "7")...) != first {
				t.Error("the same seed, and other faults")
			}
			if faulty(t, text, append(flags, "--seed", "8")...) == first {
				t.Error("another seed, and the same faults")
			}
			p := start(t, stdin(parley(append([]string{"relay", "-", "exec:cat"}, flags...)...), text))
			p.leaves(0, `had again with --seed \d+`)
			seed := p.err.await(t, `--seed (\d+)`)[1]
			if faulty(t, text, append(flags, "--seed", seed)...) != p.out.text() {
				t.Error("the seed that was told has other faults")
			}
		})
	}
}

// TestRelaySlice: the target hears pieces of the sizes that were asked for, and nothing is missing. By a Unix socket each write
// is a read where the reader is faster; so only that no piece is too large can be told.
func TestRelaySlice(t *testing.T) {
	t.Parallel()
	name := file(t, "tap", "")
	text := strings.Repeat("0123456789", 100)
	p := start(t, stdin(parley("relay", "-", "exec:cat", "--fault", "up:slice=1..9", "--seed", "1", "--tap", name), text))
	p.leaves(0, ``)
	p.says(text)
	pieces, size := 0, int64(0)
	for _, f := range framesIn(t, name, "client") {
		pieces, size = pieces+1, size+f.Bytes
		if f.Bytes > 9 {
			t.Errorf("a piece of %d bytes", f.Bytes)
		}
	}
	if size != int64(len(text)) || pieces < len(text)/9 {
		t.Errorf("%d bytes in %d pieces", size, pieces)
	}
}

// framesIn returns the messages of one role, or of all, in a transcript that must be without a fault.
func framesIn(t *testing.T, name, role string) (all []transcript.Frame) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for line, err := range transcript.NewReader(f).Lines() {
		if err != nil {
			t.Fatal(err)
		}
		if f, ok := line.(transcript.Frame); ok && (role == "" || f.Role == role) {
			all = append(all, f)
		}
	}
	return all
}

// TestRelaySlow: until --max-time nothing arrives with a latency of an hour, and a part with little bandwidth; the way back is as
// fast as ever.
func TestRelaySlow(t *testing.T) {
	t.Parallel()
	const size = 1_000_000
	for _, tt := range []struct {
		fault       string
		least, most int
	}{{"up:latency=1h", 0, 0}, {"up:bandwidth=10kB/s", 1, size / 2}, {"down:latency=1h", size, size}} {
		t.Run(tt.fault, func(t *testing.T) {
			t.Parallel()
			arrived := make(chan int, 1)
			_, address := relaying(t, "127.0.0.1:0", serve(t, func(c *net.TCPConn) {
				_, _ = io.WriteString(c, "welcome\n")
				text, _ := io.ReadAll(c)
				arrived <- len(text)
			}), "--fault", tt.fault, "--seed", "1", "--max-time", "1s")
			c := talk(t, address)
			if strings.HasPrefix(tt.fault, "up") {
				c.hears("welcome\n")
			}
			c.say(strings.Repeat("x", size))
			c.isReset("")
			if got := <-arrived; got < tt.least || got > tt.most {
				t.Errorf("%d bytes arrived, want %d to %d", got, tt.least, tt.most)
			}
		})
	}
}

// TestRelayResetAfter: both ends are broken off once so many bytes have arrived, and not one more.
func TestRelayResetAfter(t *testing.T) {
	t.Parallel()
	arrived := make(chan string, 1)
	v, address := relaying(t, "127.0.0.1:0", serve(t, func(c *net.TCPConn) {
		text, err := io.ReadAll(c)
		if err == nil {
			t.Error("the target takes it for the end")
		}
		arrived <- string(text)
	}), "--fault", "up:reset-after=1kB", "--seed", "1")
	c := talk(t, address)
	c.say(strings.Repeat("x", 5000))
	c.isReset("")
	if got := <-arrived; len(got) > 1000 {
		t.Errorf("%d bytes arrived", len(got))
	}
	v.err.await(t, `(?i)fault`)
}

// TestRelayStallAfter: nothing more passes, and --idle-timeout is what ends it.
func TestRelayStallAfter(t *testing.T) {
	t.Parallel()
	v, address := relaying(t, "127.0.0.1:0", saysServer(t, strings.Repeat("x", 5000)), "--fault", "down:stall-after=1kB", "--seed", "1", "--idle-timeout", "300ms")
	talk(t, address).isReset(strings.Repeat("x", 1000))
	v.err.await(t, `caller 127\.0\.0\.1:\d+\)`)
}

// TestRelayHalfCloseLost: the target is never told of the end, as it would be without the fault.
func TestRelayHalfCloseLost(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	_, address := relaying(t, "127.0.0.1:0", serve(t, func(c *net.TCPConn) {
		_, err := io.Copy(io.Discard, c)
		ended <- err
	}), "--fault", "up:half-close-lost", "--max-time", "300ms")
	c := talk(t, address)
	c.say("b\na\n")
	c.end()
	c.isReset("")
	if err := <-ended; err == nil {
		t.Error("the target was told of the end")
	}
}

// TestRelayCloseAfter: a clean end too soon, and the exit code says nothing of it.
func TestRelayCloseAfter(t *testing.T) {
	t.Parallel()
	if got := faulty(t, strings.Repeat("x", 5000), "--fault", "up:close-after=1kB"); len(got) != 1000 {
		t.Errorf("heard %d bytes, want 1000", len(got))
	}
}

// TestRelayDatagramFaults: of datagrams some are lost, and what arrives is whole.
func TestRelayDatagramFaults(t *testing.T) {
	t.Parallel()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	v, address := relaying(t, "udp:127.0.0.1:0", "udp:"+pc.LocalAddr().String(), "--fault", "up:drop=100%", "--log", "text")
	c := talk(t, address)
	c.say("lost\n")
	v.err.await(t, `msg=joined`)
	_, passed := relaying(t, "udp:127.0.0.1:0", "udp:"+pc.LocalAddr().String(), "--fault", "up:duplicate=100%", "--seed", "1")
	talk(t, passed).say("twice\n")
	memory := make([]byte, 100)
	_ = pc.SetReadDeadline(time.Now().Add(tooLong))
	for range 2 {
		n, _, err := pc.ReadFrom(memory)
		if err != nil || !bytes.Equal(memory[:n], []byte("twice\n")) {
			t.Fatalf("heard %q, %v", memory[:n], err)
		}
	}
	v.signal(syscall.SIGKILL)
	v.wait()
}
