package sock

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// An identity is a certificate in files, signed by itself.
type identity struct {
	both, cert, key string // files: certificate and key, each alone
	pin             string
}

func newIdentity(t *testing.T) identity {
	t.Helper()
	c, err := selfSigned()
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
	dir := t.TempDir()
	id := identity{filepath.Join(dir, "both.pem"), filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), fingerprint(c.Certificate[0])}
	for file, text := range map[string][]byte{id.both: append(certPEM, keyPEM...), id.cert: certPEM, id.key: keyPEM} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return id
}

func listenTLS(t *testing.T, p Params) *tlsListener {
	t.Helper()
	ln, err := ListenTLS(soon(t), "127.0.0.1:0", p, nil, 0)
	return closes(t, ln, err).(*tlsListener)
}

// An exchange is how a conversation went, at each end.
type exchange struct {
	called, accepted *TLSConn
	callErr          error // of the dial, or of hearing the reply
	acceptErr        error // of hearing the caller, or of replying
}

// exchanges has a caller say one byte and hear one. In TLS 1.3 a listener's refusal is heard only after the dial.
func exchanges(t *testing.T, ln *tlsListener, p Params) (x exchange) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		nc, err := Accept(soon(t), ln)
		if err != nil {
			x.acceptErr = err
			return
		}
		x.accepted = nc.(*TLSConn)
		if _, x.acceptErr = io.ReadFull(nc, make([]byte, 1)); x.acceptErr == nil {
			_, x.acceptErr = nc.Write([]byte("y"))
		}
		if x.acceptErr != nil {
			nc.Close()
		}
	}()
	if x.called, x.callErr = DialTLS(soon(t), ln.Addr().String(), p, nil); x.callErr == nil {
		_, writeErr := x.called.Write([]byte("x"))
		_, readErr := io.ReadFull(x.called, make([]byte, 1))
		x.callErr = errors.Join(writeErr, readErr)
	}
	<-done
	t.Cleanup(func() {
		for _, c := range []*TLSConn{x.called, x.accepted} {
			if c != nil {
				c.Close()
			}
		}
	})
	return x
}

func (x exchange) works(t *testing.T, what string) {
	t.Helper()
	if x.callErr != nil || x.acceptErr != nil {
		t.Errorf("%s: %v; at the listener %v", what, x.callErr, x.acceptErr)
	}
}

// fails wants both ends to know that they did not talk, and the caller to hear words.
func (x exchange) fails(t *testing.T, what string, words ...string) {
	t.Helper()
	says(t, what, x.callErr, words...)
	if x.acceptErr == nil {
		t.Errorf("%s: the listener has heard the caller", what)
	}
}

// A listener without a certificate makes one, which callers know by its pin only.
func TestTLSSelfSigned(t *testing.T) {
	ln := listenTLS(t, nil)
	pin := ln.Pin()
	if !strings.HasPrefix(pin, "sha256:") || len(pin) != 7+64 {
		t.Fatalf("pin %q", pin)
	}
	bare := strings.TrimPrefix(pin, "sha256:")
	var colons []string
	for i := 0; i < len(bare); i += 2 {
		colons = append(colons, bare[i:i+2])
	}
	exchanges(t, ln, nil).fails(t, "no pin", "certificate", "if this is the certificate you expect, add pin="+pin)
	exchanges(t, ln, Params{"pin": pin}).works(t, "its pin")
	exchanges(t, ln, Params{"pin": bare}).works(t, "its pin without sha256:")
	exchanges(t, ln, Params{"pin": strings.ToUpper(strings.Join(colons, ":"))}).works(t, "its pin as openssl writes it")
	wrong := "sha256:" + strings.Repeat("0", 64)
	exchanges(t, ln, Params{"pin": wrong}).fails(t, "another pin", "has pin="+pin, "not pin="+wrong)
	exchanges(t, ln, Params{"insecure": ""}).works(t, "insecure")
	exchanges(t, ln, Params{"insecure": "", "pin": wrong}).fails(t, "insecure and another pin", "not pin="+wrong)
	if other := listenTLS(t, nil); other.Pin() == pin {
		t.Error("two listeners have one certificate")
	}
}

