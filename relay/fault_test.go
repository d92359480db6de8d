package relay_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley"
	"parley/parleytest"
	"parley/relay"
)

// A diary is a net.Conn that notes what is said to it, and when.
type diary struct {
	net.Conn
	begin time.Time

	mu    sync.Mutex
	notes []note
	ended time.Duration // when the end was said; -1: not yet
}

type note struct {
	at   time.Duration
	said string
}

func (d *diary) Write(p []byte) (int, error) {
	d.mu.Lock()
	d.notes = append(d.notes, note{time.Since(d.begin), string(p)})
	d.mu.Unlock()
	return d.Conn.Write(p)
}

func (d *diary) CloseWrite() error {
	d.mu.Lock()
	d.ended = time.Since(d.begin)
	d.mu.Unlock()
	return d.Conn.(interface{ CloseWrite() error }).CloseWrite()
}

// all returns what was said, in pieces.
func (d *diary) all() []string {
	var said []string
	for _, n := range d.log() {
		said = append(said, n.said)
	}
	return said
}

// log returns what was said, and when.
func (d *diary) log() []note {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.notes)
}

// end is when the end was said; -1: not yet.
func (d *diary) end() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ended
}

// by is how many bytes were said by then.
func (d *diary) by(then time.Duration) (n int) {
	for _, note := range d.log() {
		if note.at <= then {
			n += len(note.said)
		}
	}
	return n
}

// A rig is a client and a server in memory, a Join with faults between them, and what it has said to the server. It has the
// time of a bubble.
type rig struct {
	*joined
	diary *diary
	heard chan string // all that the server has heard, once that is over
}

func faults(t testing.TB, spec string, seed uint64) (up, down *relay.Faults) {
	t.Helper()
	up, down, err := relay.ParseFaults(spec, seed)
	if err != nil {
		t.Fatal(err)
	}
	return up, down
}

// newRig joins with opts. The server hears until it is over, and says nothing itself but its end after that.
func newRig(t *testing.T, opts relay.Options) *rig {
	t.Helper()
	mem := place{name: "mem", address: func(testing.TB) string { return "mem:" }, network: new(parleytest.Network)}
	client, a := mem.pair(t, nil)
	plain, server := mem.pair(t, nil)
	d := &diary{Conn: plain.NetConn(), begin: time.Now(), ended: -1}
	r := &rig{joinConns(t, client, a, parley.NewConn(d, nil), server, &opts), d, make(chan string, 1)}
	go func() {
		all, err := io.ReadAll(server)
		if err == nil {
			err = server.CloseWrite()
		}
		if err != nil {
			all = fmt.Appendf(all, "%v", err)
		}
		r.heard <- string(all)
	}()
	return r
}

// inTime runs body with a rig with faults each way.
func inTime(t *testing.T, spec string, body func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		up, down := faults(t, spec, 1)
		body(t, newRig(t, relay.Options{AtoB: up, BtoA: down}))
	})
}

// say has the client say text and its end.
func (r *rig) say(t *testing.T, text string) {
	t.Helper()
	write(t, r.client, text)
	closeWrite(t, r.client)
}

func pass(t time.Duration) { <-time.After(t) }

func TestFaultLatency(t *testing.T) {
	inTime(t, "latency=50ms", func(t *testing.T, r *rig) {
		r.say(t, "hello")
		hearsEnd(t, r.client)
		stats, err := r.wait(t)
		if err != nil || stats.AtoB.Bytes != 5 || !stats.AtoB.Ended {
			t.Errorf("%+v, %v", stats, err)
		}
		if r.diary.by(49*time.Millisecond) != 0 || r.diary.by(50*time.Millisecond) != 5 || r.diary.end() != 50*time.Millisecond {
			t.Errorf("said %v and the end at %v; want both at 50ms", r.diary.log(), r.diary.end())
		}
		if age := time.Since(r.diary.begin); age != 100*time.Millisecond {
			t.Errorf("the end came back at %v, want 100ms", age)
		}
	})
}

