package cli

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"parley/frame"
	"parley/internal/escape"
	"parley/transcript"
)

// The roles in the transcripts of the tour.
const (
	roleClient = "client"
	roleServer = "server"
)

// A telling is what one end tells of one conversation.
type telling struct {
	server string // the server's address, if the client tells
	acts   []act
	how    string // how it ended; empty where that is not told, as of datagrams
}

// An act is a message or an end, as one end tells of it.
type act struct {
	time  time.Time
	from  string // who spoke: client or server
	end   bool   // it is the end, and no message
	frame transcript.Frame
}

// tellings takes the conversations of a transcript apart.
func tellings(lines []transcript.Line) []*telling {
	var all []*telling
	byCall := map[int64]*telling{}
	of := func(call int64) *telling {
		if byCall[call] == nil {
			byCall[call] = new(telling)
			all = append(all, byCall[call])
		}
		return byCall[call]
	}
	for _, line := range lines {
		switch line := line.(type) {
		case transcript.Opened:
			of(line.Call).server = addressOf(roleServer, line.Ends)
		case transcript.Frame:
			t := of(line.Call)
			t.acts = append(t.acts, act{time: line.Time, from: line.Role, frame: line})
		case transcript.HalfClosed:
			t := of(line.Call)
			t.acts = append(t.acts, act{time: line.Time, from: line.Role, end: true})
		case transcript.Closed:
			of(line.Call).how = line.How
		}
	}
	return all
}

func addressOf(role string, ends []transcript.End) string {
	for _, end := range ends {
		if end.Role == role {
			return end.Addr
		}
	}
	return ""
}

// by returns what one role did, in order.
func (t *telling) by(role string) (frames, ends []act) {
	if t == nil {
		return nil, nil
	}
	for _, a := range t.acts {
		switch {
		case a.from != role:
		case a.end:
			ends = append(ends, a)
		default:
			frames = append(frames, a)
		}
	}
	return frames, ends
}

// An arrow is a message or an end on its way, put together from what both ends tell.
type arrow struct {
	talk        int // index of the conversation in the picture
	from        string
	end         bool
	said, heard bool
	time        time.Time // when the first of the two noticed it
	rank        int       // its place in what the client tells, for arrows of the same time

	text []byte
	wire []byte // with the end mark
	size int64  // of wire
	odd  bool   // what was heard is not what was said
}

// arrows merges what the two ends tell of one conversation. Either may be nil.
func arrows(talk int, client, server *telling) []arrow {
	out := direction(talk, roleClient, client, server)
	back := direction(talk, roleServer, server, client)
	rankBy(client, out, back)
	return mergeArrows(out, back)
}

// direction pairs what one end said with what the other heard: both in the same order, the first with the first.
func direction(talk int, from string, speaker, hearer *telling) (all []arrow) {
	said, saidEnd := speaker.by(from)
	heard, heardEnd := hearer.by(from)
	for i := range max(len(said), len(heard)) {
		all = append(all, newArrow(talk, at(said, i), at(heard, i)))
	}
	if len(saidEnd)+len(heardEnd) > 0 {
		all = append(all, newArrow(talk, at(saidEnd, 0), at(heardEnd, 0)))
	}
	return all
}

func at(acts []act, i int) *act {
	if i >= len(acts) {
		return nil
	}
	return &acts[i]
}

// newArrow needs one of the two. What was said counts for the text, as that is the question.
func newArrow(talk int, said, heard *act) arrow {
	a := cmp.Or(said, heard)
	r := arrow{
		talk: talk, from: a.from, end: a.end, said: said != nil, heard: heard != nil && !heard.frame.Part,
		time: a.time, text: a.frame.Data, wire: wireOf(a.frame), size: a.frame.Bytes,
	}
	if said != nil && heard != nil {
		r.odd = !bytes.Equal(said.frame.Data, heard.frame.Data)
		if heard.time.Before(r.time) {
			r.time = heard.time
		}
	}
	return r
}

// wireOf returns what a message was on the wire: its text with the end mark, if that is as long as the transcript says.
func wireOf(f transcript.Frame) []byte {
	format, err := frame.Parse(f.End)
	if err != nil {
		return f.Data
	}
	if wire, err := format.Append(nil, f.Data); err == nil && int64(len(wire)) == f.Bytes {
		return wire
	}
	return f.Data
}

// rankBy notes the place of each arrow in what the client tells. Clocks may be too coarse to tell question from reply.
func rankBy(client *telling, directions ...[]arrow) {
	if client == nil {
		return
	}
	for _, all := range directions {
		next := 0
		for rank, a := range client.acts {
			if next < len(all) && a.from == all[next].from {
				all[next].rank = rank
				next++
			}
		}
	}
}