func TestTLSPinMistakes(t *testing.T) {
	for _, pin := range []string{"", "sha256:", "abc", "sha1:" + strings.Repeat("0", 64), strings.Repeat("g", 64)} {
		_, err := DialTLS(soon(t), "7070", Params{"pin": pin}, nil)
		says(t, "dial", err, "param pin="+pin, "64 hexadecimal digits")
		_, err = ListenTLS(soon(t), "0", Params{"pin": pin}, nil, 0)
		says(t, "listen", err, "param pin="+pin, "64 hexadecimal digits")
	}
}

func TestTLSCertificates(t *testing.T) {
	id, stranger := newIdentity(t), newIdentity(t)
	for what, p := range map[string]Params{
		"one file":  {"cert": id.both},
		"two files": {"cert": id.cert, "key": id.key},
	} {
		ln := listenTLS(t, p)
		if ln.Pin() != "" {
			t.Errorf("%s: it was given a certificate, and announces pin %s", what, ln.Pin())
		}
		exchanges(t, ln, Params{"ca": id.cert}).works(t, what+", trusted")
		exchanges(t, ln, Params{"pin": id.pin}).works(t, what+", pinned")
		exchanges(t, ln, nil).fails(t, what+", not trusted", "certificate", "add pin="+id.pin)
		exchanges(t, ln, Params{"ca": stranger.cert}).fails(t, what+", another trusted", "certificate")
		exchanges(t, ln, Params{"ca": id.cert, "servername": "localhost"}).works(t, what+", by its name")
		exchanges(t, ln, Params{"ca": id.cert, "servername": "example.org"}).fails(t, what+", by another name", "example.org")
	}
	for what, test := range map[string]struct {
		p    Params
		says []string
	}{
		"no such file":     {Params{"cert": "/no/such"}, []string{"params cert=/no/such", "no such file"}},
		"a key of another": {Params{"cert": id.cert, "key": stranger.key}, []string{"params cert=", "private key does not match"}},
		"no such ca":       {Params{"ca": "/no/such"}, []string{"param ca", "no such file"}},
		"no ca":            {Params{"ca": id.key}, []string{"param ca=" + id.key, "no PEM certificate"}},
	} {
		_, err := DialTLS(soon(t), "7070", test.p, nil)
		says(t, "dial: "+what, err, test.says...)
		_, err = ListenTLS(soon(t), "0", test.p, nil, 0)
		says(t, "listen: "+what, err, test.says...)
	}
}

// A listener with ca or pin demands a certificate of its callers.
func TestTLSCallersCertificate(t *testing.T) {
	id, caller, stranger := newIdentity(t), newIdentity(t), newIdentity(t)
	for what, p := range map[string]Params{
		"ca":  {"cert": id.both, "ca": caller.cert},
		"pin": {"cert": id.both, "pin": caller.pin},
	} {
		ln := listenTLS(t, p)
		with := func(cert string) Params { return Params{"ca": id.cert, "cert": cert} }
		exchanges(t, ln, with(caller.both)).works(t, what+": the caller's certificate")
		exchanges(t, ln, with(stranger.both)).fails(t, what+": another certificate", "remote error", "certificate")
		exchanges(t, ln, Params{"ca": id.cert}).fails(t, what+": no certificate", "remote error", "certificate")
	}
}

// A certificate that was asked for is shown, also to a listener that names other authorities: it must be able to refuse it.
func TestTLSCertificateIsAlwaysShown(t *testing.T) {
	id := newIdentity(t)
	tc, err := Params{"cert": id.both}.clientTLS(t.Context(), "localhost:1", nil)
	if err != nil {
		t.Fatal(err)
	}
	strangers := &tls.CertificateRequestInfo{AcceptableCAs: [][]byte{[]byte("another authority")}, Version: tls.VersionTLS13}
	if tc.GetClientCertificate == nil {
		t.Fatal("crypto/tls decides whether to show the certificate")
	}
	if cert, err := tc.GetClientCertificate(strangers); err != nil || fingerprint(cert.Certificate[0]) != id.pin {
		t.Errorf("shown: %v, %v, want the certificate of cert=", cert, err)
	}
}

