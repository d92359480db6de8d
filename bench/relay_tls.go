package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"strconv"
	"time"
)

// tlsConversations is how many carry at once.
const tlsConversations = 4

// A tlsEnd is one relay that callers call with TLS, with a plain server behind
// it. Its figures are GB/s.
type tlsEnd struct {
	*relay
	load string
	way  string // up or down
	last float64
	cost []float64 // processor seconds a GB
	own  []float64 // and those of the load
}

func (t *tlsEnd) contender() contender {
	return contender{name: t.name, setup: t.setup, run: t.run, keep: func() { t.cost = append(t.cost, t.last) }}
}

// run returns GB/s, as the load measured them. The load is the server behind as well.
func (t *tlsEnd) run(ctx context.Context) (float64, error) {
	behind, err := t.freePort()
	if err != nil {
		return 0, err
	}
	port, relay, err := t.join(ctx, behind)
	if err != nil {
		return 0, err
	}
	defer relay.stop()
	said, err := run(ctx, command{argv: []string{t.load, port, behind, t.lab.path("cert.pem"), t.way,
		strconv.Itoa(tlsConversations), strconv.Itoa(t.tlsMiB)}})
	if err != nil {
		return 0, err
	}
	used, err := familyTime(relay.pid()) // all of it: before, it has only started
	if err != nil {
		return 0, err
	}
	var bytes, seconds, own float64
	if _, err := fmt.Sscan(said, &bytes, &seconds, &own); err != nil {
		return 0, fmt.Errorf("the load printed %q: %w", said, err)
	}
	t.last = used.Seconds() / (bytes / 1e9)
	t.own = append(t.own, own/(bytes/1e9))
	return bytes / 1e9 / seconds, nil
}

// tlsRelays end TLS, all with the same certificate and the same cipher suite.
func tlsRelays(l *lab) []*relay {
	parley := &relay{lab: l, name: "parley", program: "parley",
		args: []string{"relay", "tls:127.0.0.1:PORT?cert=DIR/cert.pem&key=DIR/key.pem", "127.0.0.1:BEHIND"}}
	haproxy := haproxyRelay(l, "haproxy", "", "ssl crt DIR/both.pem ciphersuites TLS_AES_128_GCM_SHA256")
	nginx := nginxRelay(l, "ssl", `ssl_certificate DIR/cert.pem;
        ssl_certificate_key DIR/key.pem;
        ssl_protocols TLSv1.3;
        ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;`)
	return []*relay{parley, haproxy, nginx}
}

// benchRelayTLS measures relays that end TLS. The way is up or down.
func benchRelayTLS(way string) func(context.Context, *lab) (report, error) {
	return func(ctx context.Context, l *lab) (report, error) {
		load, err := l.buildGo(ctx, "loads-tls", "loads/tls")
		if err != nil {
			return report{}, err
		}
		if err := l.makeCertificate(); err != nil {
			return report{}, err
		}
		var ends []*tlsEnd
		var contenders []contender
		for _, r := range tlsRelays(l) {
			t := &tlsEnd{relay: r, load: load, way: way}
			ends, contenders = append(ends, t), append(contenders, t.contender())
		}
		all, err := l.interleave(ctx, contenders)
		if err != nil {
			return report{}, err
		}
		name := "relay-tls-" + way
		r := report{
			title: fmt.Sprintf("%s: a relay that ends TLS (TLS_AES_128_GCM_SHA256), conversations: %d", name, tlsConversations),
			unit:  "GB/s",
			all:   all,
		}
		for i, t := range []target{atLeast(1), compared()} {
			r.rows = append(r.rows, against(name, r.unit, all[0], all[i+1], t))
		}
		for _, t := range ends {
			if len(t.cost) > 0 {
				r.notes = append(r.notes, fmt.Sprintf("%s: processor seconds a GB: %s; the load beside it: %s (medians)",
					t.name, number(spreadOf(t.cost).Median), number(spreadOf(t.own).Median)))
			}
		}
		return r, nil
	}
}

// makeCertificate writes a certificate for 127.0.0.1 as cert.pem and key.pem,
// and as haproxy wants them, together in both.pem.
func (l *lab) makeCertificate() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "parley bench"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	secret := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	for name, text := range map[string][]byte{"cert.pem": cert, "key.pem": secret, "both.pem": append(cert[:len(cert):len(cert)], secret...)} {
		if err := os.WriteFile(l.path(name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}
