package relay_test

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/relay"
)

// framesThrough returns what arrives of n numbered frames, said 10ms apart.
func framesThrough(t *testing.T, spec string, seed uint64, n int) (arrived []note) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		up, down := faults(t, spec, seed)
		r := newRig(t, relay.Options{AtoB: up, BtoA: down, Frames: true})
		for i := range n {
			if err := r.client.Send(t.Context(), fmt.Appendf(nil, "frame %04d", i)); err != nil {
				t.Fatal(err)
			}
			pass(10 * time.Millisecond)
		}
		closeWrite(t, r.client)
		<-r.heard
		arrived = r.diary.log()
		if stats, err := r.wait(t); err != nil || stats.AtoB.Frames != int64(len(arrived)) {
			t.Errorf("%s: %d frames arrived; %+v, %v", spec, len(arrived), stats, err)
		}
	})
	return arrived
}

// numbers are the frames that arrived, -1 for one that was changed.
func numbers(arrived []note) (list []int) {
	for _, n := range arrived {
		i := -1
		if _, err := fmt.Sscanf(n.said, "frame %04d\n", &i); err != nil || n.said != fmt.Sprintf("frame %04d\n", i) {
			i = -1
		}
		list = append(list, i)
	}
	return list
}

func TestFaultDrop(t *testing.T) {
	got := numbers(framesThrough(t, "drop=30%", 1, 1000))
	if len(got) < 650 || len(got) > 750 || !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
		t.Errorf("%d of 1000 frames arrived, want about 700, each once and in order", len(got))
	}
	if got := framesThrough(t, "drop=100%", 1, 10); len(got) != 0 {
		t.Errorf("%d frames arrived", len(got))
	}
}

func TestFaultDuplicate(t *testing.T) {
	got := numbers(framesThrough(t, "duplicate=30%", 1, 1000))
	if len(got) < 1250 || len(got) > 1350 || !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != 1000 {
		t.Errorf("%d frames arrived of 1000, want about 1300, all of them once or twice", len(got))
	}
}

func TestFaultReorder(t *testing.T) {
	arrived := framesThrough(t, "reorder=10%", 1, 1000)
	got := numbers(arrived)
	swapped := 0
	for i := range got {
		if i > 0 && got[i] < got[i-1] {
			swapped++
		}
		if d := got[i] - i; d < -1 || d > 1 {
			t.Errorf("frame %d came as number %d; want a swap with the next", got[i], i)
		}
	}
	if swapped < 70 || swapped > 130 || len(got) != 1000 {
		t.Errorf("%d of %d frames were overtaken, want about 100", swapped, len(got))
	}
	// The last one has none to be overtaken by.
	if all := framesThrough(t, "reorder=100%", 1, 1); len(all) != 1 {
		t.Errorf("arrived: %v; want the frame", all)
	}
}

// A request whose reply is waited for must not wait for a second request to overtake it.
func TestFaultReorderWaitsASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up, _ := faults(t, "reorder=100%", 1)
		r := newRig(t, relay.Options{AtoB: up, Frames: true})
		write(t, r.client, "request\n")
		pass(time.Minute)
		write(t, r.client, "another\n")
		pass(time.Minute)
		if want := []note{{time.Second, "request\n"}, {61 * time.Second, "another\n"}}; !slices.Equal(r.diary.log(), want) {
			t.Errorf("said %v, want %v", r.diary.log(), want)
		}
	})
}

func TestFaultCorruptFrames(t *testing.T) {
	arrived := framesThrough(t, "corrupt=20%", 1, 1000)
	changed := 0
	for i, n := range numbers(arrived) {
		if n < 0 || n != i {
			changed++
		}
	}
	// A byte may become the end of a line: that frame is lost, and those after it have other numbers. So count sizes too.
	if lost := 1000 - len(arrived); lost > 10 || changed == 0 {
		t.Errorf("%d of 1000 frames were lost, want none but those that cannot be said any more", lost)
	}
	wrong := 0
	for _, n := range numbers(arrived) {
		if n < 0 {
			wrong++
		}
	}
	if wrong < 130 || wrong > 250 {
		t.Errorf("%d of 1000 frames were changed, want about 200", wrong)
	}
}

// bytesThrough returns in which pieces text arrives, said in pieces of the given size.
func bytesThrough(t *testing.T, spec string, seed uint64, text string, size int) (arrived []note) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		up, _ := faults(t, spec, seed)
		r := newRig(t, relay.Options{AtoB: up})
		for piece := range slices.Chunk([]byte(text), size) {
			write(t, r.client, string(piece))
			synctest.Wait()
		}
		closeWrite(t, r.client)
		<-r.heard
		arrived = r.diary.log()
	})
	return arrived
}

