package service

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A chatRoom is where callers hear each other. It exists while somebody is in it.
type chatRoom struct {
	name string
	in   []*chatter // in the order of their coming
}

// lock takes ch.mu when m may say a line in his room and in the one called room, if not "": nobody there has a full queue,
// or a half full one if m has said much of late. It waits, without the lock, for those who have; who does not read is
// dropped. So no line is lost to those who read, a flood goes as fast as they do, and who does not read holds up nobody but
// a flood.
//
// When ctx has ended it waits for nobody, and blames nobody: what m then says goes into a queue that is full already. That
// is one line, and the notice that he has left.
func (ch *Chat) lock(ctx context.Context, m *chatter, room string) {
	level := int32(chatFull)
	if m.floods(time.Now()) {
		level = chatHalf
	}
	for {
		ch.mu.Lock()
		slow := slowest(m.room, level)
		if slow == nil {
			slow = slowest(ch.rooms[foldName(room)], level)
		}
		if slow == nil || ctx.Err() != nil {
			return
		}
		ch.mu.Unlock()
		begin := time.Now()
		ch.waitFor(ctx, slow, level)
		m.second = m.second.Add(time.Since(begin)) // a flood that is held up is no calm talk
	}
}

// floods counts a line that m is about to say, and reports whether he says more than a person would.
func (m *chatter) floods(now time.Time) bool {
	if now.Sub(m.second) >= time.Second {
		m.second, m.lines = now, 0
	}
	m.lines++
	return m.lines > chatCalm
}

// slowest returns somebody whose queue is at that level, nil if nobody's is.
func slowest(r *chatRoom, level int32) *chatter {
	if r == nil {
		return nil
	}
	for _, m := range r.in {
		if m.out.level.Load() >= level {
			return m
		}
	}
	return nil
}

// waitFor waits until m's queue has room again, or ctx ends. It drops m if he has taken nothing for chatPatience, or has
// kept his queue at chatFull for so long, if it is that which is waited for.
//
// What is taken counts, not what is read: receive windows open in steps, and a lost packet costs a quarter of a second and
// more, so that a caller who reads all the time may take nothing for a while.
func (ch *Chat) waitFor(ctx context.Context, m *chatter, level int32) {
	for ctx.Err() == nil {
		drained, left := m.out.draining(level)
		if drained == nil {
			return
		}
		if left <= 0 {
			ch.drop(m)
			return
		}
		select {
		case <-drained:
			return
		case <-time.After(left):
		case <-ctx.Done():
		}
	}
}

// taken measures what m has taken, for his queue: what his kernel has, if ours can tell, and what ours has had room for. If
// it is not him who keeps us waiting, but we who have not come round to saying it, he is not to blame, and it is -1.
func (m *chatter) taken() int64 {
	s := m.c.State()
	if s.Saying.IsZero() {
		return -1
	}
	return s.Said + max(s.Taken, 0)
}

// drop takes a caller who does not read out of his room, and has his handler do the rest.
func (ch *Chat) drop(m *chatter) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if m.gone {
		return
	}
	ch.remove(m)
	m.out.release()
	m.dropped.Store(true)
	_ = m.c.SetReadDeadline(time.Unix(1, 0)) // his handler waits in Receive
}

// The methods below need ch.mu.

// rename gives m a name, which must be free.
func (ch *Chat) rename(m *chatter, name string) {
	if ch.names == nil {
		ch.names, ch.rooms = map[string]*chatter{}, map[string]*chatRoom{}
	}
	delete(ch.names, lookalike(m.name))
	m.name = name
	ch.names[lookalike(name)] = m
}

// move puts m into the room of that name, and returns how many others are there.
func (ch *Chat) move(m *chatter, name string) (others int) {
	if m.room != nil {
		ch.remove(m)
	}
	r := ch.rooms[foldName(name)]
	if r == nil {
		r = &chatRoom{name: name}
		ch.rooms[foldName(name)] = r
	}
	others = len(r.in)
	r.in = append(r.in, m)
	m.room, m.gone = r, false
	return others
}

// remove takes m out of his room, if he is still there.
func (ch *Chat) remove(m *chatter) {
	if m.gone {
		return
	}
	m.gone = true
	r := m.room
	if i := slices.Index(r.in, m); i >= 0 {
		r.in = slices.Delete(r.in, i, i+1)
	}
	if len(r.in) == 0 {
		delete(ch.rooms, foldName(r.name))
	}
}

// tell says wire to all in a room but one.
func (ch *Chat) tell(r *chatRoom, but *chatter, wire []byte) {
	for _, m := range r.in {
		if m != but {
			m.out.push(wire)
		}
	}
}

// tellOthers tells those in m's room that he did something.
func (ch *Chat) tellOthers(m *chatter, did string) {
	line := ch.notice(m, did)
	ch.see(line)
	ch.tell(m.room, m, line.wire())
}

// notice is that m did something.
func (ch *Chat) notice(m *chatter, did string) ChatLine {
	line := m.line(fmt.Sprintf("%d %s %s", m.id, m.name, did))
	line.Notice = true
	return line
}

func (ch *Chat) see(line ChatLine) {
	if ch.Seen != nil {
		ch.Seen(line)
	}
}

// line is what m says; it needs no lock in his own handler.
func (m *chatter) line(text string) ChatLine {
	return ChatLine{Time: time.Now(), Room: m.room.name, ID: m.id, Name: m.name, From: m.c.RemoteAddr(), Text: text}
}

func (m *chatter) tag() string { return ChatLine{ID: m.id, Name: m.name}.head() }

// notice tells m himself something.
func (m *chatter) notice(text string) { m.out.push([]byte("* " + text)) }

// answer tells m something when he has taken what waits for him, so that whoever asks much without reading is dropped. It
// must be called without the lock, by his handler.
func (ch *Chat) answer(ctx context.Context, m *chatter, text string) {
	if m.out.level.Load() >= chatHalf {
		ch.waitFor(ctx, m, chatHalf)
	}
	m.notice(text)
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// wrap joins items into notices of about 400 bytes, so that each fits a datagram, and a queue when it must.
func wrap(head string, items []string) (lines []string) {
	const width = 400
	for len(items) > 0 {
		size, n := len(head), 0
		for n < len(items) && (n == 0 || size+len(items[n]) <= width) {
			size += len(items[n]) + 2
			n++
		}
		lines = append(lines, head+strings.Join(items[:n], ", "))
		items = items[n:]
	}
	return lines
}
