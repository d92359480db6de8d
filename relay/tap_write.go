package relay

import (
	"fmt"
	"net"
	"time"
	"unicode/utf8"

	"parley/frame"
	"parley/transcript"
)

// byRead is the transcript's word for pieces as they passed.
const byRead = "read"

// work writes what is in the queue until the Tap is closed.
func (t *Tap) work() {
	defer close(t.done)
	t.writeRare(transcript.Hello{Time: time.Now(), Program: t.opts.Program, Verb: t.opts.Verb, Address: t.opts.Address})
	for {
		if b := t.queue.next(); b != nil {
			t.writeBatch(b)
			t.queue.done(b)
			continue
		}
		t.check(t.buffer.Flush())
		if !t.queue.sleep() {
			return
		}
	}
}

func (t *Tap) writeBatch(b *batch) {
	kept, losses := b.bytes, b.losses
	for _, n := range b.notes {
		at := time.UnixMicro(n.at)
		if n.of != nil {
			t.writeOpened(n.of)
		}
		switch n.kind {
		case notePiece, noteMessage:
			t.writePassed(n, at, kept[:n.kept:n.kept])
			kept = kept[n.kept:]
		case noteLost:
			t.writeLost(n.of, at, losses[0])
			losses = losses[1:]
		case noteHalfClosed:
			t.writeRest(n.of, n.from, at)
			t.writeRare(transcript.HalfClosed{Time: at, Call: n.of.call, Role: n.of.roles[n.from]})
		case noteClosed:
			t.writeRest(n.of, n.from, at)
			end := n.of.ends[n.from]
			t.writeRare(transcript.Closed{Time: at, Call: n.of.call, Role: n.of.roles[n.from], How: end.how, Untaken: end.untaken})
		}
		t.queue.written.Add(1)
	}
}

// writeOpened comes before the first line of a conversation, whichever that is.
func (t *Tap) writeOpened(c *tapped) {
	if c.told {
		return
	}
	c.told = true
	line := transcript.Opened{Time: c.since, Call: c.call, Formats: map[string]string{}}
	for i, role := range c.roles {
		line.Ends = append(line.Ends, transcript.End{Role: role, Addr: tapAddr(c.addrs[i])})
		if f := t.opts.Frame[i]; f != nil {
			line.Formats[role] = f.String()
		}
	}
	t.writeRare(line)
}

// tapAddr is a as a person would write it; the addresses of sockets of the internet are plain enough without their network.
func tapAddr(a net.Addr) string {
	switch a := a.(type) {
	case nil:
		return ""
	case *net.TCPAddr, *net.UDPAddr:
		return a.String()
	case *net.UnixAddr:
		if a == nil || a.Name == "" || a.Name == "@" {
			return "unnamed"
		}
	}
	return a.Network() + ":" + a.String()
}

// writePassed writes a message, or what can be made of a piece.
func (t *Tap) writePassed(n note, at time.Time, kept []byte) {
	c := n.of
	f := transcript.Frame{Time: at, Call: c.call, Role: c.roles[n.from]}
	if n.kind == noteMessage {
		f.Bytes, f.End = n.size, t.endOf(c, n.from)
		if format := t.opts.Frame[n.from]; format != nil {
			f.Bytes = t.wireSize(format, kept, n.size)
		}
		t.writeFrame(c, f, kept, n.size)
		return
	}
	if k := &c.cut[n.from]; k.format != nil {
		k.add(kept, false, &t.scratch, func(found cut) { t.writeCut(c, f, n.from, found) })
		return
	}
	f.Bytes, f.By = n.size, byRead
	t.writeFrame(c, f, kept, n.size)
}

// endOf names what ends the messages of an end.
func (t *Tap) endOf(c *tapped, from uint8) string {
	switch {
	case c.edges[from]:
		return frame.Packet().String()
	case t.opts.Frame[from] != nil:
		return t.opts.Frame[from].String()
	}
	return ""
}

// wireSize is how long the format f makes a text of that size, of which something is kept.
func (t *Tap) wireSize(f frame.Format, kept []byte, size int64) int64 {
	wire, err := f.Append(t.scratch[:0], kept)
	if err != nil {
		return size
	}
	t.scratch = wire
	return size + int64(len(wire)-len(kept))
}

// writeRest writes what is left of an end's last message when nothing will follow.
func (t *Tap) writeRest(c *tapped, from uint8, at time.Time) {
	f := transcript.Frame{Time: at, Call: c.call, Role: c.roles[from]}
	k := &c.cut[from]
	k.add(nil, true, &t.scratch, func(found cut) { t.writeCut(c, f, from, found) })
}

// writeCut writes what was cut out of what passed.
func (t *Tap) writeCut(c *tapped, f transcript.Frame, from uint8, found cut) {
	f.Bytes = int64(found.size)
	switch found.kind {
	case cutWhole:
		f.End = t.opts.Frame[from].String()
	case cutPart:
		f.Part = true
	case cutPiece:
		f.By = byRead
	}
	t.writeFrame(c, f, found.text, int64(len(found.text)))
}

// writeFrame numbers a message and writes what is to be kept of its text, which is of that size.
func (t *Tap) writeFrame(c *tapped, f transcript.Frame, text []byte, size int64) {
	c.n++
	f.N = c.n
	f.Data = keptOf(text, t.opts.Keep)
	if f.Clipped = int64(len(f.Data)) < size; f.Clipped {
		f.Data = wholeCharacters(f.Data)
	}
	t.check(t.lines.Write(f))
	if t.opts.Show != nil {
		t.opts.Show(f)
	}
}

// wholeCharacters cuts off the beginning of a character at the end of p, so that text that is not kept whole is still text.
func wholeCharacters(p []byte) []byte {
	for i := len(p) - 1; i >= max(0, len(p)-utf8.UTFMax); i-- {
		if utf8.RuneStart(p[i]) {
			if !utf8.FullRune(p[i:]) {
				return p[:i]
			}
			break
		}
	}
	return p
}

// writeLost tells what is missing here. What an end said is cut anew after it.
func (t *Tap) writeLost(c *tapped, at time.Time, lost loss) {
	line := transcript.Lost{Time: at, Count: lost.count, Bytes: lost.bytes, Why: "queue full"}
	if c != nil {
		for from, broken := range lost.broken {
			if broken && c.cut[from].format != nil {
				line.Why = "queue full; what " + c.roles[from] + " says is cut anew after it"
				t.writeRest(c, uint8(from), at)
			}
		}
		line.Call, line.From = c.call, c.n+1
		c.n += lost.count
	}
	if lost.ends > 0 {
		line.Why += fmt.Sprintf("; missing too: %d lines of how conversations began and ended", lost.ends)
	}
	t.writeRare(line)
}

// writeRare writes a line of a kind that is not one for every message.
func (t *Tap) writeRare(l transcript.Line) {
	t.check(t.lines.Write(l))
	if t.opts.Show != nil {
		t.opts.Show(l)
	}
}

// check looks whether the transcript can still be written.
func (t *Tap) check(err error) {
	if err != nil && t.failed.Load() == nil {
		t.fail(err)
	}
}

// fail notes that it cannot. What was in the buffer is missing too.
func (t *Tap) fail(err error) {
	err = fmt.Errorf("tap: the transcript ends here, what passes goes on: %w", err)
	t.failed.Store(&err)
	if t.opts.Failed != nil {
		t.opts.Failed(err)
	}
}
