package relay

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"parley"
)

// helloOf returns the bytes of a ClientHello, as crypto/tls says it.
func helloOf(t testing.TB, server string, protocols ...string) []byte {
	t.Helper()
	here, there := net.Pipe()
	heard := make(chan []byte)
	go func() {
		p := make([]byte, 64<<10)
		n, _ := there.Read(p)
		there.Close()
		heard <- p[:n]
	}()
	_ = tls.Client(here, &tls.Config{ServerName: server, NextProtos: protocols, InsecureSkipVerify: server == ""}).Handshake()
	return <-heard
}

// inRecords cuts the ClientHello of one record into records of n bytes.
func inRecords(record []byte, n int) (records []byte) {
	for piece := range slices.Chunk(record[5:], n) {
		records = append(records, record[0], record[1], record[2], byte(len(piece)>>8), byte(len(piece)))
		records = append(records, piece...)
	}
	return records
}

func TestSniffing(t *testing.T) {
	api, other, nameless := helloOf(t, "api.example", "h2", "http/1.1"), helloOf(t, "other.example"), helloOf(t, "")
	h2 := helloOf(t, "other.example", "h2")
	long := helloOf(t, "api.example", strings.Split(strings.Repeat(strings.Repeat("x", 250)+",", 80)+"h2", ",")...)
	if len(long) < DefaultSniffMax {
		t.Fatalf("%d bytes are not too long", len(long))
	}
	tests := []struct {
		name, say, want string
	}{
		{"a name", string(api), "api"},
		{"in capitals", string(helloOf(t, "API.example")), "api"},
		{"two labels more", string(helloOf(t, "a.b.wild.example")), "main"},
		{"one label more", string(helloOf(t, "a.wild.example")), "wild"},
		{"a protocol", string(h2), "h2"},
		{"neither", string(other), "main"},
		{"no name", string(nameless), "main"},
		{"records of one byte", string(inRecords(api, 1)), "api"},
		{"records of 100 bytes", string(inRecords(api, 100)), "api"},
		{"and more", string(api) + "more", "api"},
		{"too long", string(long), "main"},
		{"no TLS", "GET / HTTP/1.0\r\n\r\n", "main"},
		{"one byte of no TLS", "G", "main"},
		{"half of it", string(api[:100]), "main"},
		{"a server's hello", "\x16\x03\x01\x00\x04\x02\x00\x00\x00", "main"},
		{"nothing", "", "main"},
	}
	for _, test := range tests {
		for _, piece := range []int{len(test.say) + 1, 1} {
			if piece == 1 && len(test.say) > 10000 {
				continue
			}
			t.Run(fmt.Sprintf("%s by %d", test.name, piece), func(t *testing.T) {
				inYard(t, routed(t, "main"), func(y *yard) {
					for _, name := range []string{"main", "api", "wild", "h2"} {
						defer y.named(name)()
					}
					want := fmt.Sprintf("%s heard %q", test.want, test.say)
					y.want("answer", y.say(test.say, piece, true), want)
					y.want("answer without an end", y.say(test.say, piece, false), want)
				})
			})
		}
	}
}

func routed(t *testing.T, targets ...string) *Relay {
	r := &Relay{Targets: memTargets(targets...)}
	for _, text := range []string{"sni:api.example=mem:api", "sni:*.wild.example=mem:wild", "alpn:h2=mem:h2"} {
		route, err := ParseRoute(text)
		if err != nil {
			t.Fatal(err)
		}
		r.Routes = append(r.Routes, route)
	}
	return r
}

// say says text in pieces, and the end at once, or after more than DefaultSniffWithin.
func (y *yard) say(text string, piece int, endAtOnce bool) string {
	c := y.open("")
	defer c.Close()
	for p := range slices.Chunk([]byte(text), piece) {
		if _, err := c.Write(p); err != nil {
			return err.Error()
		}
		if piece == 1 {
			synctest.Wait()
		}
	}
	if !endAtOnce {
		pass(DefaultSniffWithin + time.Second)
	}
	if err := c.CloseWrite(); err != nil {
		return err.Error()
	}
	answer, err := io.ReadAll(c)
	if err != nil {
		return err.Error()
	}
	return string(answer)
}

func TestNoRoute(t *testing.T) {
	tests := map[string]string{
		"":                                    "no TLS ClientHello within 5s",
		string(helloOf(t, "a.example", "h3")): `wants the server "a.example", by one of the protocols ["h3"]`,
		"hello\n":                             "no TLS ClientHello",
	}
	for say, why := range tests {
		inYard(t, routed(t), func(y *yard) {
			y.say(say, len(say)+1, false)
			if err := y.lastError(); !errors.Is(err, ErrNoRoute) || !strings.Contains(err.Error(), why) {
				y.Errorf("error %v, want %s", err, why)
			}
			y.want("calls of any target", y.calls("main")+y.calls("api"), 0)
		})
	}
}

