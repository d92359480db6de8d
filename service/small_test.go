package service_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"maps"
	"net"
	"os"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"parley"
	"parley/frame"
	"parley/parleytest"
	"parley/service"
)

// served calls a Server with h over TCP. The Server ends with the test, in order.
func served(t *testing.T, h parley.Handler) (call func() *parley.Conn) {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	ln, err := parley.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- (&parley.Server{Handler: h}).Serve(ctx, ln) }()
	t.Cleanup(func() {
		end()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return func() *parley.Conn {
		t.Helper()
		c, err := parley.Dial(t.Context(), ln.Address())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
}

// A memServer is a Server on a network in memory, for bubbles of synctest.
type memServer struct {
	t    *testing.T
	cfg  parley.Config
	end  func()
	done chan error
}

func servedInMemory(t *testing.T, h parley.Handler) *memServer {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	s := &memServer{t: t, end: end, done: make(chan error, 1)}
	s.cfg.Schemes = []parley.Scheme{new(parleytest.Network).Scheme()}
	ln, err := s.cfg.Listen(ctx, "mem:here")
	if err != nil {
		t.Fatal(err)
	}
	go func() { s.done <- (&parley.Server{Handler: h}).Serve(ctx, ln) }()
	return s
}

func (s *memServer) call() *parley.Conn {
	s.t.Helper()
	c, err := s.cfg.Dial(s.t.Context(), "mem:here")
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// ended ends the server and returns what Serve did.
func (s *memServer) ended() error {
	s.end()
	return <-s.done
}

// A sender is the one whose datagrams a handler hears, and to whom it answers. When it has said all, it has been silent for
// too long.
type sender struct {
	net.Conn
	port     int
	said     [][]byte
	answered [][]byte
}

func (s *sender) Read(p []byte) (int, error) {
	if len(s.said) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.said[0])
	s.said = s.said[1:]
	return n, nil
}

func (s *sender) Write(p []byte) (int, error) {
	s.answered = append(s.answered, bytes.Clone(p))
	return len(p), nil
}

func (s *sender) LocalAddr() net.Addr              { return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 7007} }
func (s *sender) RemoteAddr() net.Addr             { return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: s.port} }
func (s *sender) SetReadDeadline(time.Time) error  { return nil }
func (s *sender) SetWriteDeadline(time.Time) error { return nil }
func (s *sender) Close() error                     { return nil }

var smallServices = map[string]parley.Handler{
	"echo": service.Echo, "discard": service.Discard, "chargen": service.Chargen, "qotd": service.QOTD(nil),
	"daytime": service.Daytime, "nist": service.NISTDaytime, "time": service.Time,
}

func TestDatagrams(t *testing.T) {
	answers := map[string]string{
		"echo": `^(Hello there!|)$`, "chargen": `^[ -~\r\n]{1,512}$`, "qotd": `(?s)^.{1,510}\r\n$`,
		"daytime": `^\w+, \w+ \d+, \d{4} \d\d:\d\d:\d\d.+\r\n$`, "nist": `^\n\d{5} .* \* \n$`, "time": `(?s)^....$`,
	}
	for name, h := range smallServices {
		t.Run(name, func(t *testing.T) {
			s := &sender{port: 40000, said: [][]byte{[]byte("Hello there!"), {}, []byte("Hello there!")}}
			if err := h(t.Context(), parley.NewConn(s, nil)); err != nil {
				t.Fatal(err)
			}
			if name == "discard" {
				if len(s.answered) > 0 {
					t.Errorf("discard answered %q", s.answered)
				}
				return
			}
			if len(s.answered) != 3 {
				t.Fatalf("3 datagrams have %d answers: %q", len(s.answered), s.answered)
			}
			for _, a := range s.answered {
				if name != "time" && !regexp.MustCompile(answers[name]).Match(a) || name == "time" && len(a) != 4 {
					t.Errorf("the answer is %q, want %s", a, answers[name])
				}
			}
			if name == "echo" && (string(s.answered[0]) != "Hello there!" || len(s.answered[1]) != 0) {
				t.Errorf("the echo is %q", s.answered)
			}
		})
	}
}

