package parleytest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"parley"
	"parley/frame"
)

// A SchemeTest says how [TestScheme] reaches a scheme, and what it cannot do by its nature. Each such exception is a
// field whose text is the reason.
type SchemeTest struct {
	// Address returns an address to listen on, or with Other to dial, each time another that nobody uses: "127.0.0.1:0", or
	// a path in a directory made for the test.
	Address func(t *testing.T) string

	// Other is for schemes that are dialled only: it opens the other end of what is dialled at address, by other means. It is
	// called while that is being dialled, in a goroutine of its own, so it may have to wait for what dialling makes, and if
	// it fails it calls t.Error and returns nil. What it returns must do all that the rules ask of a conversation's other
	// end: half-close, deadlines. A nil Other means that the scheme listens too.
	Other func(t *testing.T, address string) net.Conn

	// Config is how both ends are opened; nil means the zero Config. The rules set its Frame and MaxFrame themselves.
	Config *parley.Config

	// Call turns what Listener.Address or PacketConn.Address says into what is dialled; nil means that it is that.
	Call func(t *testing.T, address string) string

	Packets bool // the address is for ListenPacket: datagrams without a conversation

	// Edges says that the transport keeps the edges of what is said, as seqpackets do. The rules about parts of a frame
	// do not hold there, and the frames are MaxFrame at most.
	Edges bool

	MaxFrame int // bytes in the longest frame that the transport carries; 0 means that there is no limit

	// Patience is how long a rule may take before a call that has not returned counts as one that never will; 0 or less
	// means 20 seconds.
	Patience time.Duration

	NoHalfClose string // why CloseWrite must be errors.ErrUnsupported
	NoRefusal   string // why dialling where nobody listens cannot fail
	NoAddrs     string // why the two ends do not see the same addresses
	LossyClose  string // why Close throws away what was said and nobody has read yet
}

// TestScheme fails t if a scheme does not keep the rules that every scheme keeps. What it reports explains the rule. It
// takes some seconds, and opens up to a hundred conversations at once; t must not run in parallel with other tests, for
// the last rule is that nothing is left.
func TestScheme(t *testing.T, s SchemeTest) {
	rules := streamRules
	switch {
	case s.Packets:
		rules = packetRules
	case s.Other != nil:
		rules = dialledRules
	}
	if s.Patience <= 0 {
		s.Patience = 20 * time.Second
	}
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			Leaks(t)
			ctx, cancel := context.WithTimeout(t.Context(), s.Patience)
			defer cancel()
			r.check(&kit{T: t, SchemeTest: s, ctx: ctx, rule: r.rule})
		})
	}
}

// A rule is one thing that every scheme does.
type rule struct {
	name  string
	rule  string // in one sentence, for who has broken it
	check func(k *kit)
}

var streamRules = slices.Concat(openRules, frameRules, endRules, contextRules)

// A kit is one run of one rule.
type kit struct {
	*testing.T
	SchemeTest
	ctx  context.Context // for calls that ought to return: it ends after Patience
	rule string
}

// broken fails the test: what was seen, and the rule that forbids it.
func (k *kit) broken(format string, args ...any) {
	k.Helper()
	k.Fatalf("%s\nrule: %s", fmt.Sprintf(format, args...), k.rule)
}

func (k *kit) check(what string, err error) {
	k.Helper()
	if err != nil {
		k.broken("%s: %v", what, err)
	}
}

// wants fails the test unless err is want.
func (k *kit) wants(what string, err, want error) {
	k.Helper()
	if !errors.Is(err, want) {
		k.broken("%s: got the error %v (%T), want %v", what, err, err, want)
	}
}

// config returns the Config of the scheme, with frames of format f; nil means that of the zero Config.
func (k *kit) config(f frame.Format) *parley.Config {
	cfg := parley.Config{}
	if k.Config != nil {
		cfg = *k.Config
	}
	cfg.Frame, cfg.MaxFrame = f, -1
	return &cfg
}

func (k *kit) listen(f frame.Format) *parley.Listener {
	k.Helper()
	address := k.Address(k.T)
	ln, err := k.config(f).Listen(k.ctx, address)
	k.check("listen on "+address, err)
	k.Cleanup(func() { ln.Close() })
	return ln
}