// A server that speaks first is heard, once the caller has had its time to begin TLS.
func TestServerSpeaksFirst(t *testing.T) {
	inYard(t, routed(t, "main"), func(y *yard) {
		defer y.serve("main", func(_ context.Context, c *parley.Conn) error {
			_, err := io.WriteString(c, "220 at your service")
			return err
		})()
		began := time.Now()
		c := y.open("")
		defer c.Close()
		text, err := io.ReadAll(c)
		y.want("text", string(text), "220 at your service")
		y.want("error", err, nil)
		y.want("virtual time", time.Since(began), DefaultSniffWithin)
	})
}

// The end of the context ends the sniffing.
func TestSniffingEndsWithContext(t *testing.T) {
	r := routed(t, "main")
	r.SniffWithin = -1
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		here, there := net.Pipe()
		defer there.Close()
		over := make(chan error)
		go func() { over <- r.Handle(ctx, parley.NewConn(here, nil)) }()
		pass(time.Hour)
		cancel(why)
		if err := <-over; !errors.Is(err, why) {
			t.Error(err)
		}
	})
}

// A caller who breaks off while it is sniffed gets no target.
func TestSniffingBreaks(t *testing.T) {
	r := routed(t, "main")
	r.Dial = func(context.Context, string) (*parley.Conn, error) {
		t.Error("a target was called")
		return nil, errors.ErrUnsupported
	}
	accepted, caller := tcpPair(t)
	if err := caller.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	caller.Close()
	if err := r.Handle(t.Context(), parley.NewConn(accepted, nil)); err == nil || errors.Is(err, ErrNoRoute) {
		t.Error(err)
	}
}

// Where TLS ends here, the handshake decides, and the target hears what is said inside.
func TestRoutesOfTLSListener(t *testing.T) {
	r := routed(t, "main")
	names := make(chan string, 1)
	r.Dial = func(ctx context.Context, address string) (*parley.Conn, error) {
		names <- address
		here, there := net.Pipe()
		go func() { _, _ = io.Copy(there, there); there.Close() }()
		return parley.NewConn(here, nil), nil
	}
	ln, err := parley.Listen(t.Context(), "tls:127.0.0.1:0?alpn=h2,http/1.1")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan error)
	go func() { over <- (&parley.Server{Handler: r.Handle, Grace: time.Millisecond}).Serve(ctx, ln) }()
	tests := []struct{ server, protocols, want string }{
		{"api.example", "http/1.1", "mem:api"},
		{"x.wild.example", "h2", "mem:wild"},
		{"other.example", "h2", "mem:h2"},
		{"other.example", "http/1.1", "mem:main"},
	}
	for _, test := range tests {
		c, err := parley.Dial(t.Context(), ln.Address()+"&servername="+test.server+"&alpn="+test.protocols)
		if err != nil {
			t.Fatal(err)
		}
		reply, err := c.Ask(t.Context(), []byte("inside"))
		if got := <-names; got != test.want || string(reply) != "inside" || err != nil {
			t.Errorf("%+v: %s, %q, %v", test, got, reply, err)
		}
		c.Close()
	}
	stop()
	<-over
}

// Who does not begin TLS at a listener that ends it gets no target, with routes or without. A silent one keeps nobody for long.
func TestNoTLSAtTLSListener(t *testing.T) {
	tests := []struct {
		name  string
		relay *Relay
		say   string
		why   string
	}{
		{"silent, routes", routed(t, "main"), "", "not done within 1ms"},
		{"silent", &Relay{Targets: memTargets("main")}, "", "not done within 1ms"},
		{"something else, routes", routed(t, "main"), "GET / HTTP/1.0\r\n\r\n", "does not look like a TLS handshake"},
		{"something else", &Relay{Targets: memTargets("main")}, "GET / HTTP/1.0\r\n\r\n", "does not look like a TLS handshake"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.relay.SniffWithin = -1
			if test.say == "" {
				test.relay.SniffWithin = time.Millisecond
			}
			test.relay.Dial = func(context.Context, string) (*parley.Conn, error) {
				t.Error("a target was called")
				return nil, errors.ErrUnsupported
			}
			err := handleAtTLS(t, test.relay, test.say)
			var named *parley.Error
			if !errors.As(err, &named) || named.Op != "handshake" || !strings.Contains(err.Error(), test.why) {
				t.Errorf("%v, want %q", err, test.why)
			}
			if test.say == "" && !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		})
	}
}

// handleAtTLS has r handle a caller that says text, in the clear, to a listener that ends TLS.
func handleAtTLS(t *testing.T, r *Relay, text string) error {
	t.Helper()
	ln, err := parley.Listen(t.Context(), "tls:127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	nc, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	accepted, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(nc, text); err != nil {
		t.Fatal(err)
	}
	return r.Handle(t.Context(), accepted.(*parley.Conn))
}

