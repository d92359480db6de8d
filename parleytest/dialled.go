package parleytest

import (
	"errors"
	"io"
	"net"
	"slices"
	"time"

	"parley"
	"parley/frame"
)

// dialledRules are those of a scheme that is dialled only, with its other end opened by other means.
var dialledRules = slices.Concat(dialRules, frameRules, endRules, contextRules)

// dialRules are about how such conversations begin.
var dialRules = []rule{
	{"address", "both addresses of a conversation say at least which scheme it is of", (*kit).checkDialledAddress},
	{"no-listening", "listening is an *parley.Error that is errors.ErrUnsupported", (*kit).checkNoListening},
	{"unknown-param", "a param that the scheme does not know is refused by name, never ignored", (*kit).checkUnknownParam},
}

// meet returns both ends of a conversation that is dialled and opened by other means, at the same time, as each may wait for
// the other. One byte is said, so that both are known to be there.
func (k *kit) meet(f frame.Format) (caller, other *parley.Conn) {
	k.Helper()
	opened := make(chan net.Conn, 1)
	k.Cleanup(func() { awaitOther(opened) }) // after what Address has made is gone, so that nothing keeps it waiting
	address := k.Address(k.T)
	dialled := make(chan error, 1)
	go func() {
		var err error
		caller, err = k.config(f).Dial(k.ctx, address)
		dialled <- err
	}()
	go func() {
		defer close(opened)
		opened <- k.Other(k.T, address)
	}()
	k.check("dial "+address, k.within("Dial of "+address+", whose other end is being opened,", func() error { return <-dialled }))
	k.Cleanup(func() { caller.Close() })
	var nc net.Conn
	k.within("SchemeTest.Other for "+address+", which was dialled,", func() error { nc = <-opened; return nil })
	if nc == nil {
		k.broken("SchemeTest.Other opened nothing for %s", address)
	}
	other = parley.NewConn(nc, k.config(f))
	k.Cleanup(func() { other.Close() })
	_, err := caller.Write([]byte{'!'})
	k.check("write one byte", err)
	k.check("read one byte at the other end", k.within("Read of one byte at the other end", func() error {
		_, err := io.ReadFull(other, make([]byte, 1))
		return err
	}))
	return caller, other
}

// awaitOther waits for a SchemeTest.Other that has been left behind, as it may use its t no later than the test.
func awaitOther(opened <-chan net.Conn) {
	select {
	case nc := <-opened:
		if nc != nil {
			nc.Close()
		}
	case <-time.After(leakPatience):
	}
}

func (k *kit) checkDialledAddress() {
	caller, _ := k.pair(nil)
	for what, a := range map[string]net.Addr{"LocalAddr": caller.LocalAddr(), "RemoteAddr": caller.RemoteAddr()} {
		if a == nil || a.Network() == "" {
			k.broken("the %s is %v; it may be without a name, not without a network", what, a)
		}
	}
}

func (k *kit) checkNoListening() {
	address := k.Address(k.T)
	ln, err := k.config(nil).Listen(k.ctx, address)
	if err == nil {
		ln.Close()
		k.broken("listened on %s, though SchemeTest.Other says that nobody can", address)
	}
	k.named("listen", err)
	k.wants("listen on "+address, err, errors.ErrUnsupported)
}