func TestFaultJitterKeepsTheOrder(t *testing.T) {
	inTime(t, "up:latency=50ms±20ms", func(t *testing.T, r *rig) {
		var want strings.Builder
		for i := range 200 {
			text := fmt.Sprintf("%03d\n", i)
			want.WriteString(text)
			write(t, r.client, text)
			pass(10 * time.Millisecond)
		}
		closeWrite(t, r.client)
		if got := <-r.heard; got != want.String() {
			t.Errorf("heard %q", got)
		}
		least, most := time.Hour, time.Duration(0)
		for i, n := range r.diary.log() {
			late := n.at - time.Duration(i)*10*time.Millisecond
			least, most = min(least, late), max(most, late)
		}
		if len(r.diary.log()) != 200 || least < 30*time.Millisecond || most > 70*time.Millisecond || most-least < 30*time.Millisecond {
			t.Errorf("%d pieces came %v to %v late, want 30ms to 70ms", len(r.diary.log()), least, most)
		}
	})
}

func TestFaultLatencyDoesNotLimitTheRate(t *testing.T) {
	inTime(t, "up:latency=1s", func(t *testing.T, r *rig) {
		r.say(t, strings.Repeat("x", 6<<20))
		<-r.heard
		first, second := r.diary.by(time.Second), r.diary.by(2*time.Second)
		if first < 3<<20 || first > 4<<20 || second != 6<<20 {
			t.Errorf("%d bytes were there after 1s, %d after 2s; want 4 MiB under way at once", first, second)
		}
	})
}

func TestFaultBandwidth(t *testing.T) {
	for spec, latency := range map[string]time.Duration{"up:bandwidth=1MB/s": 0, "up:bandwidth=8Mbit/s,latency=3s": 3 * time.Second} {
		inTime(t, spec, func(t *testing.T, r *rig) {
			r.say(t, strings.Repeat("x", 5e6))
			<-r.heard
			half, all := r.diary.by(latency+2500*time.Millisecond), r.diary.end()-latency
			if half < 2.4e6 || half > 2.5e6 || all < 4990*time.Millisecond || all > 5010*time.Millisecond {
				t.Errorf("%s: half the time brought %d of 5 MB, all took %v; want 5s", spec, half, all)
			}
		})
	}
	inTime(t, "up:bandwidth=100B/s", func(t *testing.T, r *rig) {
		r.say(t, strings.Repeat("x", 100))
		<-r.heard
		if len(r.diary.log()) != 50 {
			t.Errorf("100 bytes in a second came in %d pieces; they ought to trickle", len(r.diary.log()))
		}
	})
}

// A slow link must not take in what it cannot carry.
func TestFaultBandwidthPressesBack(t *testing.T) {
	inTime(t, "up:bandwidth=1kB/s", func(t *testing.T, r *rig) {
		go r.client.Write(make([]byte, 1<<20))
		synctest.Wait()
		if _, heard := r.a.Bytes(); heard > 200 {
			t.Errorf("the relay has heard %d bytes at once, want the work of a tenth of a second", heard)
		}
	})
}

func TestFaultSlice(t *testing.T) {
	text := strings.Repeat("0123456789", 100)
	inTime(t, "up:slice=1..9,slice-delay=10ms", func(t *testing.T, r *rig) {
		r.say(t, text)
		if got := <-r.heard; got != text {
			t.Errorf("heard %q", got)
		}
		sizes := map[int]int{}
		for i, n := range r.diary.log() {
			sizes[len(n.said)]++
			if n.at != time.Duration(i)*10*time.Millisecond {
				t.Fatalf("slice %d came at %v, want 10ms between two", i, n.at)
			}
		}
		for size := range sizes {
			if size < 1 || size > 9 {
				t.Errorf("a slice of %d bytes", size)
			}
		}
		if len(sizes) != 9 {
			t.Errorf("sizes %v, want all from 1 to 9", sizes)
		}
	})
}

func TestFaultStall(t *testing.T) {
	inTime(t, "up:stall-after=5,stall-for=10s", func(t *testing.T, r *rig) {
		r.say(t, "hello, world")
		if got := <-r.heard; got != "hello, world" {
			t.Errorf("heard %q; a stall loses nothing", got)
		}
		if want := []note{{0, "hello"}, {10 * time.Second, ", world"}}; !slices.Equal(r.diary.log(), want) {
			t.Errorf("said %v, want %v", r.diary.log(), want)
		}
	})
	inTime(t, "up:stall-in=5s,stall-for=10s", func(t *testing.T, r *rig) {
		write(t, r.client, "1")
		pass(6 * time.Second)
		write(t, r.client, "2")
		pass(20 * time.Second)
		write(t, r.client, "3")
		synctest.Wait()
		if want := []note{{0, "1"}, {15 * time.Second, "2"}, {26 * time.Second, "3"}}; !slices.Equal(r.diary.log(), want) {
			t.Errorf("said %v, want %v", r.diary.log(), want)
		}
	})
}

