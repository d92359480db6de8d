package parley_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/frame"
)

// datagrams are conversations over datagrams and who hears them: both ends of format f.
func datagrams(t testing.TB, cfg *parley.Config) (c *parley.Conn, pc *parley.PacketConn) {
	t.Helper()
	pc = listenPacket(t, cfg, "udp:127.0.0.1:0")
	return dial(t, cfg, pc.Address()), pc
}

// sendRaw says a datagram as it is, to where c hears.
func sendRaw(t testing.TB, pc *parley.PacketConn, c *parley.Conn, text string) {
	t.Helper()
	if _, err := pc.NetPacketConn().WriteTo([]byte(text), c.LocalAddr()); err != nil {
		t.Fatal(err)
	}
}

// A datagram may hold several frames, and ends the last one.
func TestFramesOfDatagrams(t *testing.T) {
	for _, test := range []struct {
		format, datagram string
		texts            []string
		err              error // of the last text, if not nil
	}{
		{"packet", "one\ntwo\n", []string{"one\ntwo\n"}, nil},
		{"packet", "", []string{""}, nil},
		{"line", "one\ntwo\r\nthree", []string{"one", "two", "three"}, nil},
		{"line", "one\n", []string{"one"}, nil},
		{"line", "", []string{""}, nil},
		{"line", "\n\n", []string{"", ""}, nil},
		{`end "."`, "one\n.\ntwo", []string{"one", ""}, io.ErrUnexpectedEOF},
		{"nul", "one\x00two", []string{"one", "two"}, nil},
		{"netstring", "3:one,3:t", []string{"one", ""}, io.ErrUnexpectedEOF},
		{"u32", "\x00\x01", []string{""}, io.ErrUnexpectedEOF},
		{"u16", "\x00\x03one\x00\x03two", []string{"one", "two"}, nil},
		{"u16", "\x00\x03one\x00\x09two", []string{"one", ""}, io.ErrUnexpectedEOF},
		{"5 bytes", "onetwo", []string{"onetw", ""}, io.ErrUnexpectedEOF},
	} {
		cfg := &parley.Config{Frame: frame.MustParse(test.format)}
		c, pc := datagrams(t, cfg)
		if _, err := c.Write([]byte(test.datagram)); err != nil {
			t.Fatal(err)
		}
		sendRaw(t, pc, c, test.datagram)
		hear := map[string]func() ([]byte, error){
			"Conn":       func() ([]byte, error) { return c.Receive(soon(t)) },
			"PacketConn": func() ([]byte, error) { f, err := pc.Receive(soon(t)); return f.Data, err },
		}
		for what, receive := range hear {
			for i, want := range test.texts {
				text, err := receive()
				if last := i == len(test.texts)-1; last && test.err != nil {
					wants(t, what+" of "+test.format, err, test.err)
					says(t, what+" of "+test.format, err, "receive ", ": a datagram of ", " without ")
				} else if err != nil || string(text) != want || text == nil {
					t.Errorf("%s of %s: %q, %v, want %q", what, test.format, text, err, want)
				}
			}
		}
		// The next datagram is heard as if nothing had been.
		wire, err := cfg.Frame.Append(nil, []byte("again"))
		if err != nil {
			t.Fatal(err)
		}
		write(t, c, string(wire))
		sendRaw(t, pc, c, string(wire))
		for what, receive := range hear {
			if text, err := receive(); err != nil || string(text) != "again" {
				t.Errorf("%s of %s, after %q: %q, %v", what, test.format, test.datagram, text, err)
			}
		}
	}
}

// Who reads what is left of a datagram has taken it: no frame of nothing follows.
func TestReadEndsADatagram(t *testing.T) {
	c, pc := datagrams(t, &parley.Config{Frame: frame.Line()})
	for what, take := range map[string]func() error{
		"Read": func() error { _, err := c.Read(make([]byte, 100)); return err },
		"WriteTo": func() error {
			_, err := c.WriteTo(stops{})
			if err == errStop {
				_, err = c.Read(make([]byte, 100))
			}
			return err
		},
	} {
		sendRaw(t, pc, c, "one\ntwo")
		hears(t, c, "one")
		if err := take(); err != nil {
			t.Fatal(err)
		}
		sendRaw(t, pc, c, "next")
		if text, err := c.Receive(soon(t)); err != nil || string(text) != "next" {
			t.Errorf("after %s of the rest: %q, %v; want what came next", what, text, err)
		}
	}
}

// An empty datagram says and hears the end where that is asked for, and is a frame where it is not.
func TestEmptyDatagramAsEnd(t *testing.T) {
	pc := listenPacket(t, new(parley.Config), "udp:127.0.0.1:0")
	c := dial(t, new(parley.Config), pc.Address()+"?eof=empty")
	send(t, c, "the last")
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	var from net.Addr
	for _, want := range []string{"the last", ""} {
		f, err := pc.Receive(soon(t))
		if err != nil || string(f.Data) != want {
			t.Fatalf("heard %q, %v, want %q", f.Data, err, want)
		}
		from = f.From
	}
	for _, text := range []string{"a reply", ""} {
		if err := pc.Send(soon(t), []byte(text), from); err != nil {
			t.Fatal(err)
		}
	}
	hears(t, c, "a reply")
	hearsEnd(t, c)
	hearsEnd(t, c)
	if s := c.State(); !s.SaidEnd || !s.HeardEnd {
		t.Errorf("%+v", s)
	}

	plain := dial(t, new(parley.Config), pc.Address())
	sendRaw(t, pc, plain, "")
	hears(t, plain, "")
}

