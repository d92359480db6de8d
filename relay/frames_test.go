package relay_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley"
	"parley/frame"
	"parley/internal/sys"
	"parley/relay"
)

// udpPair is pair for datagrams, whose caller must speak first: it has said, and the other has heard, "hello".
func udpPair(t *testing.T, cfg *parley.Config, params string) (caller, accepted *parley.Conn) {
	t.Helper()
	if cfg == nil {
		cfg = new(parley.Config)
	}
	ln, err := cfg.Listen(soon(t), "udp:127.0.0.1:0"+params)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if caller, err = cfg.Dial(soon(t), ln.Address()); err != nil {
		t.Fatal(err)
	}
	say(t, caller, "hello")
	nc, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	accepted = nc.(*parley.Conn)
	t.Cleanup(func() { caller.Close(); accepted.Close() })
	hearsFrame(t, accepted, "hello")
	return caller, accepted
}

func say(t testing.TB, c *parley.Conn, text string) {
	t.Helper()
	if err := c.Send(soon(t), []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func hearsFrame(t testing.TB, c *parley.Conn, want string) {
	t.Helper()
	if got, err := c.Receive(soon(t)); string(got) != want || err != nil {
		t.Fatalf("heard %.100q, %v; want %.100q", got, err, want)
	}
}

// Datagrams stay what they are, empty ones too.
func TestDatagramsKeepTheirEdges(t *testing.T) {
	client, a := udpPair(t, nil, "")
	b, server := udpPair(t, nil, "")
	j := joinConns(t, client, a, b, server, nil)
	texts := []string{"one", "", strings.Repeat("x", 60_000), "two\nlines\n"}
	for _, text := range texts {
		say(t, client, text)
		hearsFrame(t, server, text)
		say(t, server, text+"!")
		hearsFrame(t, client, text+"!")
	}
	why := errors.New("enough")
	j.stop(why)
	stats, err := j.wait(t)
	if err != why || stats.AtoB.Frames != 4 || stats.AtoB.Bytes != 60_013 || stats.BtoA.Bytes != 60_017 {
		t.Errorf("%+v, %v", stats, err)
	}
}

// Lines of a stream become datagrams, and back; any format does, each end in its own.
func TestFramesAreConverted(t *testing.T) {
	lines, packets, lengths := &parley.Config{}, &parley.Config{Frame: frame.Packet()}, &parley.Config{Frame: frame.MustParse("u32")}
	all := streams()
	toUDP := func() *joined {
		client, a := all[0].pair(t, lines)
		b, server := udpPair(t, packets, "")
		return joinConns(t, client, a, b, server, nil)
	}
	fromUDP := func() *joined {
		client, a := udpPair(t, packets, "")
		b, server := all[2].pair(t, lines)
		return joinConns(t, client, a, b, server, nil)
	}
	for name, j := range map[string]*joined{
		"lines to datagrams":   toUDP(),
		"datagrams to lines":   fromUDP(),
		"lines to lengths":     join(t, all[0], all[1], &relay.Options{Frames: true}, lines, lengths),
		"lengths to lines":     join(t, all[2], all[3], &relay.Options{Frames: true}, lengths, lines),
		"many at once":         join(t, all[0], all[0], &relay.Options{Frames: true}, lines, lengths),
		"lines to other lines": join(t, all[0], all[1], &relay.Options{Frames: true}, lines, &parley.Config{Frame: frame.MustParse("crlf")}),
	} {
		t.Run(name, func(t *testing.T) {
			for range 3 {
				say(t, j.client, "question")
				say(t, j.client, "and another")
				hearsFrame(t, j.server, "question")
				hearsFrame(t, j.server, "and another")
				say(t, j.server, "answer")
				hearsFrame(t, j.client, "answer")
			}
		})
	}
}

// The end of lines is passed on, and that of the last frame is there whatever came before.
func TestFramesEnd(t *testing.T) {
	all := streams()
	j := join(t, all[0], all[0], &relay.Options{Frames: true})
	say(t, j.client, "last")
	closeWrite(t, j.client)
	hearsFrame(t, j.server, "last")
	if _, err := j.server.Receive(soon(t)); err != io.EOF {
		t.Error(err)
	}
	say(t, j.server, "answer")
	closeWrite(t, j.server)
	hearsFrame(t, j.client, "answer")
	stats, err := j.wait(t)
	if want := (relay.Direction{Bytes: 4, Frames: 1, Ended: true}); err != nil || stats.AtoB != want {
		t.Errorf("%+v, %v", stats, err)
	}
}

// What cannot be passed on as it is, is not passed on as something else.
func TestFramesThatCannotBe(t *testing.T) {
	all := streams()
	lines := &parley.Config{}
	for _, test := range []struct {
		name  string
		said  string
		cfg   *parley.Config // of the client's side
		words []string
		want  error
	}{
		{"too long for a datagram", strings.Repeat("x", 70_000), lines, []string{"70000 bytes", "65507", "server"}, nil},
		{"over the limit", strings.Repeat("x", 2000), &parley.Config{MaxFrame: 1000}, []string{"1000", "client"}, frame.ErrTooLong},
	} {
		t.Run(test.name, func(t *testing.T) {
			client, a := all[0].pair(t, test.cfg)
			b, server := udpPair(t, nil, "")
			j := joinConns(t, client, a, b, server, nil)
			write(t, client, "first\n"+test.said+"\n")
			hearsFrame(t, server, "first")
			_, err := j.wait(t)
			says(t, err, test.words...)
			if test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("%v is not %v", err, test.want)
			}
			hearsReset(t, client)
		})
	}
	t.Run("the other's end mark", func(t *testing.T) {
		client, a := udpPair(t, nil, "")
		b, server := all[0].pair(t, lines)
		j := joinConns(t, client, a, b, server, nil)
		say(t, client, "one line")
		say(t, client, "two\nlines")
		hearsFrame(t, server, "one line")
		_, err := j.wait(t)
		names(t, err, "send", j.b)
		if !errors.Is(err, frame.ErrContainsEnd) {
			t.Error(err)
		}
		hearsReset(t, server)
	})
	t.Run("the end in the middle of a frame", func(t *testing.T) {
		j := join(t, all[0], all[0], &relay.Options{Frames: true})
		write(t, j.client, "whole\npart")
		closeWrite(t, j.client)
		hearsFrame(t, j.server, "whole")
		hearsReset(t, j.server)
		_, err := j.wait(t)
		names(t, err, "receive", j.a)
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Error(err)
		}
	})
}

