package sock

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// DialTLS calls target and does the handshake. base may be nil and is not changed.
func DialTLS(ctx context.Context, target string, p Params, base *tls.Config) (*TLSConn, error) {
	tc, err := p.clientTLS(ctx, target, base)
	if err != nil {
		return nil, err
	}
	nc, err := DialTCP(ctx, "tcp", target, p)
	if err != nil {
		return nil, err
	}
	c := newTLSConn(nc, tc, tls.Client)
	c.begin.Do(func() { c.shake(ctx) })
	if c.handshakeErr != nil {
		c.Close()
		return nil, explainTLS(c.handshakeErr)
	}
	return c, nil
}

// explainTLS adds what can be done about a certificate that is not trusted.
func explainTLS(err error) error {
	var verify *tls.CertificateVerificationError
	if errors.As(err, &verify) && len(verify.UnverifiedCertificates) > 0 {
		return fmt.Errorf("%w; if this is the certificate you expect, add pin=%s", err, fingerprint(verify.UnverifiedCertificates[0].Raw))
	}
	return err
}

// clientTLS is base with what the params say.
func (p Params) clientTLS(ctx context.Context, target string, base *tls.Config) (*tls.Config, error) {
	tc, err := p.bothTLS(base)
	if err != nil {
		return nil, err
	}
	if tc.ServerName == "" {
		hp, err := parseHostPort(ctx, "tcp", target)
		if err != nil {
			return nil, err
		}
		tc.ServerName = hp.host
		if hp.kind != named {
			tc.ServerName = "localhost"
		}
	}
	if file, ok := p["ca"]; ok {
		if tc.RootCAs, err = certPool(file); err != nil {
			return nil, err
		}
	}
	if text, ok := p["insecure"]; ok {
		yes, err := number("insecure", text)
		if err != nil {
			return nil, err
		}
		tc.InsecureSkipVerify = yes != 0
	}
	if len(tc.Certificates) == 1 && p["cert"] != "" {
		// Without this crypto/tls shows none at all where the listener's authorities did not sign it, and nobody learns why.
		tc.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &tc.Certificates[0], nil }
	}
	return tc, p.pin(tc)
}

// bothTLS is what both ends share.
func (p Params) bothTLS(base *tls.Config) (*tls.Config, error) {
	tc := &tls.Config{MinVersion: tls.VersionTLS12}
	if base != nil {
		tc = base.Clone()
	}
	if name, ok := p["servername"]; ok {
		tc.ServerName = name
	}
	if names, ok := p["alpn"]; ok {
		tc.NextProtos = strings.Split(names, ",")
	}
	cert, ok := p["cert"]
	if !ok {
		return tc, nil
	}
	key, ok := p["key"]
	if !ok {
		key = cert
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("params cert=%s key=%s: %w", cert, key, err)
	}
	tc.Certificates = []tls.Certificate{pair}
	return tc, nil
}

func certPool(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("param ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, Mistake("param ca=%s: no PEM certificate in it", file)
	}
	return pool, nil
}

// pin makes tc trust one certificate, whoever has signed it. What the program itself wants to verify, it still does.
func (p Params) pin(tc *tls.Config) error {
	want, ok := p["pin"]
	if !ok {
		return nil
	}
	want = strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(want, "sha256:"), ":", ""))
	if len(want) != 64 || strings.Trim(want, "0123456789abcdef") != "" {
		return Mistake("param pin=%s: not sha256: and 64 hexadecimal digits", p["pin"])
	}
	tc.InsecureSkipVerify = true // the pin is stricter
	also := tc.VerifyConnection
	tc.VerifyConnection = func(cs tls.ConnectionState) error {
		if len(cs.PeerCertificates) == 0 {
			return errors.New("the other end shows no certificate to compare with the pin")
		}
		if got := fingerprint(cs.PeerCertificates[0].Raw); got != "sha256:"+want {
			return fmt.Errorf("the other end's certificate has pin=%s, not pin=sha256:%s", got, want)
		}
		if also != nil {
			return also(cs)
		}
		return nil
	}
	return nil
}