// An edged is a conversation whose reads are always full: a datagram longer than any may be.
type edged struct{ net.Conn }

func (edged) LocalAddr() net.Addr               { return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }
func (edged) RemoteAddr() net.Addr              { return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2} }
func (edged) Read(p []byte) (int, error)        { return len(p), nil }
func (edged) SetReadDeadline(time.Time) error   { return nil }
func (edged) ReadFrom([]byte) (int, error)      { return 0, nil }
func (edged) Close() error                      { return nil }
func (edged) CloseWrite() error                 { return nil }
func (edged) SetDeadline(time.Time) error       { return nil }
func (edged) SetWriteDeadline(time.Time) error  { return nil }
func (edged) Write(p []byte) (n int, err error) { return len(p), nil }

// A datagram that the kernel may have cut off is refused, not passed on.
func TestDatagramCutOff(t *testing.T) {
	c := parley.NewConn(edged{}, nil)
	if !c.KeepsEdges() {
		t.Fatal("datagrams have no edges")
	}
	text, err := c.Receive(soon(t))
	wants(t, "a datagram that fills all memory", err, frame.ErrTooLong)
	if text != nil {
		t.Errorf("%d bytes of it are passed on", len(text))
	}
}

// Config.MaxFrame holds for datagrams too; one that is too long does not end the loop of those who hear anybody.
func TestDatagramTooLong(t *testing.T) {
	c, pc := datagrams(t, &parley.Config{MaxFrame: 10})
	send(t, c, "eleven bytes")
	send(t, c, "ten bytes!")
	heard := ""
	for f, err := range pc.Frames(soon(t)) {
		if err != nil {
			wants(t, "twelve bytes", err, frame.ErrTooLong)
			if f.From.String() != c.LocalAddr().String() {
				t.Errorf("it came from %v", f.From)
			}
			heard += "too long, "
			continue
		}
		heard += string(f.Data)
		break
	}
	if heard != "too long, ten bytes!" {
		t.Errorf("heard %q", heard)
	}
	sendRaw(t, pc, c, "eleven bytes")
	_, err := c.Receive(soon(t))
	wants(t, "twelve bytes", err, frame.ErrTooLong)
}

// A malformed datagram is its sender's mistake and ends nothing.
func TestPacketFramesOutlastMistakes(t *testing.T) {
	c, pc := datagrams(t, &parley.Config{Frame: frame.MustParse("netstring")})
	for _, text := range []string{"GET /", "9:short,", "2:ok,"} {
		write(t, c, text)
	}
	var errs []error
	for f, err := range pc.Frames(soon(t)) {
		if err == nil {
			if string(f.Data) != "ok" {
				t.Errorf("heard %q", f.Data)
			}
			break
		}
		errs = append(errs, err)
	}
	if len(errs) != 2 || !errors.Is(errs[0], frame.ErrMalformed) || !errors.Is(errs[1], io.ErrUnexpectedEOF) {
		t.Errorf("errors %v", errs)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for f, err := range pc.Frames(ended) {
		t.Errorf("of a context that has ended: %v, %v", f, err)
	}
	pc.Close()
	for f, err := range pc.Frames(soon(t)) {
		t.Errorf("of a closed one: %v, %v", f, err)
	}
}

func TestObserveDatagrams(t *testing.T) {
	var events record
	pc := listenPacket(t, &parley.Config{Observe: events.observe}, "udp:127.0.0.1:0")
	c := dial(t, new(parley.Config), pc.Address())
	send(t, c, "hello")
	f, err := pc.Receive(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Reply(soon(t), []byte("hi")); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(events.lines(), ", "); got != "heard 5 hello, said 2 hi" {
		t.Errorf("%s", got)
	}
	for _, e := range events.events {
		if e.Conn != nil || e.Addr.String() != c.LocalAddr().String() {
			t.Errorf("%s of %v, with %v", e.Kind, e.Conn, e.Addr)
		}
	}
}

// A Unix datagram that came from no name can be answered by nobody.
func TestReplyToNameless(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no Unix datagrams there")
	}
	path := socketPath(t)
	pc := listenPacket(t, new(parley.Config), path+"?type=datagram")
	nc, err := net.Dial("unixgram", path)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	write(t, nc, "hello")
	f, err := pc.Receive(soon(t))
	if err != nil || string(f.Data) != "hello" {
		t.Fatalf("heard %q, %v", f.Data, err)
	}
	says(t, "reply", f.Reply(soon(t), []byte("who are you?")), "send nobody: the sender gave no address")
	if err := pc.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its file is left: %v", err)
	}
}