func TestFaultStallForGood(t *testing.T) {
	inTime(t, "up:stall-after=5", func(t *testing.T, r *rig) {
		r.say(t, "hello, world")
		write(t, r.server, "still here")
		hears(t, r.client, "still here")
		pass(1000 * time.Hour)
		if got := r.diary.all(); !slices.Equal(got, []string{"hello"}) || r.diary.end() >= 0 {
			t.Errorf("said %q, and the end at %v; want a stall after hello", got, r.diary.end())
		}
		select {
		case <-r.over:
			t.Fatal("Join has ended; a stall closes nothing")
		default:
		}
		closeWrite(t, r.server) // now both have left
		<-r.over
		if !errors.Is(r.err, relay.ErrFault) {
			t.Errorf("Join returned %v, want ErrFault", r.err)
		}
		says(t, r.err, "stall-after=5")
	})
}

func TestFaultReset(t *testing.T) {
	for spec, want := range map[string]string{
		"up:reset-after=5": "hello", "up:reset-after=0": "", "up:reset-in=5s": "hello, world", "up:reset-in=5s,latency=6s": "",
	} {
		inTime(t, spec, func(t *testing.T, r *rig) {
			_, _ = r.client.Write([]byte("hello, world")) // which may have been broken off
			<-r.over
			if got := strings.Join(r.diary.all(), ""); got != want || r.diary.end() >= 0 {
				t.Errorf("%s: said %q, the end at %v; want %q and no end", spec, got, r.diary.end(), want)
			}
			if !errors.Is(r.err, relay.ErrFault) || r.stats.AtoB.Bytes != int64(len(want)) || r.stats.AtoB.Ended {
				t.Errorf("%s: %+v, %v; want ErrFault", spec, r.stats, r.err)
			}
			_, item, _ := strings.Cut(strings.Split(spec, ",")[0], ":")
			says(t, r.err, item)
			if age := time.Since(r.diary.begin); strings.Contains(spec, "reset-in") && age != 5*time.Second {
				t.Errorf("%s: broken off after %v", spec, age)
			}
		})
	}
}

// A reset comes through TCP as one, after exactly what was to arrive before it.
func TestFaultResetIsOneOnTheWire(t *testing.T) {
	up, down := faults(t, "down:reset-after=100kB", 1)
	tcp := streams()[0]
	j := join(t, tcp, tcp, &relay.Options{AtoB: up, BtoA: down})
	go j.server.Write(make([]byte, 1<<20))
	hears(t, j.client, strings.Repeat("\x00", 100e3))
	hearsReset(t, j.client)
	if _, err := j.wait(t); !errors.Is(err, relay.ErrFault) {
		t.Errorf("Join returned %v, want ErrFault", err)
	}
}

func TestFaultClose(t *testing.T) {
	for spec, want := range map[string]string{
		"up:close-after=5": "hello", "up:close-after=0": "", "up:close-in=5s": "hello, world", "up:close-in=5s,latency=6s": "",
	} {
		inTime(t, spec, func(t *testing.T, r *rig) {
			if want != "" { // else the server hears the end at once, and may have left
				write(t, r.server, "and back")
				hears(t, r.client, "and back")
			}
			_, _ = r.client.Write([]byte("hello, world")) // who ends at once may have left
			if got := <-r.heard; got != want {
				t.Errorf("%s: the server heard %q to the end, want %q", spec, got, want)
			}
			hearsEnd(t, r.client)
			if stats, err := r.wait(t); err != nil || !stats.AtoB.Ended || stats.AtoB.Bytes != int64(len(want)) {
				t.Errorf("%s: %+v, %v; want a clean end", spec, stats, err)
			}
		})
	}
}

// What is said after the early end is heard, so that a client that must say everything before it listens can.
func TestFaultCloseThrowsTheRestAway(t *testing.T) {
	inTime(t, "up:close-after=5,down:latency=1h", func(t *testing.T, r *rig) {
		write(t, r.client, strings.Repeat("more than the network holds", 100_000))
		if got := <-r.heard; got != "more " {
			t.Errorf("heard %q", got)
		}
	})
}