func joinNotes(notes []note) string {
	var b strings.Builder
	for _, n := range notes {
		b.WriteString(n.said)
	}
	return b.String()
}

func TestFaultCorruptBytes(t *testing.T) {
	text := strings.Repeat("0123456789", 10_000)
	got := joinNotes(bytesThrough(t, "corrupt=1%", 3, text, 50_000))
	if len(got) != len(text) {
		t.Fatalf("%d bytes arrived of %d", len(got), len(text))
	}
	changed, flipped := 0, 0
	for i := range text {
		if got[i] != text[i] {
			changed++
			flipped += bits.OnesCount8(got[i] ^ text[i])
		}
	}
	if changed < 900 || changed > 1100 || flipped < 3*changed {
		t.Errorf("%d of 100000 bytes were changed, want about 1000", changed)
	}
}

// Slices and changed bytes are at the same place, whatever pieces the kernel hands over.
func TestFaultsDoNotDependOnReads(t *testing.T) {
	text := strings.Repeat("0123456789", 1000)
	whole := bytesThrough(t, "corrupt=1%,slice=10..99", 1, text, len(text))
	parts := bytesThrough(t, "corrupt=1%,slice=10..99", 1, text, 7)
	if joinNotes(whole) != joinNotes(parts) {
		t.Error("other bytes are changed when they come in small pieces")
	}
	var edges []int
	at := 0
	for _, n := range parts {
		at += len(n.said)
		edges = append(edges, at)
	}
	at = 0
	for _, n := range whole {
		if at += len(n.said); !slices.Contains(edges, at) {
			t.Fatalf("a slice ends at byte %d, but not when the bytes come in small pieces", at)
		}
	}
}

// The same seed gives the same faults, to the byte and to the nanosecond; another gives others.
func TestSameSeedSameFaults(t *testing.T) {
	text := strings.Repeat("0123456789", 1000)
	for _, c := range []struct {
		spec   string
		frames bool
	}{
		{"slice=1..99,slice-delay=1ms", false},
		{"corrupt=0.5%", false},
		{"slice=1..99,corrupt=1%,latency=1s,bandwidth=1MB/s", false},
		{"drop=10%", true},
		{"duplicate=10%", true},
		{"reorder=10%", true},
		{"corrupt=10%", true},
		{"latency=50ms±20ms", true},
		{"drop=10%,duplicate=10%,reorder=10%,corrupt=10%,latency=50ms±20ms", true},
	} {
		run := func(seed uint64) []note {
			if c.frames {
				return framesThrough(t, c.spec, seed, 200)
			}
			return bytesThrough(t, c.spec, seed, text, 500)
		}
		first, again, other := run(7), run(7), run(8)
		if !slices.Equal(first, again) {
			t.Errorf("%s: the same seed gave other faults", c.spec)
		}
		if slices.Equal(first, other) {
			t.Errorf("%s: another seed gave the same faults", c.spec)
		}
	}
}

// Each kind has its own dice: taking one away leaves the others as they were.
func TestFaultsDoNotDependOnEachOther(t *testing.T) {
	alone := numbers(framesThrough(t, "drop=10%", 7, 200))
	among := numbers(framesThrough(t, "drop=10%,duplicate=50%,latency=50ms±20ms", 7, 200))
	if !slices.Equal(alone, slices.Compact(among)) {
		t.Errorf("dropping alone leaves\n%v\nand among others\n%v", alone, slices.Compact(among))
	}
}

// fates are what happens to n conversations in turn: r refused, l late, . nothing.
func fates(t *testing.T, spec string, seed uint64, n int) (all string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		up, down := faults(t, spec, seed)
		for range n {
			r := newRig(t, relay.Options{AtoB: up, BtoA: down})
			if _, err := r.client.Write([]byte("x")); err == nil {
				_ = r.client.CloseWrite()
			}
			heard := <-r.heard
			<-r.over
			switch {
			case errors.Is(r.err, relay.ErrFault):
				all += "r"
				if heard != "" && !strings.Contains(heard, "reset") || r.stats.AtoB.Bytes != 0 {
					t.Errorf("a conversation that was refused has heard %q", heard)
				}
			case time.Since(r.diary.begin) > 0:
				all += "l"
			default:
				all += "."
			}
		}
	})
	return all
}

