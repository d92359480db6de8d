package parley

import (
	"net"
	"time"
)

// An EventKind says what happened.
type EventKind int

// The kinds of event.
const (
	Opened       EventKind = iota + 1 // a conversation began
	Said                              // a frame was handed to this kernel
	Heard                             // a frame was heard whole
	SaidEnd                           // this end has said that it will say no more (half-close)
	HeardEnd                          // the other end has
	Closed                            // this end let go of the conversation; Err says why, if not by Close
	AcceptFailed                      // a caller could not be accepted; it is tried again (Err says why, Retry when)
	Dropped                           // datagrams were thrown away: there are too many senders, or one's conversation does not keep up, or was closed (Err)
)

var eventNames = [...]string{
	Opened: "opened", Said: "said", Heard: "heard", SaidEnd: "said-end", HeardEnd: "heard-end",
	Closed: "closed", AcceptFailed: "accept-failed", Dropped: "dropped",
}

func (k EventKind) String() string {
	if k < Opened || k > Dropped {
		return "unknown"
	}
	return eventNames[k]
}

// An Event is something that happened in a conversation. Read, Write and the copies say no Said or Heard, as they know
// no frames.
type Event struct {
	Kind  EventKind
	Time  time.Time
	Conn  *Conn         // nil for AcceptFailed, Dropped and for datagrams without a conversation
	Addr  net.Addr      // of the other end; of the listener for AcceptFailed
	Data  []byte        // the text of a Said or Heard frame; only valid during the call
	Size  int           // its bytes on the wire, end mark included
	Err   error         // for Closed, AcceptFailed and Dropped
	Retry time.Duration // for AcceptFailed: how long until the next try
}

func (cfg *Config) observe(e Event) {
	if cfg.Observe == nil {
		return
	}
	e.Time = time.Now()
	cfg.Observe(e)
}

// dropped tells of a datagram that was thrown away.
func (cfg *Config) dropped(from net.Addr, err error) {
	cfg.observe(Event{Kind: Dropped, Addr: from, Err: err})
}

// observeFrame is apart from those who say and hear frames so that they need little stack; see Conn.await.
//
//go:noinline
func (c *Conn) observeFrame(kind EventKind, text []byte, size int) {
	c.cfg.observe(Event{Kind: kind, Conn: c, Addr: c.RemoteAddr(), Data: text, Size: size})
}