func TestFaultSlowClose(t *testing.T) {
	inTime(t, "up:slow-close=2s,latency=1s", func(t *testing.T, r *rig) {
		r.say(t, "hello")
		<-r.heard
		if r.diary.by(time.Second) != 5 || r.diary.end() != 3*time.Second {
			t.Errorf("said %v, the end at %v; want the end at 3s", r.diary.log(), r.diary.end())
		}
	})
}

func TestFaultHalfCloseLost(t *testing.T) {
	inTime(t, "up:half-close-lost", func(t *testing.T, r *rig) {
		r.say(t, "hello")
		pass(1000 * time.Hour)
		if r.diary.by(0) != 5 || r.diary.end() >= 0 {
			t.Errorf("said %v, the end at %v; want it lost", r.diary.log(), r.diary.end())
		}
		write(t, r.server, "I wait for more")
		hears(t, r.client, "I wait for more")
		closeWrite(t, r.server)
		hearsEnd(t, r.client)
		if stats, err := r.wait(t); err != nil || stats.AtoB.Ended || !stats.BtoA.Ended {
			t.Errorf("%+v, %v; want all to end with the other direction", stats, err)
		}
	})
}

func TestFaultWindow(t *testing.T) {
	inTime(t, "up:latency=1s,after=10s,for=30s", func(t *testing.T, r *rig) {
		var want []note
		for i := range 6 {
			at := time.Duration(i) * 9 * time.Second // 0 9 18 27 36 45
			write(t, r.client, "x")
			if i >= 2 && i <= 4 {
				at += time.Second
			}
			want = append(want, note{at, "x"})
			pass(9 * time.Second)
		}
		if !slices.Equal(r.diary.log(), want) {
			t.Errorf("said %v, want %v", r.diary.log(), want)
		}
	})
}

// The last words of one who breaks off arrive, as late as all the others.
func TestFaultLastWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up, _ := faults(t, "latency=1s", 1)
		r := newRig(t, relay.Options{AtoB: up})
		write(t, r.server, "never read")
		synctest.Wait()
		write(t, r.client, "farewell")
		r.client.Close() // with bytes unread: a reset
		<-r.over
		if want := []note{{time.Second, "farewell"}}; !slices.Equal(r.diary.log(), want) || r.diary.end() >= 0 {
			t.Errorf("said %v, the end at %v; want %v and no end", r.diary.log(), r.diary.end(), want)
		}
		if r.err == nil || errors.Is(r.err, relay.ErrFault) {
			t.Errorf("Join returned %v, want the reset", r.err)
		}
	})
}

// Wherever a faulty direction waits, the end of the context ends it.
func TestFaultsEndWithTheContext(t *testing.T) {
	for _, spec := range []string{
		"latency=1h", "bandwidth=1bit/s", "stall-after=0", "stall-in=0s,stall-for=1h", "slice=1,slice-delay=1h", "slow-close=1h", "close-after=1;down:latency=1h", "latency=0s",
	} {
		inTime(t, "up:"+spec, func(t *testing.T, r *rig) {
			gone := errors.New("the person has left")
			go r.client.Write(make([]byte, 1<<23))
			synctest.Wait()
			r.stop(gone)
			<-r.over
			if !errors.Is(r.err, gone) {
				t.Errorf("%s: Join returned %v", spec, r.err)
			}
		})
	}
}

// A server that reads to the end and then answers works through every transport, however ill the bytes fare.
func TestFaultsKeepHalfClose(t *testing.T) {
	for _, p := range streams() {
		t.Run(p.name, func(t *testing.T) {
			up, down := faults(t, "latency=2ms±1ms,slice=1..999,bandwidth=100MB/s,slow-close=1ms", 1)
			j := join(t, p, p, &relay.Options{AtoB: up, BtoA: down})
			text := strings.Repeat("0123456789abcdef", 10_000)
			go func() {
				all, _ := io.ReadAll(j.server)
				j.server.Write(all)
				j.server.CloseWrite()
			}()
			write(t, j.client, text)
			closeWrite(t, j.client)
			hears(t, j.client, text)
			hearsEnd(t, j.client)
			if stats, err := j.wait(t); err != nil || !stats.AtoB.Ended || !stats.BtoA.Ended {
				t.Errorf("%+v, %v", stats, err)
			}
		})
	}
}