// A target that takes no more before it has heard the hello is still heard to its last word, and what it did not take is
// counted.
func TestLastWordsOfTarget(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("who writes may be told later there")
	}
	for name, more := range map[string][]string{"a quiet caller": nil, "one that speaks on": {"more", "!"}} {
		t.Run(name, func(t *testing.T) {
			ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			r := &Relay{Targets: []string{ln.Addr().String()}, Routes: routed(t).Routes}
			targets := make(chan net.Conn, 1)
			r.Joined = func(_, _ *parley.Conn) { targets <- acceptDeaf(t, ln, "go ") }
			r.Ended = func(_ *parley.Conn, _ string, s Stats, _ error) {
				if s.AtoB.Bytes != 0 || s.BtoA.Bytes != int64(len("go away")) {
					t.Errorf("%+v", s)
				}
			}
			nc, caller := tcpPair(t)
			defer caller.Close()
			accepted := parley.NewConn(nc, nil)
			over := make(chan error, 1)
			go func() { over <- r.Handle(t.Context(), accepted) }()
			said := sayHeard(t, caller, accepted, 0, "no TLS")
			target := <-targets
			for _, text := range more { // the second is heard when the first could not be said
				said = sayHeard(t, caller, accepted, said, text)
			}
			_, _ = io.WriteString(target, "away")
			target.Close()
			if heard, _ := io.ReadAll(caller); string(heard) != "go away" {
				t.Errorf("the caller heard %q", heard)
			}
			if err := <-over; !errors.Is(err, syscall.EPIPE) || !strings.Contains(err.Error(), fmt.Sprintf("nobody took %d bytes", said)) {
				t.Errorf("error %v, want that nobody took %d bytes", err, said)
			}
		})
	}
}

// acceptDeaf accepts a call that is not heard, and says text.
func acceptDeaf(t *testing.T, ln net.Listener, text string) net.Conn {
	nc, err := ln.Accept()
	if err == nil {
		err = nc.(*net.UnixConn).CloseRead()
	}
	if err == nil {
		_, err = io.WriteString(nc, text)
	}
	if err != nil {
		t.Error(err)
	}
	return nc
}

// sayHeard says text, after n bytes, waits until it has been heard, and returns how many bytes that are in all.
func sayHeard(t *testing.T, w io.Writer, hearer *parley.Conn, n int64, text string) int64 {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	n += int64(len(text))
	deadline := time.Now().Add(10 * time.Second)
	for heard := int64(0); heard < n; _, heard = hearer.Bytes() {
		if runtime.Gosched(); time.Now().After(deadline) {
			t.Fatalf("waited in vain until %q was heard", text)
		}
	}
	return n
}

// Whatever comes is heard byte for byte, and never said anything to.
func FuzzSniff(f *testing.F) {
	f.Add(helloOf(f, "api.example", "h2"), 16<<10, 1)
	f.Add(inRecords(helloOf(f, "x.wild.example"), 7), 1<<10, 3)
	f.Add([]byte("SSH-2.0-x\r\n"), 0, 0)
	f.Add([]byte{0x16, 3, 1, 0xff, 0xff}, -1, 9)
	f.Fuzz(func(t *testing.T, said []byte, limit, piece int) {
		from := &pieces{rest: said, size: max(piece, 1)}
		s := &sniffed{from: from, room: limit}
		h := readHello(s)
		if !bytes.Equal(append(slices.Clone(s.heard), from.rest...), said) {
			t.Errorf("heard %q and left %q of %q", s.heard, from.rest, said)
		}
		if limit >= 0 && len(s.heard) > limit {
			t.Errorf("heard %d bytes, the limit is %d", len(s.heard), limit)
		}
		if h.not != "" && (h.server != "" || h.protocols != nil) {
			t.Errorf("no hello, but %+v", h)
		}
		_ = h.String()
	})
}

type pieces struct {
	rest []byte
	size int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.rest[:min(p.size, len(p.rest))])
	p.rest = p.rest[n:]
	return n, nil
}

// What was heard to find the route is in the transcript of a tap, in the counts, and never in frames.
func TestSniffedIsTapped(t *testing.T) {
	var written bytes.Buffer
	r := routed(t, "main")
	r.Options.Tap = NewTap(&written, TapOptions{})
	r.Ended = func(_ *parley.Conn, _ string, s Stats, _ error) {
		if s.AtoB.Bytes != 10 {
			t.Errorf("%d bytes passed", s.AtoB.Bytes)
		}
	}
	inYard(t, r, func(y *yard) {
		defer y.named("main")()
		y.want("answer", y.say("no TLS but", 100, true), `main heard "no TLS but"`)
	})
	if err := r.Options.Tap.Close(); err != nil {
		t.Error(err)
	}
	if strings.Count(written.String(), "no TLS but") != 2 { // as it was said, and in the answer
		t.Errorf("transcript %s", &written)
	}
}

func TestSniffedIsNoFrame(t *testing.T) {
	r := routed(t, "main")
	r.Options.Frames = true
	inYard(t, r, func(y *yard) {
		defer y.named("main")()
		y.say("no TLS", 100, true)
		if err := y.lastError(); err == nil || !strings.Contains(err.Error(), "in frames") {
			y.Error(err)
		}
	})
}
