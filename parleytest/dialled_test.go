package parleytest_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/parleytest"
)

// dialledOnly is a scheme that is dialled only, as a command's is. Its other end is opened by other means, here by a listener of
// package net.
func dialledOnly(change func(*parley.Scheme)) parleytest.SchemeTest {
	dial := func(ctx context.Context, a parley.Addr, _ *parley.Config) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", a.Target)
	}
	s := parley.Scheme{Name: "dialled", Dial: dial}
	if change != nil {
		change(&s)
	}
	var listening net.Listener
	return parleytest.SchemeTest{
		Config: &parley.Config{Schemes: []parley.Scheme{s}},
		Address: func(t *testing.T) string {
			var err error
			if listening, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { listening.Close() })
			return "dialled:" + listening.Addr().String()
		},
		Other: func(t *testing.T, _ string) net.Conn {
			nc, err := listening.Accept()
			if err != nil {
				t.Error(err)
				return nil
			}
			return nc
		},
	}
}

func TestDialledScheme(t *testing.T) {
	parleytest.TestScheme(t, dialledOnly(nil))
}

// dialledFaults are schemes that each break one rule of those that are dialled only.
var dialledFaults = map[string]struct {
	change func(*parley.Scheme)
	rule   string // that must fail
	says   string // what the kit must say
}{
	"listens": {
		change: func(s *parley.Scheme) {
			s.Listen = func(context.Context, parley.Addr, *parley.Config) (net.Listener, error) {
				return net.Listen("tcp", "127.0.0.1:0")
			}
		},
		rule: "no-listening", says: "that nobody can",
	},
	"cannot-be-dialled": {
		change: func(s *parley.Scheme) { s.Dial = nil },
		rule:   "address", says: "cannot be called",
	},
	"nameless": {
		change: func(s *parley.Scheme) {
			dial := s.Dial
			s.Dial = func(ctx context.Context, a parley.Addr, cfg *parley.Config) (net.Conn, error) {
				nc, err := dial(ctx, a, cfg)
				if err != nil {
					return nil, err
				}
				return nameless{full(nc)}, nil
			}
		},
		rule: "address", says: "RemoteAddr is <nil>",
	},
}

const dialledFaultVariable = "PARLEYTEST_DIALLED_FAULT"

// TestFaultyDialledScheme is run by TestKitFindsDialledFaults in a process of its own, because it must fail.
func TestFaultyDialledScheme(t *testing.T) {
	name := os.Getenv(dialledFaultVariable)
	if name == "" {
		t.Skip("for TestKitFindsDialledFaults")
	}
	s := dialledOnly(dialledFaults[name].change)
	s.Patience = 2 * time.Second
	parleytest.TestScheme(t, s)
}

func TestKitFindsDialledFaults(t *testing.T) {
	for name, fault := range dialledFaults {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=TestFaultyDialledScheme/"+fault.rule+"$")
			cmd.Env = append(os.Environ(), dialledFaultVariable+"="+name)
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Fatalf("the kit found nothing:\n%s", out)
			}
			for _, want := range []string{"--- FAIL: TestFaultyDialledScheme/" + fault.rule + " ", fault.says} {
				if !strings.Contains(string(out), want) {
					t.Errorf("the kit did not say %q:\n%s", want, out)
				}
			}
		})
	}
}
