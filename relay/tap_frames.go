package relay

import (
	"slices"

	"parley/frame"
)

// maxHeld is how much of a message without its end is held, in bytes: as much as a Conn hears of one by default.
const maxHeld = 1 << 20

// keepHeld is the most memory that a cutter keeps for short messages, in bytes, for there may be many conversations.
const keepHeld = 4 << 10

// A cutter cuts what one end says into messages.
type cutter struct {
	format frame.Format // nil: what comes is not cut
	held   []byte       // of a message whose end has not come
	seen   int          // how much of held was looked at
	size   int          // of that message, if known
}

// A cut is a message in what an end said, or what is left of one.
type cut struct {
	text []byte // without the end mark; valid until the next call of the cutter
	size int    // on the wire
	kind cutKind
}

type cutKind uint8

const (
	cutWhole cutKind = iota
	cutPart          // a message that will not be finished, or whose rest is not cut
	cutPiece         // what is no message
)

// add takes more of what the end said, in p, which may be rewritten, and passes on each message that is whole by now. atEnd
// says that nothing will follow. What is in scratch is overwritten.
func (k *cutter) add(p []byte, atEnd bool, scratch *[]byte, found func(cut)) {
	if k.format == nil {
		if len(p) > 0 {
			found(cut{p, len(p), cutPiece})
		}
		return
	}
	data := k.with(p, scratch)
	for len(data) > 0 && !k.tooShort(data, atEnd) {
		text, size, err := k.format.Scan(data, k.seen, atEnd)
		if err != nil || text != nil && size == 0 { // frames of no bytes would go on for ever
			k.giveUp(data, cutPiece, found)
			return
		}
		k.seen, k.size = len(data), size
		if text == nil {
			break
		}
		found(cut{text, size, cutWhole})
		data = data[size:]
		k.seen, k.size = 0, 0
	}
	k.hold(data, atEnd, found)
}

// with returns what is held and p together. Much that is held is not moved for every few bytes; little is, or each
// conversation would come to hold as much as a piece.
func (k *cutter) with(p []byte, scratch *[]byte) []byte {
	switch {
	case len(k.held) == 0:
		return p
	case len(k.held) <= keepHeld:
		*scratch = append(append((*scratch)[:0], k.held...), p...)
		return *scratch
	}
	k.held = append(k.held, p...)
	return k.held
}

// tooShort reports whether a look at data is in vain, because the message is known to be longer.
func (k *cutter) tooShort(data []byte, atEnd bool) bool {
	return !atEnd && k.size > len(data)
}

// hold keeps the rest until more comes.
func (k *cutter) hold(rest []byte, atEnd bool, found func(cut)) {
	switch {
	case len(rest) > 0 && atEnd:
		*k = cutter{format: k.format}
		found(cut{rest, len(rest), cutPart})
	case len(rest) > maxHeld:
		k.giveUp(rest, cutPart, found)
	case len(rest) <= keepHeld && cap(k.held) > keepHeld:
		k.held = slices.Clone(rest) // nil for nothing
	default:
		k.held = append(k.held[:0], rest...) // the rest may be the end of held itself: append moves as copy does
	}
}

// giveUp goes over to pieces for good: nobody knows where the next message begins.
func (k *cutter) giveUp(rest []byte, kind cutKind, found func(cut)) {
	*k = cutter{}
	found(cut{rest, len(rest), kind})
}