// A tlsListener makes TLS conversations of TCP callers. The handshake happens in the first read or write, so a silent
// caller keeps nobody else waiting.
type tlsListener struct {
	net.Listener
	params  Params
	base    *tls.Config // what the program says; nil, or ours
	timeout time.Duration
	made    []tls.Certificate // the one made for the occasion, if none was given
	config  atomic.Pointer[tls.Config]
}

// ListenTLS listens on target. Each handshake may take timeout: 0 means [HandshakePatience], negative no limit. base may
// be nil and is not changed.
func ListenTLS(ctx context.Context, target string, p Params, base *tls.Config, timeout time.Duration) (net.Listener, error) {
	l := &tlsListener{params: p, base: base.Clone(), timeout: timeout}
	if err := l.load(); err != nil {
		return nil, err
	}
	var err error
	l.Listener, err = ListenTCP(ctx, "tcp", target, p)
	return l, err
}

// Reload reads the files that the address names, by cert, key and ca, again. Handshakes from then on use them. If one cannot
// be read, or a key is not that of its certificate, all stays as it was. Without files it does nothing.
func (l *tlsListener) Reload() error {
	if l.params["cert"] == "" && l.params["ca"] == "" {
		return nil
	}
	return l.load()
}

// load makes the config of handshakes, from the files as they are now. It has ticket keys of its own, so that nobody
// resumes what was agreed under the last one.
func (l *tlsListener) load() error {
	tc, err := l.params.bothTLS(l.base)
	if err != nil {
		return err
	}
	if len(tc.Certificates) == 0 && tc.GetCertificate == nil && tc.GetConfigForClient == nil {
		if tc.Certificates, err = l.ownCertificate(); err != nil {
			return err
		}
	}
	if err := l.params.demandCertificate(tc); err != nil {
		return err
	}
	tc.GetConfigForClient = l.newest(tc.GetConfigForClient)
	l.config.Store(tc)
	return nil
}

// newest makes a caller who was accepted before a reload shake hands under what is valid when he does. theirs is the
// program's own choice, which comes first.
func (l *tlsListener) newest(theirs func(*tls.ClientHelloInfo) (*tls.Config, error)) func(*tls.ClientHelloInfo) (*tls.Config, error) {
	return func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if theirs != nil {
			if chosen, err := theirs(hello); chosen != nil || err != nil {
				return chosen, err
			}
		}
		return l.config.Load(), nil
	}
}

// ownCertificate makes a certificate once, for its pin has been announced.
func (l *tlsListener) ownCertificate() ([]tls.Certificate, error) {
	if l.made == nil {
		cert, err := selfSigned()
		if err != nil {
			return nil, err
		}
		l.made = []tls.Certificate{cert}
	}
	return l.made, nil
}

// demandCertificate has callers show a certificate, if ca or pin says which.
func (p Params) demandCertificate(tc *tls.Config) (err error) {
	if file, ok := p["ca"]; ok {
		if tc.ClientCAs, err = certPool(file); err != nil {
			return err
		}
		tc.ClientAuth = tls.RequireAndVerifyClientCert
	}
	if _, ok := p["pin"]; ok {
		tc.ClientAuth = max(tc.ClientAuth, tls.RequireAnyClientCert) // ca, or the program, may want it verified too
		return p.pin(tc)
	}
	return nil
}

func (l *tlsListener) Accept() (net.Conn, error) { return l.AcceptContext(context.Background()) }

// AcceptContext is Accept with a context; see Accept.
func (l *tlsListener) AcceptContext(ctx context.Context) (net.Conn, error) {
	nc, err := Accept(ctx, l.Listener)
	if err != nil {
		return nil, err
	}
	c := newTLSConn(nc, l.config.Load(), tls.Server)
	c.handshakeTimeout = l.timeout
	return c, nil
}

// Pin returns the pin of the certificate, if it was made for the occasion; else it is empty.
func (l *tlsListener) Pin() string {
	if l.made == nil {
		return ""
	}
	return fingerprint(l.made[0].Certificate[0])
}
