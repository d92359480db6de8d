package parley_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"parley"
	"parley/frame"
)

// What was heard of a frame when the other end stopped is returned with the error, once.
func TestReceivePart(t *testing.T) {
	for format, test := range map[string]struct{ said, part, says string }{
		"line":       {"one\nand a ha", "and a ha", "stopped after 8 bytes without the end of a line"},
		"blank line": {"one\n\nand\na ha\n", "and\na ha\n", "stopped after 9 bytes without a blank line"},
		`end "END"`:  {"one\nEND\nand a ha\nEN", "and a ha\nEN", `without the line "END"`},
		"u16":        {"\x00\x03one\x00\x20and a ha", "\x00\x20and a ha", "stopped after 10 bytes"},
		"3 bytes":    {"onean", "an", "stopped after 2 bytes without 3 bytes"},
		"netstring":  {"3:one,12:and", "12:and", "stopped after 6 bytes"},
		`until "--"`: {"one--and -", "and -", "stopped after 5 bytes"},
		"decimal":    {"3 one1", "1", "stopped after 1 byte"},
		"crlf":       {"one\r\nand\r", "and\r", "stopped after 4 bytes"},
	} {
		f := frame.MustParse(format)
		for network, address := range streams(t) {
			caller, accepted := pair(t, &parley.Config{Frame: f}, address)
			write(t, caller, test.said)
			caller.Close()
			hears(t, accepted, "one")
			part, err := accepted.Receive(soon(t))
			wants(t, format+" on "+network, err, io.ErrUnexpectedEOF)
			says(t, format, err, "receive "+other(accepted)+": the other end ", test.says)
			if string(part) != test.part {
				t.Errorf("%s: the part is %q, want %q", format, part, test.part)
			}
			if part, err := accepted.Receive(soon(t)); len(part) > 0 || err != io.EOF {
				t.Errorf("%s: after the part %q, %v, want io.EOF", format, part, err)
			}
		}
	}
}

// other names the other end as errors do.
func other(c *parley.Conn) string {
	if c.LocalAddr().Network() == "unix" && c.RemoteHost() == "" {
		return "unix caller"
	}
	return c.RemoteAddr().String()
}

// Frames yields the part with the error, and then no more.
func TestFramesPart(t *testing.T) {
	caller, accepted := tcpPair(t, new(parley.Config))
	write(t, caller, "one\ntwo\nthr")
	caller.Close()
	var got []string
	var last error
	for f, err := range accepted.Frames(soon(t)) {
		if f.Conn != accepted || f.From.String() != caller.LocalAddr().String() {
			t.Errorf("a frame of %v from %v", f.Conn, f.From)
		}
		got, last = append(got, string(f.Data)), err
	}
	wants(t, "the last error", last, io.ErrUnexpectedEOF)
	if strings.Join(got, ",") != "one,two,thr" {
		t.Errorf("heard %q", got)
	}
}

