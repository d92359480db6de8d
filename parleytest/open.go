package parleytest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"parley"
)

// openRules are about how conversations begin.
var openRules = []rule{
	{"address", "an address with a free place listens there, Address says what to dial, and both ends name the same places", (*kit).checkAddress},
	{"taken", "listening where somebody listens already is an *parley.Error, not a second listener that takes half of the callers", (*kit).checkTaken},
	{"nobody", "dialling where nobody listens is an *parley.Error that names the address, and soon", (*kit).checkNobody},
	{"unknown-param", "a param that the scheme does not know is refused by name, never ignored", (*kit).checkUnknownParam},
	{"many-callers", "many callers at once each have a conversation of their own, and do not hear each other's replies", (*kit).checkManyCallers},
	{"accept-cancel", "a context that ends Conns leaves the listener as it was", (*kit).checkAcceptCancel},
	{"accept-close", "Close of a listener ends a waiting Accept with net.ErrClosed, and leaves conversations alone", (*kit).checkAcceptClose},
}

func (k *kit) checkAddress() {
	ln := k.listen(nil)
	if ln.Addr() == nil || ln.Addr().Network() == "" || ln.Addr().String() == "" {
		k.broken("Listener.Addr is %v, which says not where", ln.Addr())
	}
	caller, accepted := k.call(ln, nil)
	for what, a := range map[string]net.Addr{
		"caller's LocalAddr": caller.LocalAddr(), "caller's RemoteAddr": caller.RemoteAddr(),
		"accepted end's LocalAddr": accepted.LocalAddr(), "accepted end's RemoteAddr": accepted.RemoteAddr(),
	} {
		if a == nil || a.Network() == "" {
			k.broken("the %s is %v; it may be without a name, not without a network", what, a)
		}
	}
	if k.NoAddrs != "" {
		return
	}
	if a, b := caller.RemoteAddr().String(), accepted.LocalAddr().String(); a != b {
		k.broken("the caller says it has called %s, the accepted end says it is %s", a, b)
	}
	if a, b := caller.LocalAddr().String(), accepted.RemoteAddr().String(); a != b {
		k.broken("the caller says it is %s, the accepted end says it was called by %s", a, b)
	}
}

func (k *kit) checkTaken() {
	ln := k.listen(nil)
	second, err := k.config(nil).Listen(k.ctx, ln.Address())
	if err == nil {
		second.Close()
		k.broken("listened twice on %s", ln.Address())
	}
	k.named("listen", err)
}

// named fails the test unless err is an *parley.Error of that operation.
func (k *kit) named(op string, err error) {
	k.Helper()
	var e *parley.Error
	if !errors.As(err, &e) {
		k.broken("%s failed with a %T, want an *parley.Error: %v", op, err, err)
	}
	if e.Op != op || e.Addr == "" {
		k.broken("%s failed with the operation %q and the address %q: %v", op, e.Op, e.Addr, err)
	}
}

func (k *kit) checkNobody() {
	ln := k.listen(nil)
	address := k.callTo(ln.Address())
	ln.Close()
	if k.NoRefusal != "" {
		k.Skip(k.NoRefusal)
	}
	var err error
	k.within("Dial where nobody listens", func() error {
		var c *parley.Conn
		if c, err = k.config(nil).Dial(k.ctx, address); err == nil {
			c.Close()
		}
		return nil
	})
	if err == nil {
		k.broken("dialled %s, where nobody listens any more", address)
	}
	k.named("dial", err)
}

func (k *kit) checkUnknownParam() {
	address := k.Address(k.T)
	sep := "?"
	if strings.Contains(address, "?") {
		sep = "&"
	}
	address += sep + "no-such-param=1"
	var errs []error
	if k.Packets {
		pc, err := k.config(nil).ListenPacket(k.ctx, address)
		if err == nil {
			pc.Close()
		}
		errs = append(errs, err)
	} else {
		ln, err := k.config(nil).Listen(k.ctx, address)
		if err == nil {
			ln.Close()
		}
		errs = append(errs, err)
	}
	c, err := k.config(nil).Dial(k.ctx, address)
	if err == nil {
		c.Close()
	}
	for _, err := range append(errs, err) {
		if err == nil || !strings.Contains(err.Error(), "no-such-param") {
			k.broken("opening %s: got the error %v, want one that quotes no-such-param", address, err)
		}
	}
}

const callers, questions = 30, 20

func (k *kit) checkManyCallers() {
	ln := k.listen(nil)
	ctx, stop := context.WithCancel(k.ctx)
	served := make(chan error, 1)
	go func() { served <- (&parley.Server{Handler: echo}).Serve(ctx, ln) }()
	failures := make(chan error, callers)
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() { failures <- k.askMany(ln, i) })
	}
	all.Wait()
	stop()
	for range callers {
		k.check("one of many callers", <-failures)
	}
	k.check("serve", k.within("Serve after its context ended", func() error { return <-served }))
}

func (k *kit) askMany(ln *parley.Listener, caller int) error {
	c, err := k.config(nil).Dial(k.ctx, k.callTo(ln.Address()))
	if err != nil {
		return err
	}
	defer c.Close()
	for q := range questions {
		question := fmt.Sprintf("question %d of caller %d", q, caller)
		reply, err := c.Ask(k.ctx, []byte(question))
		if err != nil {
			return err
		}
		if string(reply) != question {
			return fmt.Errorf("asked %q and heard %q, which was for another", question, reply)
		}
	}
	return nil
}

func echo(ctx context.Context, c *parley.Conn) error {
	for f, err := range c.Frames(ctx) {
		if err != nil {
			return err
		}
		if err := f.Reply(ctx, f.Data); err != nil {
			return err
		}
	}
	return nil
}

func (k *kit) checkAcceptCancel() {
	ln := k.listen(nil)
	ctx, cancel := context.WithTimeout(k.ctx, 20*time.Millisecond) // long enough for Accept to wait by then
	defer cancel()
	err := k.within("Conns of a context that has ended", func() error {
		for c, err := range ln.Conns(ctx) {
			if err != nil {
				return err
			}
			c.Close()
			return errors.New("accepted somebody, though nobody called")
		}
		return nil
	})
	k.check("wait for callers until the context ends", err)
	k.alive(k.call(ln, nil))
}

func (k *kit) checkAcceptClose() {
	ln := k.listen(nil)
	caller, accepted := k.call(ln, nil)
	waiting := make(chan error, 1)
	go func() {
		_, err := ln.Accept()
		waiting <- err
	}()
	k.check("close the listener", ln.Close())
	k.wants("Accept during Close", k.within("Accept of a closed listener", func() error { return <-waiting }), net.ErrClosed)
	_, err := ln.Accept()
	k.wants("Accept after Close", err, net.ErrClosed)
	k.alive(caller, accepted)
}