// mergeArrows keeps the order of either list, and goes by time between them.
func mergeArrows(a, b []arrow) []arrow {
	var all []arrow
	for len(a) > 0 && len(b) > 0 {
		if earlier(b[0], a[0]) < 0 {
			a, b = b, a
		}
		all = append(all, a[0])
		a = a[1:]
	}
	return slices.Concat(all, a, b)
}

func earlier(a, b arrow) int {
	return cmp.Or(a.time.Compare(b.time), cmp.Compare(a.rank, b.rank))
}

// A picture is a classic as it went.
type picture struct {
	ports  []string // of the server
	talks  []talk   // the conversations
	arrows []arrow  // of all of them, as they happened

	outcome []string // what one end heard, in its own order
}

// A talk names the ends of one conversation of a picture.
type talk struct {
	name   string // of the caller; empty if there is only one
	server string // its address, as the caller knows it
}

// newPicture puts together what the server and its callers tell. The error says what was not heard as it was said.
func newPicture(c *classic, ports []string, server *process, callers []*process) (*picture, error) {
	p := &picture{ports: ports}
	var clients []*telling
	for i, caller := range callers {
		for _, t := range tellings(caller.lines) {
			clients = append(clients, t)
			p.talks = append(p.talks, talk{c.callers[i].name, t.server})
		}
	}
	servers := tellings(server.lines)
	pairs, strangers := pair(clients, servers)
	var lists [][]arrow
	for i, client := range clients {
		lists = append(lists, arrows(i, client, pairs[i]))
	}
	p.arrows = mergeAll(lists)
	for _, hearer := range hearers(c, server, callers) {
		p.outcome = append(p.outcome, heardTexts(hearer.lines)...)
	}
	return p, p.losses(c, append(clients, servers...), strangers)
}

func hearers(c *classic, server *process, callers []*process) []*process {
	if c.hearer == roleServer {
		return []*process{server}
	}
	return callers
}

func heardTexts(lines []transcript.Line) (texts []string) {
	for _, line := range lines {
		if f, ok := line.(transcript.Frame); ok && f.Heard {
			texts = append(texts, string(f.Data))
		}
	}
	return texts
}

func mergeAll(lists [][]arrow) (all []arrow) {
	for _, list := range lists {
		all = mergeArrows(all, list)
	}
	return all
}

// pair finds for each client the server's telling of the same conversation: the one in which the client says the same.
// Those left over are paired in order, so that what went wrong can be drawn.
func pair(clients, servers []*telling) (pairs []*telling, strangers int) {
	pairs = make([]*telling, len(clients))
	left := slices.Clone(servers)
	take := func(i, at int) {
		pairs[i] = left[at]
		left = slices.Delete(left, at, at+1)
	}
	for i, client := range clients {
		if at := slices.IndexFunc(left, client.sameTexts); at >= 0 {
			take(i, at)
		}
	}
	for i := range clients {
		if pairs[i] == nil && len(left) > 0 {
			take(i, 0)
		}
	}
	return pairs, len(left)
}

// sameTexts reports whether the client says the same in both.
func (t *telling) sameTexts(other *telling) bool {
	a, _ := t.by(roleClient)
	b, _ := other.by(roleClient)
	return slices.EqualFunc(a, b, func(x, y act) bool { return bytes.Equal(x.frame.Data, y.frame.Data) })
}

// losses says what is missing: nil is what the tour promises.
func (p *picture) losses(c *classic, told []*telling, strangers int) error {
	var errs []error
	if len(p.talks) != len(c.callers) || strangers > 0 {
		errs = append(errs, fmt.Errorf("%d callers tell of %d conversations, and the server of %d that no caller knows", len(c.callers), len(p.talks), strangers))
	}
	for _, a := range p.arrows {
		if why := a.loss(); why != "" {
			errs = append(errs, fmt.Errorf("the %s's %s %s", a.from, a.what(), why))
		}
	}
	for _, t := range told {
		if t.how != "" && t.how != transcript.HowClean {
			errs = append(errs, fmt.Errorf("a conversation ended as %s", escape.Line(t.how)))
		}
	}
	return errors.Join(errs...)
}

// loss says why an arrow is not as it should be; empty if it is. An end need not have been said to be heard: a close
// says it too.
func (a arrow) loss() string {
	switch {
	case !a.heard:
		return "was said, but not heard"
	case !a.said && !a.end:
		return "was heard, but not said"
	case a.odd:
		return "was heard otherwise than it was said"
	}
	return ""
}

func (a arrow) what() string {
	if a.end {
		return "end"
	}
	return fmt.Sprintf("message %.40q", a.text)
}

// fill puts the server's host and port, as its first caller knows them, into a headline.
func (p *picture) fill(headline string) string {
	if len(p.talks) == 0 {
		return headline
	}
	host, port, _ := net.SplitHostPort(p.talks[0].server)
	return strings.NewReplacer("{host}", host, "{port}", port).Replace(headline)
}