// callTo returns what to dial to reach a listening address.
func (k *kit) callTo(address string) string {
	if k.Call == nil {
		return address
	}
	return k.Call(k.T, address)
}

// pair returns both ends of a conversation that has begun: each has heard of the other, so a handshake is over.
func (k *kit) pair(f frame.Format) (caller, accepted *parley.Conn) {
	k.Helper()
	if k.Other != nil {
		return k.meet(f)
	}
	ln := k.listen(f)
	return k.call(ln, f)
}

// call dials ln and accepts the call. One byte is said, because the handshake of some schemes waits for the accepting end
// to read.
func (k *kit) call(ln *parley.Listener, f frame.Format) (caller, accepted *parley.Conn) {
	k.Helper()
	acceptedOne := make(chan error, 1)
	go func() {
		var err error
		accepted, err = acceptAndRead(ln)
		acceptedOne <- err
	}()
	address := k.callTo(ln.Address())
	caller, err := k.config(f).Dial(k.ctx, address)
	if err != nil {
		ln.Close()
		<-acceptedOne
		k.broken("dial %s, which is what Listener.Address said: %v", address, err)
	}
	k.Cleanup(func() { caller.Close() })
	_, err = caller.Write([]byte{'!'})
	k.check("write one byte", err)
	k.check("accept, and read one byte", k.within("Accept of a caller, and Read of one byte", func() error { return <-acceptedOne }))
	k.Cleanup(func() { accepted.Close() })
	return caller, accepted
}

func acceptAndRead(ln *parley.Listener) (*parley.Conn, error) {
	nc, err := ln.Accept()
	if err != nil {
		return nil, err
	}
	c := nc.(*parley.Conn)
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// within returns f's error, and fails the test if f does not return.
func (k *kit) within(what string, f func() error) error {
	k.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-k.ctx.Done():
		k.broken("%s has not returned after %v", what, k.Patience)
		return nil
	}
}

// until waits for a condition that some other goroutine brings about.
func (k *kit) until(what string, condition func() bool) {
	k.Helper()
	for !condition() {
		select {
		case <-time.After(time.Millisecond):
		case <-k.ctx.Done():
			k.broken("waited in vain until %s", what)
		}
	}
}

// untilBlocked waits until a write of c goes no further: what it has said has not grown for a while.
func (k *kit) untilBlocked(c *parley.Conn) {
	k.Helper()
	var last int64 = -1
	for same := 0; same < 20; same++ {
		k.until("a write has begun", func() bool { return !c.State().Saying.IsZero() })
		if said := c.State().Said; said != last {
			last, same = said, 0
		}
		<-time.After(time.Millisecond)
	}
}

// hears fails the test unless the next frame of c is want.
func (k *kit) hears(c *parley.Conn, want []byte) {
	k.Helper()
	got, err := c.Receive(k.ctx)
	k.check(fmt.Sprintf("receive a frame of %d bytes", len(want)), err)
	if !bytes.Equal(got, want) {
		k.broken("a frame was changed on its way: said %s, heard %s", brief(want), brief(got))
	}
}

func (k *kit) says(c *parley.Conn, text []byte) {
	k.Helper()
	k.check(fmt.Sprintf("send a frame of %d bytes", len(text)), c.Send(k.ctx, text))
}

// alive fails the test unless c and other can still talk, both ways, in lines.
func (k *kit) alive(c, other *parley.Conn) {
	k.Helper()
	k.says(c, []byte("are you there?"))
	k.hears(other, []byte("are you there?"))
	k.says(other, []byte("yes"))
	k.hears(c, []byte("yes"))
}

// letters returns n bytes of text that any format can carry, no two stretches alike.
func letters(n int) []byte {
	text := make([]byte, n)
	for i := range text {
		text[i] = 'a' + byte((i+i/26+i/701)%26)
	}
	return text
}

func brief(p []byte) string {
	if len(p) <= 40 {
		return fmt.Sprintf("%q", p)
	}
	return fmt.Sprintf("%q... (%d bytes)", p[:40], len(p))
}
