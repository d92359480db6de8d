package cli

import (
	"cmp"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"parley"
	"parley/frame"
	"parley/transcript"
)

// A recorder writes the transcript of --json from the events of the library. Conversations are numbered as they come.
type recorder struct {
	w            *transcript.Writer
	giveUp       context.CancelCauseFunc // for when it cannot be written
	mine, theirs string                  // the roles: client and server, or the other way round
	say, hear    frame.Format

	mu    sync.Mutex
	calls map[any]*recorded // by *parley.Conn, or by the sender's address for datagrams
	last  int64
}

// recorded is one conversation of a transcript.
type recorded struct {
	call, n int64
	how     string // how it ended, once that is known
}

func newRecorder(giveUp context.CancelCauseFunc, w io.Writer, verb string, address []string, caller bool, say, hear frame.Format) *recorder {
	r := &recorder{w: transcript.NewWriter(w), giveUp: giveUp, mine: "server", theirs: "client", say: say, hear: hear, calls: map[any]*recorded{}}
	if caller {
		r.mine, r.theirs = "client", "server"
	}
	r.write(transcript.Hello{Time: time.Now(), Program: versionText(), Verb: verb, Address: address})
	return r
}

// write cannot report a failure from within an event; err does.
func (r *recorder) write(l transcript.Line) {
	if r.w.Write(l) != nil {
		r.giveUp(r.err())
	}
}

// err returns why the transcript is incomplete, if it is.
func (r *recorder) err() error {
	if r == nil {
		return nil
	}
	return localOutput(r.w.Err())
}

// observe is a parley.Config.Observe.
func (r *recorder) observe(e parley.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.Kind == parley.AcceptFailed {
		return
	}
	c := r.find(e)
	role := r.theirs
	switch e.Kind {
	case parley.Said, parley.Heard:
		c.n++
		heard, f := e.Kind == parley.Heard, r.hear
		if !heard {
			role, f = r.mine, r.say
		}
		r.write(transcript.Frame{
			Heard: heard, Time: e.Time, Call: c.call, N: c.n, Role: role, Bytes: int64(e.Size), Data: e.Data, End: f.String(),
		})
	case parley.SaidEnd:
		r.write(transcript.HalfClosed{Time: e.Time, Call: c.call, Role: r.mine})
	case parley.HeardEnd:
		r.write(transcript.HalfClosed{Time: e.Time, Call: c.call, Role: role})
	case parley.Closed:
		r.write(transcript.Closed{Time: e.Time, Call: c.call, Role: r.mine, How: c.how})
		delete(r.calls, e.Conn)
	}
}

// find returns the conversation of e, and opens it in the transcript if it is new.
func (r *recorder) find(e parley.Event) *recorded {
	var key any = e.Conn
	if e.Conn == nil {
		key = e.Addr.String()
	}
	c, ok := r.calls[key]
	if !ok {
		r.last++
		c = &recorded{call: r.last, how: transcript.HowClean}
		r.calls[key] = c
		r.write(transcript.Opened{
			Time: e.Time, Call: c.call, Ends: r.ends(e),
			Formats: map[string]string{r.theirs: r.hear.String(), r.mine: r.say.String()},
		})
	}
	return c
}

// ends names the client first, whichever we are.
func (r *recorder) ends(e parley.Event) []transcript.End {
	theirs, mine := transcript.End{Role: r.theirs, Addr: addrText(e.Addr)}, transcript.End{Role: r.mine}
	if e.Conn != nil {
		mine.Addr = addrText(e.Conn.LocalAddr())
	}
	if r.mine == "client" {
		return []transcript.End{mine, theirs}
	}
	return []transcript.End{theirs, mine}
}

// ended notes why c ended, before it is closed. The part of a frame that was heard last is written as such.
func (r *recorder) ended(c *parley.Conn, part []byte, err error) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	call, ok := r.calls[c]
	if !ok {
		return
	}
	call.how = howOf(err)
	if len(part) > 0 {
		call.n++
		r.write(transcript.Frame{Heard: true, Time: time.Now(), Call: call.call, N: call.n, Role: r.theirs, Bytes: int64(len(part)), Data: part, Part: true})
	}
}

// closeSenders ends the conversations of datagram senders, which nothing on the wire ends.
func (r *recorder) closeSenders() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	open := slices.SortedFunc(maps.Values(r.calls), func(a, b *recorded) int { return cmp.Compare(a.call, b.call) })
	for _, c := range open {
		r.write(transcript.Closed{Time: time.Now(), Call: c.call, Role: r.mine, How: c.how})
	}
	clear(r.calls)
}

// howOf is the transcript's word for the end of a conversation.
func howOf(err error) string {
	switch exitCode(err) {
	case exitOK:
		return transcript.HowClean
	case exitTimeout:
		return transcript.HowTimeout
	case exitTruncated:
		return transcript.HowTruncated
	case exitInterrupted:
		return transcript.HowInterrupted
	case exitBroken:
		return transcript.HowReset
	}
	if errors.Is(err, net.ErrClosed) {
		return transcript.HowInterrupted
	}
	return transcript.HowReset
}

// addrText is how callers are named: the address, or what kind of nameless socket it is.
func addrText(a net.Addr) string {
	if a == nil || a.String() == "" || a.String() == "@" {
		return "unnamed"
	}
	return a.String()
}
