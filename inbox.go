package parley

import (
	"slices"
	"sync"

	"parley/frame"
)

// blockSize is what one read takes at most. 64 KiB is a pipe's fill and a datagram's limit, and keeps the cost of a
// system call under 1 % of the bytes it brings.
const blockSize = 64 << 10

// smallPart is the largest part of a frame that is moved to memory of its own size while its end is awaited.
const smallPart = 4 << 10

var blocks = sync.Pool{New: func() any { return new([blockSize]byte) }}

// An inbox holds what was heard and not yet returned. While that is nothing it holds no memory; while it is a small
// part of a frame, no more than that: ten thousand silent conversations must cost little.
type inbox struct {
	data  []byte           // heard, not yet returned
	seen  int              // of data, looked through without finding the frame's end
	block *[blockSize]byte // what data lies in, if that came from the pool
	arena []byte           // frames are cut from it, so that one allocation serves all that a read brought
}

// space returns room to read into, behind data. What data there is moves to the front first, so a read brings much;
// that happens once a frame at most.
func (in *inbox) space() []byte {
	switch {
	case in.block == nil && cap(in.data) <= smallPart:
		in.block = blocks.Get().(*[blockSize]byte)
		in.data = in.block[:copy(in.block[:], in.data)]
	case in.block != nil && cap(in.data) < blockSize:
		in.data = in.block[:copy(in.block[:], in.data)]
	}
	if len(in.data) == cap(in.data) {
		in.grow(2 * len(in.data))
	}
	return in.data[len(in.data):cap(in.data)]
}

// grow moves data out of the pool's memory, for a frame of size bytes that a block cannot hold.
func (in *inbox) grow(size int) {
	if cap(in.data) >= size {
		return
	}
	in.data = append(make([]byte, 0, size), in.data...)
	in.free()
}

// put says that n bytes were read into space.
func (in *inbox) put(n int) { in.data = in.data[:len(in.data)+n] }

// rest lets go of what is not needed while nothing comes.
func (in *inbox) rest() {
	if in.block == nil || len(in.data) > smallPart {
		return
	}
	if len(in.data) == 0 {
		in.data = nil
	} else {
		in.data = slices.Clip(slices.Clone(in.data))
	}
	in.free()
}

func (in *inbox) free() {
	if in.block != nil {
		blocks.Put(in.block)
		in.block = nil
	}
}

// drop takes n bytes off the front.
func (in *inbox) drop(n int) {
	in.data = in.data[n:]
	in.seen = 0
	if len(in.data) == 0 {
		in.data, in.arena = nil, nil
		in.free()
	}
}

// scan looks for one whole frame and remembers how far it has looked.
func (in *inbox) scan(f frame.Format, atEOF bool) (text []byte, size int, err error) {
	text, size, err = f.Scan(in.data, in.seen, atEOF)
	if text == nil {
		in.seen = len(in.data)
	}
	return text, size, err
}

// cut copies text, which lies in data, into memory that is the receiver's alone.
func (in *inbox) cut(text []byte) []byte {
	if cap(in.arena)-len(in.arena) < len(text) {
		in.arena = make([]byte, 0, max(len(text), min(len(in.data), blockSize)))
	}
	start := len(in.arena)
	in.arena = append(in.arena, text...)
	return in.arena[start:len(in.arena):len(in.arena)]
}
