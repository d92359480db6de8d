package inbox

import (
	"bytes"
	"testing"

	"parley/frame"
)

// hear puts p into the inbox in reads of at most step bytes, resting before each as a conversation that waits does, and
// returns the texts of the frames found.
func hear(t *testing.T, in *Inbox, f frame.Format, p []byte, step int) (texts [][]byte) {
	t.Helper()
	for len(p) > 0 {
		in.Rest()
		n := copy(in.Space()[:min(step, len(in.Space()))], p)
		in.Put(n)
		p = p[n:]
		for {
			text, size, err := in.Scan(f, false)
			if err != nil {
				t.Fatal(err)
			}
			if text == nil {
				break
			}
			texts = append(texts, in.Cut(text))
			in.Drop(size)
		}
	}
	return texts
}

func TestFramesOfAllSizes(t *testing.T) {
	sizes := []int{0, 1, 100, smallPart - 1, smallPart, smallPart + 1, BlockSize - 1, BlockSize, BlockSize + 1, 5 * BlockSize, 0, 3}
	for _, step := range []int{7, 1000, smallPart, BlockSize, 10 * BlockSize} {
		var said []byte
		for i, n := range sizes {
			said = append(said, bytes.Repeat([]byte{'a' + byte(i)}, n)...)
			said = append(said, '\n')
		}
		var in Inbox
		texts := hear(t, &in, frame.LF(), said, step)
		if len(texts) != len(sizes) {
			t.Fatalf("in steps of %d: %d frames, want %d", step, len(texts), len(sizes))
		}
		for i, text := range texts {
			if want := bytes.Repeat([]byte{'a' + byte(i)}, sizes[i]); text == nil || !bytes.Equal(text, want) {
				t.Errorf("in steps of %d: frame %d has %d bytes or others than were said; it was %d bytes", step, i, len(text), sizes[i])
			}
		}
		if in.Data != nil || in.block != nil || in.arena != nil {
			t.Errorf("in steps of %d: the inbox holds memory for nothing", step)
		}
	}
}

// TestTextsAreTheReceivers keeps frames while later ones are heard, and appends to one: none may change another.
func TestTextsAreTheReceivers(t *testing.T) {
	var in Inbox
	texts := hear(t, &in, frame.LF(), []byte("one\ntwo\nthree\n"), 100)
	_ = append(texts[0], "XXXXXXXX"...)
	hear(t, &in, frame.LF(), bytes.Repeat([]byte("other\n"), 1000), 100)
	for i, want := range []string{"one", "two", "three"} {
		if string(texts[i]) != want {
			t.Errorf("frame %d is now %q, it was %q", i, texts[i], want)
		}
	}
}

// TestAddWhereThereIsLittleRoom adds to an inbox that has room for a part of it only.
func TestAddWhereThereIsLittleRoom(t *testing.T) {
	for _, n := range []int{BlockSize - 10, BlockSize, smallPart - 10} {
		var in Inbox
		first, more := bytes.Repeat([]byte("a"), n), bytes.Repeat([]byte("b"), 3000)
		in.Add(first)
		in.Add(more)
		if want := append(first, more...); !bytes.Equal(in.Data, want) {
			t.Errorf("%d bytes and 3000 more: %d are there", n, len(in.Data))
		}
	}
}

func TestASmallPartCostsLittle(t *testing.T) {
	var in Inbox
	hear(t, &in, frame.LF(), []byte("the beginning of a line"), 100)
	in.Rest()
	if in.block != nil || cap(in.Data) > 2*len(in.Data) {
		t.Errorf("%d bytes of a frame hold %d bytes of memory", len(in.Data), cap(in.Data))
	}
	if texts := hear(t, &in, frame.LF(), []byte(", and its end\n"), 100); len(texts) != 1 || string(texts[0]) != "the beginning of a line, and its end" {
		t.Errorf("heard %q", texts)
	}
}

// TestAnAnnouncedLengthCostsNothing: memory grows with what has come, not with what a length promises.
func TestAnAnnouncedLengthCostsNothing(t *testing.T) {
	var in Inbox
	hear(t, &in, frame.MustParse("u32"), []byte{0x7f, 0, 0, 0, 'x'}, 100)
	in.Rest()
	if cap(in.Data) > smallPart {
		t.Errorf("a length of 2 GB and one byte hold %d bytes of memory", cap(in.Data))
	}
}

func TestABatchIsOneAllocation(t *testing.T) {
	line := bytes.Repeat([]byte("x"), 99)
	said := bytes.Repeat(append(line, '\n'), 600)
	var in Inbox
	per := testing.AllocsPerRun(100, func() {
		in.Put(copy(in.Space(), said))
		for len(in.Data) > 0 {
			text, size, _ := in.Scan(frame.Line(), false)
			in.Cut(text)
			in.Drop(size)
		}
	})
	if per > 1.5 {
		t.Errorf("600 frames of one read cost %.1f allocations, want 1", per)
	}
}