func TestTLSALPN(t *testing.T) {
	ln := listenTLS(t, Params{"alpn": "h2,http/1.1"})
	for offered, want := range map[string]string{"http/1.1": "http/1.1", "h2,http/1.1": "h2", "http/1.1,h2": "h2"} {
		x := exchanges(t, ln, Params{"insecure": "", "alpn": offered})
		x.works(t, offered)
		if got := x.called.ConnectionState().NegotiatedProtocol; got != want {
			t.Errorf("offered %s: %q, want %q", offered, got, want)
		}
	}
	exchanges(t, ln, Params{"insecure": "", "alpn": "gopher"}).fails(t, "nothing in common", "no application protocol")
}

// A Config's own settings are the base, and are not changed.
func TestTLSBase(t *testing.T) {
	base := &tls.Config{InsecureSkipVerify: true}
	ln := listenTLS(t, nil)
	accepted := make(chan error, 1)
	go func() {
		nc, err := ln.Accept()
		if err == nil {
			_, err = nc.Read(make([]byte, 1))
			nc.Close()
		}
		accepted <- err
	}()
	c, err := DialTLS(soon(t), ln.Addr().String(), Params{"servername": "x", "alpn": "y"}, base)
	closes(t, c, err)
	if _, err := c.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if err := <-accepted; err != nil {
		t.Error(err)
	}
	if base.ServerName != "" || base.NextProtos != nil || base.VerifyConnection != nil {
		t.Errorf("changed: %+v", base)
	}
}

// An end without close_notify may be somebody's who has cut the line.
func TestTLSCut(t *testing.T) {
	ln := listenTLS(t, nil)
	for end, want := range map[string]error{"said": io.EOF, "cut": io.ErrUnexpectedEOF} {
		x := exchanges(t, ln, Params{"insecure": ""})
		x.works(t, end)
		if end == "said" {
			if err := x.called.CloseWrite(); err != nil {
				t.Error(err)
			}
		} else {
			x.called.Below().(*net.TCPConn).CloseWrite()
		}
		if _, err := x.accepted.Read(make([]byte, 1)); err != want {
			t.Errorf("an end that was %s is %v, want %v", end, err, want)
		}
	}
}

// Who does not speak TLS is told from who ends it.
func TestTLSHandshakeFails(t *testing.T) {
	for what, test := range map[string]struct {
		said, says string
	}{
		"ends at once": {"", "the other end has ended before TLS began"},
		"speaks HTTP":  {"GET / HTTP/1.0\r\n\r\n", "does not look like a TLS handshake"},
	} {
		ln := listenTLS(t, nil)
		raw := dialTCP(t, ln.Addr().String(), nil)
		if _, err := raw.Write([]byte(test.said)); err != nil {
			t.Fatal(err)
		}
		raw.CloseWrite()
		accepted := accept(t, ln)
		for range 2 {
			_, err := accepted.Read(make([]byte, 1))
			says(t, what, err, test.says)
		}
		_, err := accepted.Write([]byte("x"))
		says(t, what+", and is written to", err, test.says)
	}
	plain := listenTCP(t, "127.0.0.1:0", nil)
	go func() {
		if nc, err := plain.Accept(); err == nil {
			nc.Close()
		}
	}()
	if c, err := DialTLS(soon(t), plain.Addr().String(), nil, nil); err == nil {
		t.Errorf("a handshake with nobody: %v", c)
	}
}

// A silent caller keeps its place for as long as the listener allows.
func TestTLSHandshakeTimeout(t *testing.T) {
	ln, err := ListenTLS(soon(t), "127.0.0.1:0", nil, nil, time.Millisecond)
	closes(t, ln, err)
	dialTCP(t, ln.Addr().String(), nil)
	accepted := accept(t, ln)
	_, err = accepted.Read(make([]byte, 1))
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("a handshake that does not come: %v", err)
	}
}
