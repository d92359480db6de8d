package cli

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"

	"parley"
)

// A caller is one of those that listen hears: a conversation, or a sender of datagrams.
type caller struct {
	id   int64
	conn *parley.Conn // nil for datagrams
	from net.Addr
	via  *parley.PacketConn

	// What follows is guarded by callers.mu.
	messages, answers int  // heard and said
	waiting           int  // answers not yet said
	freed             bool // it is owed no more answers
	ended             bool // it will say no more
	settled           chan struct{}

	queue chan answer   // nil: answers are said at once, as datagrams can be
	gone  chan struct{} // closed when it leaves
}

// An answer waits to be said to one caller; a nil text is the end.
type answer struct{ text []byte }

// longestQueue is how many answers may wait for a caller that does not read. The others get theirs meanwhile.
const longestQueue = 64

func (c *caller) name() string { return fmt.Sprintf("%d (%s)", c.id, addrText(c.from)) }

func (c *caller) send(ctx context.Context, text []byte) error {
	if c.conn != nil {
		return c.conn.Send(ctx, text)
	}
	return c.via.Send(ctx, text, c.from)
}

// callers are those that are there now, by number. Numbers are never used again.
type callers struct {
	mu      sync.Mutex
	last    int64
	present []*caller
	said    bool // standard input has said something
	over    bool // standard input has ended

	complain func(c *caller, err error) // tells of an answer that was not said
}

func (cs *callers) enter(c *parley.Conn) *caller {
	return cs.add(&caller{conn: c, from: c.RemoteAddr()})
}

func (cs *callers) add(c *caller) *caller {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.last++
	c.id, c.settled, c.gone = cs.last, make(chan struct{}), make(chan struct{})
	cs.present = append(cs.present, c)
	if cs.over && cs.said && c.conn != nil {
		_ = c.conn.CloseWrite() // a failure shows in the conversation itself
	}
	return c
}

func (cs *callers) leave(c *caller) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.present = slices.DeleteFunc(cs.present, func(p *caller) bool { return p == c })
	close(c.gone)
}

// heard counts a message.
func (cs *callers) heard(c *caller) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	c.messages++
}

