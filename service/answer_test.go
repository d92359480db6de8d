package service_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"parley"
	"parley/frame"
	"parley/service"
)

// answering serves h on address until the test ends, and returns where to call.
func answering(t *testing.T, address string, cfg parley.Config, h parley.Handler) string {
	t.Helper()
	ln, err := cfg.Listen(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	done := make(chan struct{})
	s := parley.Server{Handler: h, Grace: time.Minute}
	go func() {
		defer close(done)
		if err := s.Serve(ctx, ln); err != nil {
			t.Errorf("Serve: %v", err)
		}
	}()
	t.Cleanup(func() { end(); <-done })
	return ln.Address()
}

// inTime is a context for what must not hang.
func inTime(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// calls dials address, and closes the conversation when the test ends, before the server.
func calls(t *testing.T, address string, cfg parley.Config) *parley.Conn {
	t.Helper()
	c, err := cfg.Dial(inTime(t), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// asks wants each reply in turn: pairs of what is asked and what is to be heard.
func asks(t *testing.T, c *parley.Conn, pairs ...string) {
	t.Helper()
	for i := 0; i+1 < len(pairs); i += 2 {
		reply, err := c.Ask(inTime(t), []byte(pairs[i]))
		if string(reply) != pairs[i+1] || err != nil {
			t.Errorf("asked %.50q, heard %.50q, %v; want %.50q", pairs[i], reply, err, pairs[i+1])
		}
	}
}

// ends wants the other end to have ended.
func ends(t *testing.T, c *parley.Conn) {
	t.Helper()
	if text, err := c.Receive(inTime(t)); err != io.EOF {
		t.Errorf("heard %q, %v; want the end", text, err)
	}
}

func upper(_ context.Context, request []byte) ([]byte, error) { return bytes.ToUpper(request), nil }

func TestAnswer(t *testing.T) {
	c := calls(t, answering(t, "tcp:0", parley.Config{}, service.Answer(upper)), parley.Config{})
	asks(t, c, "one", "ONE", "", "", "two words", "TWO WORDS")
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	ends(t, c)
}

// A reply that ends with the close is the last, and not lost because the caller has said more.
func TestAnswerUntilClose(t *testing.T) {
	address := answering(t, "tcp:0", parley.Config{Frame: frame.UntilClose(), HearFrame: frame.Line()}, service.Answer(upper))
	c := calls(t, address, parley.Config{Frame: frame.Line(), HearFrame: frame.UntilClose()})
	if _, err := c.Write([]byte("one\ntwo\nthree\n")); err != nil {
		t.Fatal(err)
	}
	reply, err := c.Receive(inTime(t))
	if string(reply) != "ONE" || err != nil {
		t.Errorf("heard %q, %v", reply, err)
	}
	ends(t, c)
}

func TestAnswerFails(t *testing.T) {
	no := errors.New("no reply today")
	ended := make(chan error, 1)
	h := service.Answer(func(context.Context, []byte) ([]byte, error) { return nil, no })
	c := calls(t, answering(t, "tcp:0", parley.Config{}, func(ctx context.Context, c *parley.Conn) error {
		err := h(ctx, c)
		ended <- err
		return nil
	}), parley.Config{})
	if err := c.Send(inTime(t), []byte("x")); err != nil {
		t.Fatal(err)
	}
	ends(t, c)
	if err := <-ended; !errors.Is(err, no) {
		t.Errorf("the handler returned %v, want what reply failed with", err)
	}
}

// One datagram is one request and one reply, and a bad one concerns nobody else.
func TestAnswerDatagrams(t *testing.T) {
	address := answering(t, "udp:127.0.0.1:0", parley.Config{Frame: frame.MustParse("u8")}, service.Answer(upper))
	c := calls(t, address, parley.Config{Frame: frame.Packet()})
	if err := c.Send(inTime(t), []byte("\x09short")); err != nil {
		t.Fatal(err)
	}
	asks(t, c, "\x03abc", "\x03ABC")
}

// A datagram that gets no reply costs only itself; why is told at the end.
func TestAnswerDatagramsGoOn(t *testing.T) {
	no := errors.New("no")
	h := service.Answer(func(_ context.Context, request []byte) ([]byte, error) {
		switch string(request) {
		case "fail":
			return nil, no
		case "long":
			return make([]byte, 300), nil
		}
		return request, nil
	})
	for _, first := range []string{"fail", "long"} {
		s := &sender{port: 40000}
		for _, text := range []string{first, "one", "long", "fail", "two"} {
			s.said = append(s.said, append([]byte{byte(len(text))}, text...))
		}
		err := h(t.Context(), parley.NewConn(s, &parley.Config{Frame: frame.MustParse("u8")}))
		if errors.Is(err, no) != (first == "fail") || err == nil {
			t.Errorf("the handler returned %v, want the failure of the first", err)
		}
		if got := string(bytes.Join(s.answered, nil)); got != "\x03one\x03two" {
			t.Errorf("answered %q", got)
		}
	}
}

func ExampleAnswer() {
	backwards := func(_ context.Context, request []byte) ([]byte, error) {
		slices.Reverse(request)
		return request, nil
	}
	address, end := serve(service.Answer(backwards))
	defer end()

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := parley.Dial(ctx, address)
	if err != nil {
		panic(err)
	}
	defer c.Close()
	reply, _ := c.Ask(ctx, []byte("parley"))
	fmt.Println(string(reply))
	// Output: yelrap
}
