package parley

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"parley/internal/sock"
	"parley/internal/sys"
)

// A State is what a conversation is doing at one moment. Numbers are bytes; -1 where this system or transport cannot tell.
type State struct {
	Said       int64 // given to this kernel
	Taken      int64 // of Said, acknowledged by the other kernel (Linux: TCP)
	Heard      int64 // given to us by this kernel
	Unread     int   // come to this kernel, and read by nobody
	Unfinished int   // heard of a frame whose end has not come
	End        string
	NotReading bool // the other end reads nothing: its window is zero, or a Unix socket's bytes lie unread

	Hearing time.Time // since when a call waits to hear; zero if none does
	Saying  time.Time // since when a call waits to say; zero if none does

	SaidEnd  bool // this end has said that it will say no more
	HeardEnd bool // the other end has
}

// State says what the conversation is doing now. It may be called from any goroutine, at any time.
func (c *Conn) State() State {
	s := State{
		Said: c.said.Load(), Taken: -1, Unread: -1, Saying: unixTime(c.wwait.Load()),
		SaidEnd: c.saidEnd.Load(), HeardEnd: c.ended.Load(), End: c.hear.End(),
	}
	s.Hearing, s.Heard, s.Unfinished = c.hearing()
	rc, err := c.socket()
	if err != nil {
		return s
	}
	q, err := sys.SocketQueues(rc)
	if err != nil {
		return s
	}
	s.Unread, s.NotReading = q.Unread, q.ZeroWindow || q.Charged > 0
	if _, isTLS := c.nc.(*sock.TLSConn); q.Unacked >= 0 && !isTLS {
		s.Taken = max(0, s.Said-int64(q.Unacked))
	}
	return s
}

// hearing is the hearer's part of State, all of one moment: nothing was heard between two looks at the same wait.
func (c *Conn) hearing() (since time.Time, heard int64, unfinished int) {
	for {
		wait := c.rwait.Load()
		heard, unfinished = c.heard.Load(), int(c.part.Load())
		switch {
		case wait == 0:
			return time.Time{}, heard, 0
		case wait == c.rwait.Load():
			return unixTime(wait), heard, unfinished
		}
	}
}

// Bytes returns how many bytes were said and heard so far, as State does, without asking the kernel for the rest.
func (c *Conn) Bytes() (said, heard int64) { return c.said.Load(), c.heard.Load() }

// now is the clock of rwait and wwait.
func now() int64 { return time.Now().UnixNano() }

func unixTime(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}

// socket returns the way to the socket below, for questions to the kernel.
func (c *Conn) socket() (syscall.RawConn, error) {
	nc := c.nc
	if tc, ok := nc.(*sock.TLSConn); ok {
		nc = tc.Below()
	}
	if sc, ok := nc.(syscall.Conn); ok {
		return sc.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// String explains the state in one line, for a person who wonders why nothing happens.
func (s State) String() string {
	parts := []string{s.saidWords(), s.heardWords()}
	if s.NotReading {
		parts = append(parts, "the other end is not reading")
	}
	if s.HeardEnd {
		parts = append(parts, "the other end has ended")
	}
	if s.SaidEnd {
		parts = append(parts, "this end has ended")
	}
	return strings.Join(parts, "; ")
}

func (s State) saidWords() string {
	words := fmt.Sprintf("said %d bytes", s.Said)
	switch {
	case s.Said == 0 || s.Taken < 0:
		return words
	case s.Taken == s.Said:
		return words + ", all taken by the other kernel"
	}
	return fmt.Sprintf("%s, %d taken by the other kernel", words, s.Taken)
}

func (s State) heardWords() string {
	if s.Unfinished > 0 {
		return fmt.Sprintf("heard %d bytes without %s yet", s.Unfinished, s.End)
	}
	return fmt.Sprintf("heard %d bytes", s.Heard)
}

// WaitTaken waits until the other kernel has acknowledged all that was said, the end included. It returns nil at once
// where the system or the transport cannot tell. An error means that some of what was said may be lost: the other end
// has reset the conversation, or has closed it without reading everything.
//
// Being taken by the other kernel is not being read by the other program; only a reply says that.
func (c *Conn) WaitTaken(ctx context.Context) error {
	rc, err := c.socket()
	if err != nil {
		return nil
	}
	return c.fail("send", sys.AwaitQueues(ctx, rc, c.allTaken))
}

func (c *Conn) allTaken(q sys.Queues, broken error) (bool, error) {
	if broken != nil {
		if tc, ok := c.nc.(*sock.TLSConn); ok && tc.OnlyEndMissing(q.Unacked, broken) {
			return true, nil
		}
		c.noteBreak(os.NewSyscallError("read", broken))
	}
	if broken := c.broken.Load(); broken != nil {
		return true, *broken
	}
	return q.Unacked <= 0 && q.Charged <= 0, nil
}