// A port that is the service's own is that of the same service on another machine.
func TestNoAnswerToServicePorts(t *testing.T) {
	handlers := maps.Clone(smallServices)
	handlers["chat"] = new(service.Chat).Handle
	handlers["answer"] = service.Answer(upper)
	cmd := service.Command{Args: []string{os.Args[0], "-test.run=^$"}}
	handlers["command"], handlers["keep"], handlers["exec"] = cmd.Answer, cmd.Keep, cmd.Exec
	for name, h := range handlers {
		for _, port := range []int{7, 13, 17, 19, 37, 7007} {
			s := &sender{port: port, said: [][]byte{[]byte("a"), {}, []byte("b")}}
			if err := h(t.Context(), parley.NewConn(s, nil)); err != nil {
				t.Errorf("%s, port %d: %v, want no error", name, port, err)
			}
			if len(s.said) != 0 || len(s.answered) != 0 {
				t.Errorf("%s, port %d: %d datagrams unheard and %d answered, want none", name, port, len(s.said), len(s.answered))
			}
		}
	}
}

// A datagram that is too long, for the limit or for the kernel, or no frame costs only itself.
func TestBadDatagramCostsItself(t *testing.T) {
	for name, h := range smallServices {
		s := &sender{port: 40000, said: [][]byte{bytes.Repeat([]byte{200}, 201), make([]byte, 1<<17), []byte("\x09short"), []byte("\x02hi")}}
		cfg := &parley.Config{MaxFrame: 100, Frame: frame.MustParse("u8")}
		if err := h(t.Context(), parley.NewConn(s, cfg)); err != nil || len(s.said) > 0 {
			t.Errorf("%s: %v, %d datagrams are unheard", name, err, len(s.said))
		}
		if n := len(s.answered); n != 1 && name != "discard" {
			t.Errorf("%s: %d answers to the one good datagram", name, n)
		}
	}
}

// An empty datagram can be the end, so none is an answer.
func TestChargenNeverEmpty(t *testing.T) {
	s := &sender{port: 40000, said: make([][]byte, 20_000)}
	if err := service.Chargen(t.Context(), parley.NewConn(s, nil)); err != nil {
		t.Fatal(err)
	}
	for _, a := range s.answered {
		if len(a) < 1 || len(a) > 512 {
			t.Fatalf("an answer has %d characters", len(a))
		}
	}
}

func TestEcho(t *testing.T) {
	call := served(t, service.Echo)
	text := bytes.Repeat([]byte("all of it, \x00 too\n"), 1<<16)
	c := call()
	go sayAll(c, text)
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, text) {
		t.Errorf("%d of %d bytes come back, %v", len(got), len(text), err)
	}
}

func sayAll(c *parley.Conn, text []byte) {
	if _, err := c.Write(text); err == nil {
		_ = c.CloseWrite()
	}
}

func TestDiscard(t *testing.T) {
	c := served(t, service.Discard)()
	sayAll(c, make([]byte, 1<<20))
	if got, err := io.ReadAll(c); len(got) > 0 || err != nil {
		t.Errorf("discard said %q, %v", got, err)
	}
}

// The beginning and the lines are those that RFC 864 prints.
func TestChargenPattern(t *testing.T) {
	c := served(t, service.Chargen)()
	if err := c.CloseWrite(); err != nil { // which must not stop it
		t.Fatal(err)
	}
	const line = 74
	got := make([]byte, 96*2*9*line)
	if _, err := io.ReadFull(c, got); err != nil {
		t.Fatal(err)
	}
	for i, want := range map[int]string{
		0:  " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefg\r\n",
		1:  "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefgh\r\n",
		94: "~ !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdef\r\n",
	} {
		if have := string(got[i*line : (i+1)*line]); have != want {
			t.Errorf("line %d is\n%q, want\n%q", i, have, want)
		}
	}
	if cycle := 95 * line; !bytes.Equal(got[cycle:], got[:len(got)-cycle]) {
		t.Error("the pattern does not repeat after 95 lines")
	}
}

