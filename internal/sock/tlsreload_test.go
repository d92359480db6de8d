package sock

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// replace makes a file what another is now.
func replace(t *testing.T, file, by string) {
	t.Helper()
	text, err := os.ReadFile(by)
	if err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func reload(t *testing.T, ln *tlsListener) {
	t.Helper()
	if err := ln.Reload(); err != nil {
		t.Fatal(err)
	}
}

// A certificate that was renewed is shown once the listener is told of it.
func TestTLSReloadCertificate(t *testing.T) {
	old, renewed := newIdentity(t), newIdentity(t)
	cert, key := filepath.Join(t.TempDir(), "cert"), filepath.Join(t.TempDir(), "key")
	replace(t, cert, old.cert)
	replace(t, key, old.key)
	ln := listenTLS(t, Params{"cert": cert, "key": key, "alpn": "x"})
	exchanges(t, ln, Params{"pin": old.pin}).works(t, "the first certificate")
	replace(t, cert, renewed.cert)
	says(t, "the key of another", ln.Reload(), "cert="+cert, "key="+key, "private key does not match")
	exchanges(t, ln, Params{"pin": old.pin}).works(t, "half a renewal")
	replace(t, key, renewed.key)
	exchanges(t, ln, Params{"pin": old.pin}).works(t, "nobody has told the listener")
	reload(t, ln)
	exchanges(t, ln, Params{"pin": renewed.pin}).works(t, "renewed")
	exchanges(t, ln, Params{"pin": old.pin}).fails(t, "the old one", "has pin="+renewed.pin)
	if x := exchanges(t, ln, Params{"pin": renewed.pin, "alpn": "x"}); x.called.ConnectionState().NegotiatedProtocol != "x" {
		t.Error("the params other than files are forgotten")
	}
	os.Remove(cert)
	says(t, "no file", ln.Reload(), "cert="+cert, "no such file")
	exchanges(t, ln, Params{"pin": renewed.pin}).works(t, "the file is gone")
}

// Who was accepted before a reload and shakes hands after it gets what is valid then.
func TestTLSReloadBeforeTheHandshake(t *testing.T) {
	old, renewed := newIdentity(t), newIdentity(t)
	file := filepath.Join(t.TempDir(), "both")
	replace(t, file, old.both)
	ln := listenTLS(t, Params{"cert": file})
	raw := dialTCP(t, ln.Addr().String(), nil)
	accepted := accept(t, ln)
	replace(t, file, renewed.both)
	reload(t, ln)
	heard := make(chan error, 1)
	go func() { _, err := accepted.Read(make([]byte, 1)); heard <- err }()
	tc := tls.Client(raw, &tls.Config{InsecureSkipVerify: true})
	if _, err := tc.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := <-heard; err != nil {
		t.Error(err)
	}
	if got := fingerprint(tc.ConnectionState().PeerCertificates[0].Raw); got != renewed.pin {
		t.Errorf("the certificate shown has pin %s, want %s", got, renewed.pin)
	}
}

// A new ca binds those too who have spoken to the listener before, and remember it.
func TestTLSReloadAuthority(t *testing.T) {
	id, first, second := newIdentity(t), newIdentity(t), newIdentity(t)
	ca := filepath.Join(t.TempDir(), "ca")
	replace(t, ca, first.cert)
	ln := listenTLS(t, Params{"cert": id.both, "ca": ca})
	with := func(cert string) Params { return Params{"ca": id.cert, "cert": cert} }
	exchanges(t, ln, with(first.both)).works(t, "the first authority")
	resuming := &tls.Config{ClientSessionCache: tls.NewLRUClientSessionCache(4)}
	for _, resumed := range []bool{false, true} {
		if x := exchangesAs(t, ln, with(first.both), resuming); x.callErr != nil || x.called.ConnectionState().DidResume != resumed {
			t.Errorf("before: %v, resumed is not %v", x.callErr, resumed)
		}
	}
	replace(t, ca, id.key)
	says(t, "no certificate in it", ln.Reload(), "param ca="+ca, "no PEM certificate")
	exchanges(t, ln, with(first.both)).works(t, "the first authority still")
	replace(t, ca, second.cert)
	reload(t, ln)
	exchanges(t, ln, with(second.both)).works(t, "the second authority")
	exchanges(t, ln, with(first.both)).fails(t, "the first authority", "remote error", "certificate")
	exchangesAs(t, ln, with(first.both), resuming).fails(t, "resumed", "remote error", "certificate")
}

// exchangesAs is exchanges of a program with TLS settings of its own.
func exchangesAs(t *testing.T, ln *tlsListener, p Params, base *tls.Config) (x exchange) {
	t.Helper()
	accepted := make(chan error, 1)
	go func() {
		nc, err := Accept(soon(t), ln)
		if err == nil {
			defer nc.Close()
			if _, err = nc.Read(make([]byte, 1)); err == nil {
				_, err = nc.Write([]byte("y"))
			}
		}
		accepted <- err
	}()
	if x.called, x.callErr = DialTLS(soon(t), ln.Addr().String(), p, base); x.callErr == nil {
		defer x.called.Close()
		if _, x.callErr = x.called.Write([]byte("x")); x.callErr == nil {
			_, x.callErr = x.called.Read(make([]byte, 1))
		}
	}
	x.acceptErr = <-accepted
	return x
}

// Without files there is nothing to read: the pin that was announced stays, with a ca of callers too.
func TestTLSReloadWithoutFiles(t *testing.T) {
	caller := newIdentity(t)
	for _, p := range []Params{nil, {"ca": caller.cert}} {
		ln := listenTLS(t, p)
		pin := ln.Pin()
		reload(t, ln)
		if ln.Pin() != pin || pin == "" {
			t.Errorf("%v: the pin was %s and is %s", p, pin, ln.Pin())
		}
		exchanges(t, ln, Params{"pin": pin, "cert": caller.both}).works(t, "its pin")
	}
	ln := listenTLS(t, nil)
	before := ln.config.Load()
	if reload(t, ln); ln.config.Load() != before {
		t.Error("without files a reload does something")
	}
}

// A program's own choice for a caller comes before what is reloaded, and its Config may change meanwhile.
func TestTLSReloadKeepsTheProgramsChoice(t *testing.T) {
	id := newIdentity(t)
	chosen, err := selfSigned()
	if err != nil {
		t.Fatal(err)
	}
	base := &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return &tls.Config{Certificates: []tls.Certificate{chosen}}, nil
	}}
	nl, err := ListenTLS(soon(t), "127.0.0.1:0", Params{"cert": id.both}, base, 0)
	ln := closes(t, nl, err).(*tlsListener)
	base.GetConfigForClient = nil
	for range 2 {
		exchanges(t, ln, Params{"pin": fingerprint(chosen.Certificate[0])}).works(t, "the program's choice")
		reload(t, ln)
	}
}

// Reloads and handshakes at once: for the race detector, and nobody is refused.
func TestTLSReloadMeanwhile(t *testing.T) {
	id := newIdentity(t)
	ln := listenTLS(t, Params{"cert": id.both})
	var all sync.WaitGroup
	all.Go(func() {
		for range 20 {
			if err := ln.Reload(); err != nil {
				t.Error(err)
			}
		}
	})
	for range 20 {
		if x := exchangesAs(t, ln, Params{"pin": id.pin}, nil); x.callErr != nil || x.acceptErr != nil {
			t.Error(x.callErr, x.acceptErr)
		}
	}
	all.Wait()
}