// A target that nobody listens on is an error, which ends the conversation.
func TestDatagramsRefused(t *testing.T) {
	client, a := udpPair(t, nil, "")
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b, err := parley.Dial(soon(t), "udp:"+pc.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	pc.Close()
	j := joinConns(t, client, a, b, b, nil)
	say(t, client, "is anybody there?")
	_, err = j.wait(t)
	if names(t, err, "receive", j.b); err == nil {
		t.Error("no error")
	}
}

// That nobody listens is told of also when the other end has ended, and is no silence then.
func TestDatagramsRefusedAfterTheEnd(t *testing.T) {
	for range 20 { // as it is told to who asks first
		client, a := streams()[0].pair(t, nil)
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		b, err := parley.Dial(soon(t), "udp:"+pc.LocalAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		pc.Close()
		write(t, client, "is anybody there?\n")
		closeWrite(t, client)
		j := joinConns(t, client, a, b, b, &relay.Options{Silence: time.Hour})
		_, err = j.wait(t)
		if names(t, err, "receive", j.b); !sys.Refused.Is(err) {
			t.Fatal(err)
		}
	}
}

// datagramEnd is one end of a conversation of datagrams in memory, in the time of a bubble. It cannot say its end.
type datagramEnd struct{ net.Conn }

func (datagramEnd) LocalAddr() net.Addr  { return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 7} }
func (datagramEnd) RemoteAddr() net.Addr { return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8} }

func datagramPair() (caller, accepted *parley.Conn) {
	x, y := net.Pipe()
	return parley.NewConn(datagramEnd{x}, nil), parley.NewConn(datagramEnd{y}, nil)
}

// Datagrams that cannot end have ended when they have been silent for Silence after the other's end, and not before.
func TestSilence(t *testing.T) {
	for _, silence := range []time.Duration{0, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			client, a := place{name: "mem", address: func(testing.TB) string { return "mem:" }, network: streams()[3].network}.pair(t, nil)
			b, server := datagramPair()
			j := joinConns(t, client, a, b, server, &relay.Options{Silence: silence})
			limit := silence
			if limit == 0 {
				limit = relay.DefaultSilence
			}
			time.Sleep(10 * limit) // it says nothing, and the other has not ended
			say(t, client, "question")
			hearsFrame(t, server, "question")
			closeWrite(t, client)
			for range 5 {
				time.Sleep(limit - time.Second)
				say(t, server, "answer")
				hearsFrame(t, client, "answer")
			}
			began := time.Now()
			if _, err := client.Receive(t.Context()); err != io.EOF || time.Since(began) != limit {
				t.Errorf("%v after %v, want io.EOF after %v", err, time.Since(began), limit)
			}
			stats, err := j.wait(t)
			if err != nil || stats.AtoB.Ended || !stats.BtoA.Ended || stats.BtoA.Frames != 5 {
				t.Errorf("%+v, %v", stats, err)
			}
			server.Close()
		})
	}
}

// A sender of datagrams who has ended ends the conversation with those that were dialled for him.
func TestSilentSenderEndsBoth(t *testing.T) {
	client, a := udpPair(t, nil, "?idle=50ms")
	b, server := udpPair(t, nil, "?idle=1h")
	j := joinConns(t, client, a, b, server, &relay.Options{Silence: time.Hour})
	stats, err := j.wait(t)
	if err != nil || stats.AtoB.Ended {
		t.Errorf("%+v, %v", stats, err)
	}
}