// What a caller says is thrown away, and does not keep chargen from talking; when the caller has gone, it ends in order.
func TestChargenHearsAndNoticesTheEnd(t *testing.T) {
	ended := make(chan error, 1)
	h := func(ctx context.Context, c *parley.Conn) error {
		err := service.Chargen(ctx, c)
		ended <- err
		return err
	}
	c := served(t, h)()
	go func() { _, _ = c.Write(make([]byte, 8<<20)) }()
	if _, err := io.CopyN(io.Discard, c, 8<<20); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if err := <-ended; err != nil {
		t.Errorf("when its caller closes, chargen returns %v, want nil", err)
	}
}

// Chargen has no end of its own, so it must not use up the grace, whether its caller reads or not.
func TestServicesEndWithTheServer(t *testing.T) {
	for _, name := range []string{"echo", "discard", "chargen"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := servedInMemory(t, smallServices[name])
				c := s.call()
				defer c.Close()
				synctest.Wait()
				before := time.Now()
				if err := s.ended(); err != nil {
					t.Error(err)
				}
				if took := time.Since(before); took != 0 {
					t.Errorf("an idle conversation ends after %v, want at once", took)
				}
			})
		})
	}
}

// A caller that says what nobody has asked for still hears the reply and its end: the service must not close, which is a reset,
// while that lies unread.
func TestLastWordIsNotLost(t *testing.T) {
	for _, name := range []string{"qotd", "daytime", "nist", "time"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				spoken := make(chan struct{})
				s := servedInMemory(t, func(ctx context.Context, c *parley.Conn) error {
					<-spoken
					return smallServices[name](ctx, c)
				})
				c := s.call()
				if _, err := c.Write([]byte("\r\n")); err != nil {
					t.Error(err)
				}
				close(spoken)
				synctest.Wait()
				if got, err := io.ReadAll(c); len(got) < 4 || err != nil {
					t.Errorf("heard %q, %v", got, err)
				}
				c.Close()
				if err := s.ended(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestSilentCallerIsLeftInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := servedInMemory(t, service.Daytime)
		c := s.call()
		defer c.Close()
		before := time.Now()
		if _, err := io.ReadAll(c); err != nil {
			t.Fatal(err)
		}
		if heard := time.Since(before); heard != 0 {
			t.Errorf("the end is heard after %v, want at once", heard)
		}
		<-time.After(time.Minute)
		if _, err := c.Write([]byte("still there?")); err == nil {
			t.Error("a minute later the service is still there")
		}
		if err := s.ended(); err != nil {
			t.Error(err)
		}
	})
}

// One who talks without an end is not heard out for ever.
func TestFloodIsNotHeardOut(t *testing.T) {
	c := served(t, service.Daytime)()
	for {
		if _, err := c.Write(make([]byte, 4096)); err != nil {
			return
		}
	}
}

func TestTime(t *testing.T) {
	c := served(t, service.Time)()
	got, err := io.ReadAll(c)
	if err != nil || len(got) != 4 {
		t.Fatalf("heard %q, %v", got, err)
	}
	since1900 := time.Since(time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)) / time.Second
	if said := binary.BigEndian.Uint32(got); uint32(since1900)-said > 60 {
		t.Errorf("said %d, want about %d", said, since1900)
	}
}

func TestResetIsAnError(t *testing.T) {
	ended := make(chan error, 1)
	h := func(ctx context.Context, c *parley.Conn) error {
		err := service.Echo(ctx, c)
		ended <- err
		return err
	}
	c := served(t, h)()
	if _, err := c.Ask(t.Context(), []byte("hi")); err != nil {
		t.Fatal(err)
	}
	if err := c.NetConn().(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if err := <-ended; err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after a reset the echo returns %v", err)
	}
}

func BenchmarkEcho(b *testing.B) {
	ctx, end := context.WithCancel(b.Context())
	ln, err := parley.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- (&parley.Server{Handler: service.Echo}).Serve(ctx, ln) }()
	nc, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	text := make([]byte, 64)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := nc.Write(text); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(nc, text); err != nil {
			b.Fatal(err)
		}
	}
	nc.Close()
	end()
	<-done
}
