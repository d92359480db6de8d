package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"parley"
	"parley/frame"
)

// DefaultChatQueue is what a zero Chat.Queue means, in lines.
const DefaultChatQueue = 256

const (
	chatText     = 4 << 10         // the longest line a caller may say, in bytes: as much as a terminal takes
	chatBytes    = 64 << 10        // that may wait for a caller, as 256 lines of 4 KiB would be too much memory
	chatCalm     = 8               // lines in a second that a caller may say without waiting for slow readers
	chatPatience = 3 * time.Second // how long a caller may take nothing while others wait for him, see Chat.waitFor
	chatGoodbye  = 3 * time.Second // for the last lines of a caller who leaves; less than parley.DefaultGrace
	chatLobby    = "lobby"
)

// A Chat lets its callers talk with each other, by lines. Its zero value is ready to use by any number of servers; it must
// not be copied after first use.
//
// A caller begins in the room "lobby" as guest3, where 3 is the number of the conversation. What he says, all others in his
// room hear, in the same order, headed by his number and name:
//
//	[3 ann] hello
//
// The server makes this head and no caller can forge it: a number is never given again, every line heard begins with a head
// of the server, and is a line of text without control characters, whatever was said. Those, bytes that are no UTF-8 and
// the invisible characters that make text read backwards are shown as \x1b and \u202e; only tabs pass. What the server
// itself says begins with "* ", as no head does. A name says who somebody wants to be; only the number says who he is.
//
// The commands are /name NAME, /who, /join ROOM, /help and /quit; //text says "/text". A name or room is a letter and up to
// 23 more letters, digits, - and _, in one script (Latin, Cyrillic, …), as names in mixed ones can be made to look like
// others. No two callers have names that differ in case or lookalikes (l and 1, Latin a and Cyrillic а) only.
//
// A line is a frame of the conversation: a line of text unless [parley.Config] says otherwise, a datagram on a transport of
// datagrams. One longer than 4 KiB is refused with a notice; one longer than Config.MaxFrame, or malformed, ends the
// conversation with a notice. A line that the format of some caller's conversation cannot carry is left out for him.
//
// A caller leaves by /quit, or when his input ends: he has said his end, so he is told what was said by then and hears no
// more. Who only wants to listen keeps his side open.
//
// Who does not read is dropped, with a notice to the room: when half of Queue lines (or of 64 KiB) wait for him besides what
// the kernel buffers, somebody says more than 8 lines a second, and he has taken nothing for 3 seconds. Only who says so much
// waits for slow readers then: so a flood goes as fast as the others can read, and those who do read lose nothing to it. Who
// says less is held up by a full queue only, and by a caller for 3 seconds at most, who is then dropped even if he reads:
// he cannot keep up with people.
//
// Over UDP a sender's address can be forged, and a stranger be made to hear a room: serve that to callers you know.
type Chat struct {
	Seen  func(line ChatLine) // if not nil, told of what is said and of notices to rooms, in order, whatever room; it must not block
	Queue int                 // lines that may wait for a caller; 0 or less means DefaultChatQueue

	mu    sync.Mutex // never held while saying something to a conversation
	last  int64      // number given to a caller
	names map[string]*chatter
	rooms map[string]*chatRoom // those in which somebody is
}

// A chatter is a caller of a Chat.
type chatter struct {
	id      int64
	c       *parley.Conn
	out     chatQueue
	dropped atomic.Bool // he does not read

	gone bool // he is in no room any more; guarded by Chat.mu

	// His handler alone changes these, under Chat.mu, and so may read them without it.
	name string
	room *chatRoom // where he is or, when he has left, was last

	// For chatter.floods, in his handler.
	second time.Time // since when lines are counted
	lines  int
}

var (
	errChatQuit    = errors.New("quit")
	errChatDropped = errors.New("dropped: does not read")
)

// Handle holds the conversation of one caller; it is a [parley.Handler]. The error is nil when the caller has left by
// /quit or the end of his input, and parley.ErrServerEnding when the server ends: he is told, and what waits for him is
// said.
func (ch *Chat) Handle(ctx context.Context, c *parley.Conn) error {
	if c.KeepsEdges() {
		if answersAnything(c) {
			return Discard(ctx, c)
		}
	} else {
		// It says nothing, but a TLS handshake comes first: nobody is in a room before he can hear.
		if _, err := c.Write(nil); err != nil {
			return err
		}
	}
	m := ch.enter(ctx, c)
	return ch.leave(ctx, m, ch.listen(ctx, m))
}

