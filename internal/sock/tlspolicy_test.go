package sock

import (
	"crypto/tls"
	"errors"
	"strings"
	"testing"
)

// A switch says what its value says, not that it is there.
func TestTLSInsecureSwitch(t *testing.T) {
	ln := listenTLS(t, nil)
	for _, no := range []string{"no", "false", "off", "0", "NO"} {
		exchanges(t, ln, Params{"insecure": no}).fails(t, "insecure="+no, "certificate")
	}
	for _, yes := range []string{"", "yes", "true", "1"} {
		exchanges(t, ln, Params{"insecure": yes}).works(t, "insecure="+yes)
	}
	_, err := DialTLS(soon(t), "7070", Params{"insecure": "maybe"}, nil)
	says(t, "insecure=maybe", err, "param insecure=maybe", "yes or no")
}

// A pin does not take the place of what the program itself verifies.
func TestTLSPinKeepsTheProgramsPolicy(t *testing.T) {
	id := newIdentity(t)
	refusal := errors.New("not on a Friday")
	base := &tls.Config{VerifyConnection: func(tls.ConnectionState) error { return refusal }}
	for pin, want := range map[string]string{id.pin: refusal.Error(), strings.Repeat("0", 64): "not pin="} {
		ln := listenTLS(t, Params{"cert": id.both})
		go func() {
			if nc, err := ln.Accept(); err == nil {
				_, _ = nc.Read(make([]byte, 1))
				nc.Close()
			}
		}()
		c, err := DialTLS(soon(t), ln.Addr().String(), Params{"pin": pin}, base)
		if err == nil {
			c.Close()
		}
		says(t, "pin="+pin, err, want)
	}
}

// A listener with ca and pin demands what both do; a pin does not lower what the program demands.
func TestTLSListenerWithCAAndPin(t *testing.T) {
	id, caller, authority := newIdentity(t), newIdentity(t), newIdentity(t)
	as := Params{"ca": id.cert, "cert": caller.both}
	both := listenTLS(t, Params{"cert": id.both, "ca": authority.cert, "pin": caller.pin})
	exchanges(t, both, as).fails(t, "pinned, but not of the authority", "remote error", "certificate")
	both = listenTLS(t, Params{"cert": id.both, "ca": caller.cert, "pin": authority.pin})
	exchanges(t, both, as).fails(t, "of the authority, but not pinned", "remote error", "certificate")
	both = listenTLS(t, Params{"cert": id.both, "ca": caller.cert, "pin": caller.pin})
	exchanges(t, both, as).works(t, "pinned, and of the authority")

	pool, err := certPool(authority.cert)
	if err != nil {
		t.Fatal(err)
	}
	base := &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
	ln, err := ListenTLS(soon(t), "127.0.0.1:0", Params{"cert": id.both, "pin": caller.pin}, base, 0)
	closes(t, ln, err)
	exchanges(t, ln.(*tlsListener), as).fails(t, "the program's authority", "remote error", "certificate")
}
