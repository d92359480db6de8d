//go:build unix

package main

import (
	"encoding/binary"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestSmallServices: all of them in one process, on tcp and udp, as real callers see them.
func TestSmallServices(t *testing.T) {
	t.Parallel()
	quotes := file(t, "fortunes", "%\nTo be,\nor not\n%\n")
	names := []string{"echo=127.0.0.1:0", "discard=127.0.0.1:0", "daytime=127.0.0.1:0", "daytime?format=nist=127.0.0.1:0",
		"qotd?file=" + quotes + "=127.0.0.1:0", "chargen=127.0.0.1:0", "time=127.0.0.1:0"}
	v, at := serving(t, append([]string{"serve"}, names...)...)
	if len(at) != 2*len(names) {
		t.Fatalf("addresses %q, want tcp and udp of each of %d", at, len(names))
	}
	for i := range names {
		if strings.HasPrefix(at[2*i], "udp:") || !strings.HasPrefix(at[2*i+1], "udp:") {
			t.Errorf("addresses %q: want tcp before udp", at[2*i:2*i+2])
		}
	}
	const (
		date     = `(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, \w+ \d+, \d{4} \d\d:\d\d:\d\d[^\r\n]*\r?\n`
		nist     = `\n?\d{5} \d\d-\d\d-\d\d \d\d:\d\d:\d\d \d\d \d \d +-?\d+\.\d UTC\(\S+\) \* ?\r?\n`
		alphabet = ` !"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_` + "`abcdefg\r\n" + `!"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_` + "`abcdefgh\r\n"
	)
	for i, tt := range []struct{ service, say, tcp, udp string }{
		{"echo", "hello\n", `hello\n`, `hello\n`},
		{"discard", "hello\n", ``, ""},
		{"daytime", "", date, date},
		{"nist", "", nist, nist},
		{"qotd", "", `To be,\r?\nor not\r?\n`, `To be,\r?\nor not\r?\n`},
		{"chargen", "", regexp.QuoteMeta(alphabet), `[ -~\r\n]{0,512}`},
		{"time", "", `(?s).{4}`, `(?s).{4}`},
	} {
		tcp, udp := at[2*i], at[2*i+1]
		t.Run(tt.service, func(t *testing.T) {
			callSmall(t, tt.service, tcp, tt.say, tt.tcp)
			if tt.udp != "" {
				c := talk(t, udp)
				c.say(tt.say)
				got := make([]byte, 1<<16)
				n, err := c.Read(got)
				if err != nil || !regexp.MustCompile(`^`+tt.udp+`$`).MatchString(latin1(string(got[:n]))) {
					t.Errorf("udp: heard %q, %v; want %q", got[:n], err, tt.udp)
				}
			}
		})
	}
	v.signal(syscall.SIGTERM)
	v.leaves(0, ``)
}

// latin1 makes a character of each byte: the bytes of a time may be UTF-8 by chance, and then a dot is two of them.
func latin1(bytes string) string {
	runes := make([]rune, len(bytes))
	for i := range len(bytes) {
		runes[i] = rune(bytes[i])
	}
	return string(runes)
}

// callSmall has nc call a service over TCP.
func callSmall(t *testing.T, service, address, say, want string) {
	t.Helper()
	cmd := peer(t, "nc", "-N", "127.0.0.1", portOf(t, address))
	if service == "chargen" { // it never ends
		c := talk(t, address)
		c.hears(regexp.MustCompile(`\\(.)`).ReplaceAllString(want, "$1"))
		return
	}
	p := start(t, stdin(cmd, say))
	p.leaves(0, `^$`)
	if got := p.out.text(); !regexp.MustCompile(`^` + want + `$`).MatchString(latin1(got)) {
		t.Errorf("tcp: heard %q, want %q", got, want)
	}
}

// TestTheTime: the clocks tell the time that it is, on tcp and on udp.
func TestTheTime(t *testing.T) {
	t.Parallel()
	_, at := serving(t, "serve", "time=127.0.0.1:0", "daytime?format=nist=127.0.0.1:0")
	before := time.Now().Add(-2 * time.Second)
	var heard []time.Time
	for _, address := range at[:2] {
		c := talk(t, address)
		if strings.HasPrefix(address, "udp:") {
			c.say("")
		}
		var number [4]byte
		if _, err := c.buf.Read(number[:]); err != nil {
			t.Fatal(err)
		}
		heard = append(heard, time.Unix(int64(binary.BigEndian.Uint32(number[:]))-2208988800, 0)) // RFC 868: since 1900
	}
	text := strings.Fields(exchange(t, at[2], ""))
	if len(text) < 3 {
		t.Fatalf("nist: %q", text)
	}
	nist, err := time.Parse("06-01-02 15:04:05", text[1]+" "+text[2])
	if err != nil {
		t.Fatal(err)
	}
	after := time.Now().Add(2 * time.Second)
	for _, at := range append(heard, nist) {
		if at.Before(before) || at.After(after) {
			t.Errorf("heard %v between %v and %v", at, before, after)
		}
	}
}

// TestPlainTCPOnly: echo=tcp:… is on tcp alone, and echo=PORT on the same port of both.
func TestPlainTCPOnly(t *testing.T) {
	t.Parallel()
	_, at := serving(t, "serve", "echo=tcp:127.0.0.1:0", "discard=udp:127.0.0.1:0")
	if len(at) != 2 || strings.HasPrefix(at[0], "udp:") || !strings.HasPrefix(at[1], "udp:") {
		t.Errorf("ready at %q", at)
	}
	port := freePort(t)
	_, at = serving(t, "serve", "echo="+port)
	if len(at) != 2 || portOf(t, at[0]) != port || portOf(t, at[1]) != port {
		t.Errorf("ready at %q, want port %s of tcp and udp", at, port)
	}
}

// TestServeReadyFile: the file has all addresses, in the order of the services.
func TestServeReadyFile(t *testing.T) {
	t.Parallel()
	name := t.TempDir() + "/ready"
	p := start(t, parley("serve", "chat=0", "echo=127.0.0.1:0", "discard=tcp:0", "--ready-file", name))
	at := readyFile(t, p, name)
	if len(at) != 4 || !strings.HasPrefix(at[2], "udp:") {
		t.Fatalf("ready at %q", at)
	}
	if got := exchange(t, at[1], "hello"); got != "hello" {
		t.Errorf("heard %q", got)
	}
	notes := p.err.text()
	for _, service := range []string{"chat", "echo", "discard"} {
		if !strings.Contains(notes, "parley: "+service+" on ") {
			t.Errorf("no word of %s in %q", service, notes)
		}
	}
	p.interrupt()
	p.leaves(130, ``)
}

// TestQuotesUnreadable: the file is opened before callers are.
func TestQuotesUnreadable(t *testing.T) {
	t.Parallel()
	start(t, parley("serve", "qotd?file=/no/such/file=0")).leaves(1, `^parley: qotd: .*/no/such/file: no such file or directory[^\n]*\n$`)
	empty := file(t, "empty", "")
	start(t, parley("serve", "qotd?file="+empty+"=0")).leaves(1, `^parley: qotd: `+empty+`: [^\n]*\n$`)
}

// TestServeOnUnix: a service on a Unix socket, which is gone at the end, in spite of the sandbox.
func TestServeOnUnix(t *testing.T) {
	t.Parallel()
	path := socketDir(t) + "/s"
	v, at := serving(t, "serve", "echo="+path)
	if len(at) != 1 {
		t.Errorf("ready at %q", at)
	}
	if got := exchange(t, "unix:"+path, "hello"); got != "hello" {
		t.Errorf("heard %q", got)
	}
	v.signal(syscall.SIGTERM)
	v.leaves(0, ``)
	if _, err := os.Stat(path); err == nil {
		t.Error("the socket is left")
	}
}
