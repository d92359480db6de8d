// Package inbox keeps what a conversation has heard and nobody has taken yet.
package inbox

import (
	"slices"
	"sync"

	"parley/frame"
)

// BlockSize is what one read takes at most. 64 KiB is a pipe's fill and a datagram's limit, and keeps the cost of a
// system call under 1 % of the bytes it brings.
const BlockSize = 64 << 10

// smallPart is the largest part of a frame that is moved to memory of its own size while its end is awaited.
const smallPart = 4 << 10

var blocks = sync.Pool{New: func() any { return new([BlockSize]byte) }}

// An Inbox holds what was heard and not yet returned. While that is nothing it holds no memory; while it is a small
// part of a frame, no more than that: ten thousand silent conversations must cost little.
type Inbox struct {
	Data  []byte           // heard, not yet taken
	Seen  int              // of Data, looked through without finding the frame's end
	block *[BlockSize]byte // what Data lies in, if that came from the pool
	arena []byte           // frames are cut from it, so that one allocation serves all that a read brought
}

// Space returns room to read into, behind Data. What there is moves to the front first, so a read brings much;
// that happens once a frame at most.
func (in *Inbox) Space() []byte {
	switch {
	case in.block == nil && cap(in.Data) <= smallPart:
		in.block = blocks.Get().(*[BlockSize]byte)
		in.Data = in.block[:copy(in.block[:], in.Data)]
	case in.block != nil && cap(in.Data) < BlockSize:
		in.Data = in.block[:copy(in.block[:], in.Data)]
	}
	if len(in.Data) == cap(in.Data) {
		in.grow()
	}
	return in.Data[len(in.Data):cap(in.Data)]
}

// grow doubles the room, for a frame that a block cannot hold. It never makes the room that a frame's length only
// announces: four bytes from a stranger must not cost a megabyte.
func (in *Inbox) grow() {
	in.Data = append(make([]byte, 0, 2*len(in.Data)), in.Data...)
	in.free()
}

// Put says that n bytes were read into Space.
func (in *Inbox) Put(n int) { in.Data = in.Data[:len(in.Data)+n] }

// Add puts a copy of p behind Data.
func (in *Inbox) Add(p []byte) {
	for len(p) > 0 {
		n := copy(in.Space(), p)
		in.Put(n)
		p = p[n:]
	}
}

// Rest lets go of what is not needed while nothing comes.
func (in *Inbox) Rest() {
	if in.block == nil || len(in.Data) > smallPart {
		return
	}
	if len(in.Data) == 0 {
		in.Data = nil
	} else {
		in.Data = slices.Clip(slices.Clone(in.Data))
	}
	in.arena = nil
	in.free()
}

func (in *Inbox) free() {
	if in.block != nil {
		blocks.Put(in.block)
		in.block = nil
	}
}

// Drop takes n bytes off the front.
func (in *Inbox) Drop(n int) {
	in.Data = in.Data[n:]
	in.Seen = 0
	if len(in.Data) == 0 {
		in.Data, in.arena = nil, nil
		in.free()
	}
}

// Scan looks for one whole frame and remembers how far it has looked.
func (in *Inbox) Scan(f frame.Format, atEOF bool) (text []byte, size int, err error) {
	text, size, err = f.Scan(in.Data, in.Seen, atEOF)
	if text == nil {
		in.Seen = len(in.Data)
	}
	return text, size, err
}

// Cut copies text, which lies in Data, into memory that is the receiver's alone. It never returns nil, which would mean
// that there is no frame.
func (in *Inbox) Cut(text []byte) []byte {
	if in.arena == nil || cap(in.arena)-len(in.arena) < len(text) {
		in.arena = make([]byte, 0, max(len(text), min(len(in.Data), BlockSize)))
	}
	start := len(in.arena)
	in.arena = append(in.arena, text...)
	return in.arena[start:len(in.arena):len(in.arena)]
}