// awaitAnswers waits for what is owed to a caller that has said its end: an answer to each of its messages. Then, or
// when there will be no more answers, the conversation is over.
func (cs *callers) awaitAnswers(ctx context.Context, c *caller) error {
	cs.mu.Lock()
	c.ended = true
	cs.settle(c)
	cs.mu.Unlock()
	select {
	case <-c.settled:
		if c.conn == nil {
			return nil
		}
		return c.conn.WaitTaken(ctx)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// settle needs the lock.
func (cs *callers) settle(c *caller) {
	if !c.ended || c.waiting > 0 || !cs.over && !c.freed && c.answers < c.messages {
		return
	}
	select {
	case <-c.settled:
	default:
		close(c.settled)
	}
}

func (cs *callers) all() []*caller {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return slices.Clone(cs.present)
}

// answer begins to read answers from standard input, if it is for that: with --tag, or typed.
func (cs *callers) answer(ctx context.Context, v *listening) {
	switch {
	case v.tag && v.u.hasInput():
		go cs.answerTagged(ctx, v)
	case v.u.inTerm && !v.json:
		go cs.answerTyped(ctx, v)
	}
}

// answerTagged reads lines "ID TAB TEXT", and "ID" for the end.
func (cs *callers) answerTagged(ctx context.Context, v *listening) {
	for line, err := range lines(v.u.in, true) {
		if err != nil {
			v.u.note("%v", err)
			return
		}
		id, text, err := parseTagged(string(line))
		if err != nil {
			v.u.note("answer %q not said: %v", clip(line), err)
			v.remember(&localError{"standard input", err})
			cs.free(id)
			continue
		}
		cs.send(ctx, v.u, id, text)
	}
	cs.end()
}

// free notes that a caller need not wait for an answer that cannot be said.
func (cs *callers) free(id int64) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for _, c := range cs.present {
		if c.id == id {
			c.freed = true
			cs.settle(c)
		}
	}
}

// send says text, or the end if it is nil, to one caller, or to all for 0.
func (cs *callers) send(ctx context.Context, u *ui, id int64, text []byte) {
	cs.mu.Lock()
	cs.said = true
	cs.mu.Unlock()
	to := cs.all()
	if id != 0 {
		to = slices.DeleteFunc(to, func(c *caller) bool { return c.id != id })
		if len(to) == 0 {
			u.note("answer not said: caller %d is not there", id)
		}
	}
	for _, c := range to {
		cs.pass(ctx, c, answer{slices.Clone(text)})
	}
}

// pass gives a to c's queue, which it makes if there is none yet.
func (cs *callers) pass(ctx context.Context, c *caller, a answer) {
	if c.conn == nil {
		cs.sayOne(ctx, c, a)
		return
	}
	cs.mu.Lock()
	if c.queue == nil {
		c.queue = make(chan answer, longestQueue)
		go cs.sayQueue(ctx, c)
	}
	c.waiting++
	cs.mu.Unlock()
	select {
	case c.queue <- a:
	default:
		cs.count(c, false)
		cs.complain(c, fmt.Errorf("answer not said: %d wait already, and the caller is not reading", longestQueue))
	}
}

// sayQueue says a caller's answers until it leaves.
func (cs *callers) sayQueue(ctx context.Context, c *caller) {
	for {
		select {
		case a := <-c.queue:
			cs.sayOne(ctx, c, a)
		case <-c.gone:
			return
		}
	}
}

func (cs *callers) sayOne(ctx context.Context, c *caller, a answer) {
	var err error
	switch {
	case a.text != nil:
		err = c.send(ctx, a.text)
	case c.conn != nil:
		err = c.conn.CloseWrite()
	}
	cs.count(c, a.text != nil && err == nil)
	if err != nil && ctx.Err() == nil {
		cs.complain(c, fmt.Errorf("answer not said: %w", err))
	}
}

// count notes that an answer was said, or that there will be none.
func (cs *callers) count(c *caller, said bool) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if c.conn != nil {
		c.waiting--
	}
	c.answers++
	c.freed = c.freed || !said
	cs.settle(c)
}

// end says the end to all callers, behind their answers, as there will be no more. An input that never gave one was not
// there to answer, and then the callers hear nothing of its end.
func (cs *callers) end() {
	cs.mu.Lock()
	cs.over = true
	said := cs.said
	for _, c := range cs.present {
		cs.settle(c)
	}
	cs.mu.Unlock()
	for _, c := range cs.all() {
		if said && c.conn != nil {
			cs.pass(context.Background(), c, answer{})
		}
	}
}

// answerTyped sends what a person types to the only caller, or asks which.
func (cs *callers) answerTyped(ctx context.Context, v *listening) {
	var pending []byte
	asked := false
	for line, err := range lines(v.u.in, true) {
		if err != nil {
			v.u.note("%v", err)
			return
		}
		present := cs.all()
		switch {
		case asked:
			asked = false
			id, ok := chosen(string(line))
			if !ok {
				v.u.note("not said: %q is neither a caller's number nor *", clip(line))
				continue
			}
			cs.send(ctx, v.u, id, pending)
		case len(present) == 0:
			v.u.note("not said: there is no caller")
		case len(present) == 1:
			cs.send(ctx, v.u, present[0].id, line)
		default:
			pending, asked = slices.Clone(line), true
			v.u.note("to whom? type a number, or * for all: %s", names(present))
		}
	}
	cs.end()
}

func chosen(line string) (id int64, ok bool) {
	line = strings.TrimSpace(line)
	if line == "*" {
		return 0, true
	}
	id, err := strconv.ParseInt(line, 10, 64)
	return id, err == nil && id > 0
}

func names(callers []*caller) string {
	var all []string
	for _, c := range callers {
		all = append(all, c.name())
	}
	return strings.Join(all, ", ")
}

// clip is enough of a line to know it by.
func clip(line []byte) string { return string(line[:min(len(line), 40)]) }