// enter greets a caller and tells the lobby.
func (ch *Chat) enter(ctx context.Context, c *parley.Conn) *chatter {
	m := &chatter{c: c}
	m.out.say = func(text []byte) error { return m.say(ctx, text) }
	m.out.taken, m.out.limit = m.taken, ch.Queue
	if m.out.limit <= 0 {
		m.out.limit = DefaultChatQueue
	}
	ch.lock(ctx, m, chatLobby)
	defer ch.mu.Unlock()
	ch.last++
	m.id = ch.last
	ch.rename(m, guestName(m.id))
	others := ch.move(m, chatLobby)
	m.notice("you are " + m.tag() + " in room " + m.room.name + ", with " + count(others, "other"))
	m.notice(chatHelp)
	ch.tellOthers(m, "came")
	return m
}

// listen hears what a caller says, until he leaves.
func (ch *Chat) listen(ctx context.Context, m *chatter) error {
	for {
		text, err := m.c.Receive(ctx)
		if m.dropped.Load() {
			return errChatDropped
		}
		if err == nil {
			if err = ctx.Err(); err == nil { // what has come is heard without a look at ctx
				err = ch.hear(ctx, m, text)
			}
		} else if onlyDatagram(m.c, err) {
			ch.answer(ctx, m, "that datagram was not delivered: "+chatReason(err))
			err = nil
		}
		if err != nil {
			return err
		}
	}
}

// leave takes a caller out of his room, tells why, and waits until what is left to say to him is said.
func (ch *Chat) leave(ctx context.Context, m *chatter, err error) error {
	ch.mu.Lock()
	ch.remove(m)
	m.out.release()
	if last := lastNotice(err); last != "" {
		m.notice(last)
	}
	ch.mu.Unlock()
	ch.lock(ctx, m, "")
	delete(ch.names, lookalike(m.name))
	line := ch.notice(m, "left: "+chatReason(err))
	if err == errChatDropped {
		line = ch.notice(m, "was dropped: does not read")
	}
	if ch.see(line); !errors.Is(err, parley.ErrServerEnding) { // else each hears it for himself
		ch.tell(m.room, nil, line.wire())
	}
	ch.mu.Unlock()
	lost := m.goodbye(ctx, err == errChatQuit || errors.Is(err, frame.ErrTooLong) || errors.Is(err, frame.ErrMalformed))
	switch {
	case err == errChatDropped, errors.Is(lost, os.ErrDeadlineExceeded):
		return fmt.Errorf("chat: caller %d %s does not read: %w", m.id, m.name, cmp.Or(lost, err))
	case err == io.EOF || err == errChatQuit: // who has left before all was said to him did not want it
		return nil
	}
	return err
}

// goodbye says what waits, no longer than chatGoodbye, and then the end. It waits until the other kernel has it, as a close
// with something unread could take it back; who may still be talking is heard out.
func (m *chatter) goodbye(ctx context.Context, talking bool) error {
	ctx, cancel := context.WithTimeout(ctx, chatGoodbye)
	defer cancel()
	_ = m.c.SetWriteDeadline(time.Now().Add(chatGoodbye))
	if err := m.out.finish(); err != nil {
		return err
	}
	if m.c.CloseWrite() != nil {
		return nil
	}
	if talking {
		_ = hearOut(m.c)
	}
	_ = m.c.WaitTaken(ctx)
	return nil
}

// say says one line to a caller. An error means that he hears no more.
func (m *chatter) say(ctx context.Context, text []byte) error {
	err := m.c.Send(ctx, text)
	var cannot *frame.TextError
	if errors.As(err, &cannot) || m.c.KeepsEdges() { // datagrams may be lost, with or without an error
		return nil
	}
	return err
}

// lastNotice is what a caller is told when he leaves because of err, if he still hears.
func lastNotice(err error) string {
	switch {
	case errors.Is(err, parley.ErrServerEnding):
		return "the server is ending"
	case err == errChatQuit:
		return "goodbye"
	case err == errChatDropped:
		return "you were dropped, as you do not read"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "your last line was not delivered: it has no end"
	case errors.Is(err, frame.ErrTooLong), errors.Is(err, frame.ErrMalformed):
		return "goodbye: " + chatReason(err)
	}
	return ""
}

// chatReason says to callers why one of them has left, without his address.
func chatReason(err error) string {
	var long *frame.TooLongError
	var bad *frame.SyntaxError
	switch {
	case errors.As(err, &long):
		return fmt.Sprintf("a line is longer than the limit of %d bytes", long.Limit)
	case errors.As(err, &bad):
		return "malformed frame, the format is " + chatEscape(bad.Format)
	case err == io.EOF:
		return "end of input"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "stopped in the middle of a line"
	case errors.Is(err, parley.ErrServerEnding):
		return parley.ErrServerEnding.Error()
	case errors.Is(err, parley.ErrIdle):
		return parley.ErrIdle.Error()
	case errors.Is(err, syscall.ECONNRESET):
		return "connection reset"
	case err == errChatQuit, err == errChatDropped:
		return err.Error()
	}
	return "the conversation broke"
}