// A loop over frames can be left and taken up again, and its body may read and ask.
func TestFramesGoOn(t *testing.T) {
	caller, accepted := tcpPair(t, new(parley.Config))
	write(t, caller, "one\ntwo\n3333three\n")
	for f := range accepted.Frames(soon(t)) {
		if string(f.Data) != "one" {
			t.Errorf("heard %q", f.Data)
		}
		break
	}
	for f, err := range accepted.Frames(soon(t)) {
		if err != nil || string(f.Data) != "two" {
			t.Errorf("heard %q, %v", f.Data, err)
		}
		body := make([]byte, 4)
		if _, err := io.ReadFull(accepted, body); err != nil || string(body) != "3333" {
			t.Errorf("read %q, %v", body, err)
		}
		hears(t, accepted, "three")
		break
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for f, err := range accepted.Frames(ended) {
		wants(t, "frames of a context that has ended", err, context.Canceled)
		if f.Data != nil {
			t.Errorf("and a frame %q", f.Data)
		}
	}
	caller.Close()
	for f, err := range accepted.Frames(soon(t)) {
		t.Errorf("after a clean end: %q, %v", f.Data, err)
	}
}

// A frame that is too long names the limit and its beginning, and what follows it is not taken for a frame.
func TestTooLong(t *testing.T) {
	long := strings.Repeat("0123456789", 20)
	for name, test := range map[string]struct {
		format, said, begins string
		size                 int
	}{
		"whole":     {"line", long + "\n", long[:64], 201},
		"unended":   {"line", long[:11], long[:11], 11},
		"announced": {"u32", "\x00\x0f\x42\x40abc", "\x00\x0f\x42\x40", 1_000_004},
	} {
		cfg := &parley.Config{Frame: frame.MustParse(test.format), MaxFrame: 10}
		caller, accepted := tcpPair(t, cfg)
		write(t, caller, test.said)
		var first error
		for i := range 3 {
			text, err := accepted.Receive(soon(t))
			wants(t, name, err, frame.ErrTooLong)
			var tooLong *frame.TooLongError
			if !errors.As(err, &tooLong) || text != nil {
				t.Fatalf("%s: %q, %v", name, text, err)
			}
			if tooLong.Limit != 10 || tooLong.Format != test.format || !strings.HasPrefix(string(tooLong.Heard), test.begins) || tooLong.Size < 11 {
				t.Errorf("%s: %+v", name, tooLong)
			}
			if name != "unended" && tooLong.Size > test.size {
				t.Errorf("%s: of %d bytes, want %d", name, tooLong.Size, test.size)
			}
			if i == 0 {
				first = err
				says(t, name, err, "receive "+caller.LocalAddr().String()+": frame "+test.format, "the limit is 10", "it begins with", "raise the limit")
				write(t, caller, "\nshort\n")
			}
			if err.Error() != first.Error() {
				t.Errorf("%s: first %v, then %v", name, first, err)
			}
		}
		send(t, accepted, "ok") // it can still be told so
		if name != "announced" {
			hears(t, caller, "ok")
		}
	}
}

func TestMaxFrame(t *testing.T) {
	for _, test := range []struct {
		limit, size int // of the frame with its end
		ok          bool
	}{
		{10, 10, true}, {10, 11, false}, {0, parley.DefaultMaxFrame, true}, {0, parley.DefaultMaxFrame + 1, false}, {-1, 3 << 20, true},
	} {
		caller, accepted := tcpPair(t, &parley.Config{MaxFrame: test.limit})
		text := strings.Repeat("x", test.size-1)
		go func() { _ = caller.Send(context.Background(), []byte(text)) }()
		got, err := accepted.Receive(soon(t))
		if (err == nil) != test.ok || test.ok && string(got) != text {
			t.Errorf("limit %d, a frame of %d bytes: %d bytes, %v", test.limit, test.size, len(got), err)
		}
	}
}

// What cannot be the beginning of a frame is told at once, and again.
func TestMalformed(t *testing.T) {
	caller, accepted := tcpPair(t, &parley.Config{Frame: frame.MustParse("netstring")})
	write(t, caller, "3:one,GET / HTTP/1.0")
	hears(t, accepted, "one")
	for range 2 {
		_, err := accepted.Receive(soon(t))
		wants(t, "no netstring", err, frame.ErrMalformed)
		says(t, "no netstring", err, "frame netstring", "expected a digit", `found "GET`, "same format")
	}
	got := make([]byte, 20)
	if n, err := accepted.Read(got); string(got[:n]) != "GET / HTTP/1.0" {
		t.Errorf("what is no frame can be read: %q, %v", got[:n], err)
	}
	write(t, caller, "3:two,")
	_, err := accepted.Receive(soon(t))
	wants(t, "nobody knows where a frame begins now", err, frame.ErrMalformed)
}

func TestHearFrame(t *testing.T) {
	asking := &parley.Config{Frame: frame.MustParse(`end "END REQUEST"`), HearFrame: frame.UntilClose()}
	answering := &parley.Config{Frame: frame.UntilClose(), HearFrame: frame.MustParse(`end "END REQUEST"`)}
	ln := listen(t, answering, "0")
	c := dial(t, asking, ln.Address())
	answered := make(chan error, 1)
	go func() {
		for c, err := range ln.Conns(soon(t)) {
			if err == nil {
				var request []byte
				request, err = c.Receive(soon(t))
				err = errors.Join(err, c.Send(soon(t), append([]byte("you said\n"), request...)), c.Close())
			}
			answered <- err
			return
		}
	}()
	reply, err := c.Ask(soon(t), []byte("a\nb"))
	if err != nil || string(reply) != "you said\na\nb" {
		t.Errorf("heard %q, %v", reply, err)
	}
	if err := <-answered; err != nil {
		t.Error(err)
	}
	if _, err := c.Receive(soon(t)); err != io.EOF {
		t.Errorf("there is exactly one frame that ends with the close: %v", err)
	}
}

// A frame that ends with the close is one frame even if it is empty.
func TestUntilCloseOfNothing(t *testing.T) {
	caller, accepted := tcpPair(t, &parley.Config{Frame: frame.UntilClose()})
	send(t, caller, "")
	text, err := accepted.Receive(soon(t))
	if err != nil || text == nil || len(text) != 0 {
		t.Errorf("heard %q, %v; want an empty frame", text, err)
	}
	if _, err := accepted.Receive(soon(t)); err != io.EOF {
		t.Error(err)
	}
	if !caller.State().SaidEnd {
		t.Error("the close is not said")
	}
}

func TestReplyToNobody(t *testing.T) {
	err := parley.Frame{Data: []byte("x")}.Reply(soon(t), []byte("y"))
	says(t, "a frame of one's own making", err, "send nobody: this frame came from no conversation")
	var e *parley.Error
	if !errors.As(err, &e) || e.Op != "send" {
		t.Errorf("%#v", err)
	}
}

// Texts that are the receiver's stay as they are whatever comes next.
func TestDataBelongsToTheReceiver(t *testing.T) {
	caller, accepted := tcpPair(t, new(parley.Config))
	write(t, caller, "one\ntwo\n")
	var texts [][]byte
	for range 2 {
		text, err := accepted.Receive(soon(t))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
	}
	_ = append(texts[0], "overwritten?"...)
	send(t, caller, "XXXXXXXXX")
	hears(t, accepted, "XXXXXXXXX")
	if string(texts[0]) != "one" || string(texts[1]) != "two" {
		t.Errorf("changed: %q", texts)
	}
}

// A caller that has a name shows it, whatever the transport.
func TestHostsAndPorts(t *testing.T) {
	caller, accepted := tcpPair(t, new(parley.Config))
	if caller.RemoteHost() != "127.0.0.1" || caller.RemotePort() != accepted.LocalPort() || caller.LocalPort() != accepted.RemotePort() || accepted.LocalHost() != "127.0.0.1" {
		t.Errorf("%s:%d called %s:%d", caller.LocalHost(), caller.LocalPort(), caller.RemoteHost(), caller.RemotePort())
	}
	if _, ok := caller.NetConn().(*net.TCPConn); !ok || caller.KeepsEdges() {
		t.Errorf("made of a %T that keeps edges: %v", caller.NetConn(), caller.KeepsEdges())
	}
	path := socketPath(t)
	caller, accepted = pair(t, new(parley.Config), path)
	if caller.RemoteHost() != path || accepted.LocalHost() != path || caller.RemotePort() != 0 || accepted.RemoteHost() != "" {
		t.Errorf("%q called %q", accepted.RemoteHost(), caller.RemoteHost())
	}
}
