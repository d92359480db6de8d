package parleytest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/parleytest"
)

// faults are schemes that each break one rule; the kit must find them, and name the rule. Each is made of mem, by a change
// to the conversations dialled or to the listener.
var faults = map[string]struct {
	dialled   func(net.Conn) net.Conn
	listening func(net.Listener) net.Listener
	rule      string // that must fail
	says      string // what the kit must say
}{
	"half-close-closes-both": {
		dialled: func(nc net.Conn) net.Conn { return closesBoth{full(nc)} },
		rule:    "half-close", says: "the other direction goes on",
	},
	"no-half-close-unannounced": {
		dialled: func(nc net.Conn) net.Conn { return struct{ net.Conn }{nc} },
		rule:    "half-close", says: "no half-close",
	},
	"end-as-error": {
		dialled: func(nc net.Conn) net.Conn { return endsBadly{full(nc)} },
		rule:    "half-close", says: "want EOF",
	},
	"loses-a-byte": {
		dialled: func(nc net.Conn) net.Conn { return &loses{fullConn: full(nc)} },
		rule:    "bytes", says: "what is written is what is read",
	},
	"own-words-for-closed": {
		dialled: func(nc net.Conn) net.Conn { return ownWords{full(nc)} },
		rule:    "closed", says: "want use of closed network connection",
	},
	"deaf-to-deadlines": {
		dialled: func(nc net.Conn) net.Conn { return noDeadlines{full(nc)} },
		rule:    "deadlines", says: "deadline",
	},
	"nameless": {
		dialled: func(nc net.Conn) net.Conn { return nameless{full(nc)} },
		rule:    "address", says: "RemoteAddr is <nil>",
	},
	"leak": {
		dialled: func(nc net.Conn) net.Conn { go func() { select {} }(); return nc },
		rule:    "address", says: "every goroutine needs an owner",
	},
	"listener-without-deadline": {
		listening: func(nl net.Listener) net.Listener { return struct{ net.Listener }{nl} },
		rule:      "accept-cancel", says: "has not returned",
	},
	"own-words-for-closed-listener": {
		listening: func(nl net.Listener) net.Listener { return ownWordsListener{nl} },
		rule:      "accept-close", says: "want use of closed network connection",
	},
}

// fullConn is all that mem's conversations can do.
type fullConn interface {
	net.Conn
	CloseWrite() error
}

func full(nc net.Conn) fullConn { return nc.(fullConn) }

type closesBoth struct{ fullConn }

func (c closesBoth) CloseWrite() error { return c.Close() }

type endsBadly struct{ fullConn }

func (c endsBadly) Read(p []byte) (int, error) {
	n, err := c.fullConn.Read(p)
	if err == io.EOF {
		err = errors.New("the other end has gone")
	}
	return n, err
}

type loses struct {
	fullConn
	said int
}

func (c *loses) Write(p []byte) (int, error) {
	c.said += len(p)
	if c.said < 1000 || len(p) < 2 {
		return c.fullConn.Write(p)
	}
	n, err := c.fullConn.Write(append([]byte{'?'}, p[1:]...))
	return n, err
}

type ownWords struct{ fullConn }

func (c ownWords) Read(p []byte) (int, error) {
	n, err := c.fullConn.Read(p)
	if errors.Is(err, net.ErrClosed) {
		err = errors.New("I was closed")
	}
	return n, err
}

type noDeadlines struct{ fullConn }

func (noDeadlines) SetReadDeadline(time.Time) error  { return errors.New("no deadlines here") }
func (noDeadlines) SetDeadline(time.Time) error      { return errors.New("no deadlines here") }
func (noDeadlines) SetWriteDeadline(time.Time) error { return errors.New("no deadlines here") }

type nameless struct{ fullConn }

func (nameless) RemoteAddr() net.Addr { return nil }

type ownWordsListener struct{ net.Listener }

func (l ownWordsListener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		err = errors.New("I was closed")
	}
	return nc, err
}

func faulty(name string) *parley.Config {
	fault := faults[name]
	s := new(parleytest.Network).Scheme()
	dial, listen := s.Dial, s.Listen
	s.Dial = func(ctx context.Context, a parley.Addr, cfg *parley.Config) (net.Conn, error) {
		nc, err := dial(ctx, a, cfg)
		if err == nil && fault.dialled != nil {
			nc = fault.dialled(nc)
		}
		return nc, err
	}
	s.Listen = func(ctx context.Context, a parley.Addr, cfg *parley.Config) (net.Listener, error) {
		nl, err := listen(ctx, a, cfg)
		if err == nil && fault.listening != nil {
			nl = fault.listening(nl)
		}
		return nl, err
	}
	return &parley.Config{Schemes: []parley.Scheme{s}}
}

const faultVariable = "PARLEYTEST_FAULT"

// TestFaultyScheme is run by TestKitFindsFaults in a process of its own, because it must fail.
func TestFaultyScheme(t *testing.T) {
	name := os.Getenv(faultVariable)
	if name == "" {
		t.Skip("for TestKitFindsFaults")
	}
	parleytest.TestScheme(t, parleytest.SchemeTest{Config: faulty(name), Address: always("mem:"), Patience: 2 * time.Second})
}

func TestKitFindsFaults(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Skip(err)
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), self, "-test.run=TestFaultyScheme/"+fault.rule+"$")
			cmd.Env = append(os.Environ(), faultVariable+"="+name)
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Fatalf("the kit found nothing:\n%s", out)
			}
			for _, want := range []string{"--- FAIL: TestFaultyScheme/" + fault.rule + " ", fault.says} {
				if !strings.Contains(string(out), want) {
					t.Errorf("the kit did not say %q:\n%s", want, out)
				}
			}
		})
	}
}