func TestFaultRefuseAndChance(t *testing.T) {
	for _, c := range []struct {
		spec            string
		refused, late   [2]int // of 200, from and to
		untouchedAtMost int
	}{
		{"refuse=20%", [2]int{25, 55}, [2]int{0, 0}, 200},
		{"refuse=100%", [2]int{200, 200}, [2]int{0, 0}, 0},
		{"latency=1s,chance=25%", [2]int{0, 0}, [2]int{35, 65}, 200},
		{"latency=1s,refuse=50%,chance=50%", [2]int{35, 65}, [2]int{35, 65}, 120},
		{"up:latency=1s,chance=0%", [2]int{0, 0}, [2]int{0, 0}, 200},
	} {
		first := fates(t, c.spec, 1, 200)
		refused, late := strings.Count(first, "r"), strings.Count(first, "l")
		if refused < c.refused[0] || refused > c.refused[1] || late < c.late[0] || late > c.late[1] || 200-refused-late > c.untouchedAtMost {
			t.Errorf("%s: of 200 conversations %d were refused, %d late", c.spec, refused, late)
		}
		if again := fates(t, c.spec, 1, 200); again != first {
			t.Errorf("%s: the same seed gave other conversations:\n%s\n%s", c.spec, first, again)
		}
		if other := fates(t, c.spec, 2, 200); other == first && strings.Trim(first, "r") != "" && strings.Trim(first, ".") != "" {
			t.Errorf("%s: another seed hit the same conversations", c.spec)
		}
	}
}

// Conversations of one seed differ from each other, and the n-th is the n-th again.
func TestFaultsByNumber(t *testing.T) {
	three := func() (all [3][]note) {
		synctest.Test(t, func(t *testing.T) {
			up, down := faults(t, "slice=1..99", 5)
			for i := range all {
				r := newRig(t, relay.Options{AtoB: up, BtoA: down})
				r.say(t, strings.Repeat("x", 2000))
				<-r.heard
				<-r.over
				all[i] = r.diary.log()
			}
		})
		return all
	}
	first, again := three(), three()
	for i := range first {
		if !slices.Equal(sizesOf(first[i]), sizesOf(again[i])) {
			t.Errorf("conversation %d had other faults with the same seed", i+1)
		}
		if i > 0 && slices.Equal(sizesOf(first[i]), sizesOf(first[i-1])) {
			t.Errorf("conversations %d and %d have the same faults", i, i+1)
		}
	}
}

func sizesOf(notes []note) (sizes []int) {
	for _, n := range notes {
		sizes = append(sizes, len(n.said))
	}
	return sizes
}

// Outside of its time a kind does nothing.
func TestFaultWindowOfDamage(t *testing.T) {
	got := numbers(framesThrough(t, "drop=100%,after=1s,for=2s", 1, 500)) // one each 10 ms
	if len(got) != 300 || got[99] != 99 || got[100] != 300 {
		t.Errorf("%d frames arrived, want all but those from 100 to 299", len(got))
	}
	if got := numbers(framesThrough(t, "corrupt=100%,after=1s", 1, 200)); !slices.Equal(got[:100], numbers(framesThrough(t, "latency=0s", 1, 100))) || got[100] != -1 {
		t.Errorf("arrived: %v; want changes from frame 100 on", got)
	}
	if got := bytesThrough(t, "slice=1,after=1h", 1, "never cut", 100); len(got) != 1 {
		t.Errorf("said in %d pieces before the time", len(got))
	}
}

// Frames are not cut: an end after so many bytes comes behind the frame that reaches them, and what follows is heard.
func TestFaultCloseBetweenFrames(t *testing.T) {
	if got := numbers(framesThrough(t, "up:close-after=25;down:latency=5s", 1, 100)); !slices.Equal(got, []int{0, 1, 2}) {
		t.Errorf("frames %v arrived of 10 bytes each, want 3", got)
	}
}

// What cannot happen to a conversation is told at once, and nothing is passed as if it could.
func TestFaultThatDoesNotSuit(t *testing.T) {
	for spec, frames := range map[string]bool{"drop=1%": false, "slice=5": true} {
		synctest.Test(t, func(t *testing.T) {
			up, down := faults(t, spec, 1)
			r := newRig(t, relay.Options{AtoB: up, BtoA: down, Frames: frames})
			<-r.over
			says(t, r.err, spec, "this conversation passes")
			if errors.Is(r.err, relay.ErrFault) {
				t.Errorf("%v is ErrFault, but nobody asked for this", r.err)
			}
		})
	}
}
