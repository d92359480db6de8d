package relay

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A FaultKind is one line of the table of what can be asked to go wrong, for help texts.
type FaultKind struct {
	Name    string // latency
	Syntax  string // latency=50ms±20ms: an example that works
	Summary string // what it does, in one line
}

// FaultKinds returns the table of all kinds, those first that are asked for most.
func FaultKinds() []FaultKind {
	kinds := make([]FaultKind, len(faultTable))
	for i, k := range faultTable {
		kinds[i] = k.FaultKind
	}
	return kinds
}

// A faultKind knows besides how its value is read and printed. One without value has neither.
type faultKind struct {
	FaultKind
	read func(f *Faults, text string) error
	text func(f *Faults) string
}

// faultTable is all there is. String prints in its order.
var faultTable = []faultKind{
	oneKind("latency=50ms±20ms", "everything arrives that much later, at random within ± (or +-); the order is kept", readLatency, textLatency),
	oneKind("bandwidth=1MB/s", "no more arrives a second; B, kB, MB, GB, KiB, MiB, GiB, or bit, kbit, Mbit, Gbit", readRate, textRate),
	oneKind("slice=1..9", "bytes are said in pieces of a random size, each by a write of its own; slice=5 for one size", readSlice, textSlice),
	timeKind("slice-delay=1ms", "time between two slices", func(f *Faults) *time.Duration { return &f.sliceDelay }),
	sizeKind("stall-after=1MB", "nothing more passes after so many bytes, and nothing is closed; 0 for nothing ever", func(f *Faults) *int64 { return &f.stallAfter }),
	timeKind("stall-in=5s", "the same after so much time", func(f *Faults) *time.Duration { return &f.stallIn }),
	timeKind("stall-for=10s", "how long a stall lasts, after which nothing has been lost; without it for good", func(f *Faults) *time.Duration { return &f.stallFor }),
	sizeKind("reset-after=1MB", "both ends are broken off (TCP: RST) once so many bytes have arrived", func(f *Faults) *int64 { return &f.resetAfter }),
	timeKind("reset-in=5s", "both ends are broken off after so much time", func(f *Faults) *time.Duration { return &f.resetIn }),
	sizeKind("close-after=1MB", "a clean end after so many bytes, as if that were all; the rest is thrown away", func(f *Faults) *int64 { return &f.closeAfter }),
	timeKind("close-in=5s", "a clean end after so much time; the rest is thrown away", func(f *Faults) *time.Duration { return &f.closeIn }),
	timeKind("slow-close=2s", "the end is passed on that much later", func(f *Faults) *time.Duration { return &f.slowClose }),
	oneKind("half-close-lost", "the end is not passed on, so the other end goes on waiting", nil, nil),
	shareKind("drop=1%", "that share of frames, such as datagrams, is lost", func(f *Faults) *float64 { return &f.drop }),
	shareKind("duplicate=1%", "that share of frames arrives twice", func(f *Faults) *float64 { return &f.duplicate }),
	shareKind("reorder=1%", "that share of frames arrives after the next one, or a second late if none comes", func(f *Faults) *float64 { return &f.reorder }),
	shareKind("corrupt=0.1%", "that share of bytes is changed; where frames are passed, one byte in that share of frames", func(f *Faults) *float64 { return &f.corrupt }),
	shareKind("refuse=10%", "that share of conversations is broken off before anything is said", func(f *Faults) *float64 { return &f.refuse }),
	shareKind("chance=25%", "the share of conversations to which the other kinds happen at all", func(f *Faults) *float64 { return &f.chance }),
	timeKind("after=10s", "latency, bandwidth, slice, drop, duplicate, reorder and corrupt begin so late", func(f *Faults) *time.Duration { return &f.from }),
	timeKind("for=30s", "and go on for so long", func(f *Faults) *time.Duration { return &f.during }),
}

// windowed are the kinds that after and for are about.
var windowed = []string{"latency", "bandwidth", "slice", "drop", "duplicate", "reorder", "corrupt"}

func oneKind(syntax, summary string, read func(*Faults, string) error, text func(*Faults) string) faultKind {
	name, _, _ := strings.Cut(syntax, "=")
	return faultKind{FaultKind{name, syntax, summary}, read, text}
}

func timeKind(syntax, summary string, field func(*Faults) *time.Duration) faultKind {
	read := func(f *Faults, text string) (err error) { *field(f), err = readDuration(text); return err }
	return oneKind(syntax, summary, read, func(f *Faults) string { return field(f).String() })
}

func sizeKind(syntax, summary string, field func(*Faults) *int64) faultKind {
	read := func(f *Faults, text string) (err error) { *field(f), err = readSize(text, byteUnits); return err }
	return oneKind(syntax, summary, read, func(f *Faults) string { return textSize(*field(f)) })
}

func shareKind(syntax, summary string, field func(*Faults) *float64) faultKind {
	read := func(f *Faults, text string) (err error) { *field(f), err = readPercent(text); return err }
	return oneKind(syntax, summary, read, func(f *Faults) string { return textPercent(*field(f)) })
}

func kindNamed(name string) (faultKind, bool) {
	for _, k := range faultTable {
		if k.Name == name {
			return k, true
		}
	}
	return faultKind{}, false
}

// has reports whether the kind was asked for. f may be nil.
func (f *Faults) has(name string) bool { return f != nil && slices.Contains(f.given, name) }

// item is the kind as it was asked for.
func (f *Faults) item(name string) string {
	k, ok := kindNamed(name)
	if !ok || k.text == nil {
		return name
	}
	return name + "=" + k.text(f)
}

// String returns what ParseFaults reads to make the same, for one direction, without the seed.
func (f *Faults) String() string {
	var items []string
	for _, k := range faultTable {
		if f.has(k.Name) {
			items = append(items, f.item(k.Name))
		}
	}
	return strings.Join(items, ",")
}

// Check reports whether each kind suits a conversation that passes frames, or bytes. Join checks the same; who
// invites callers wants to know before.
func (f *Faults) Check(frames bool) error {
	unfit, why := []string{"drop", "duplicate", "reorder"},
		"is for frames, such as datagrams, and this conversation passes bytes; pass it as frames, or take corrupt, stall-after or reset-after"
	if frames {
		unfit, why = []string{"slice", "slice-delay"}, "is for bytes, and this conversation passes frames, which stay whole; take drop, duplicate or reorder"
	}
	for _, name := range unfit {
		if f.has(name) {
			return fmt.Errorf("fault %s %s", f.item(name), why)
		}
	}
	return nil
}
