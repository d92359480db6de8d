package relay

import (
	"bytes"
	"context"
	"errors"
	"net"
	"testing"

	"parley"
	"parley/transcript"
)

// deafTarget takes nothing.
type deafTarget struct {
	net.Conn
	waits chan struct{} // closed when something is said to it
}

func (d *deafTarget) Write(p []byte) (int, error) { close(d.waits); return d.Conn.Write(p) }

// joinRouted has a Relay hear a beginning, find target by it, and join both. The caller has ended.
func joinRouted(t *testing.T, ctx context.Context, target net.Conn, tap *Tap) (said int, stats Stats, err error) {
	hello := helloOf(t, "api.example")
	route, err := ParseRoute("sni:api.example=the target")
	if err != nil {
		t.Fatal(err)
	}
	r := &Relay{Routes: []Route{route}, Options: Options{Tap: tap}}
	r.Dial = func(context.Context, string) (*parley.Conn, error) { return parley.NewConn(target, nil), nil }
	r.Ended = func(_ *parley.Conn, _ string, s Stats, _ error) { stats = s }
	caller, c := net.Pipe()
	defer caller.Close()
	go func() { _, _ = caller.Write(hello); caller.Close() }()
	err = r.Handle(ctx, parley.NewConn(c, nil))
	return len(hello), stats, err
}

// What was heard to find the route is said under ctx: a target that takes nothing does not hold it.
func TestContextEndsFirstWords(t *testing.T) {
	why := errors.New("time is up")
	ctx, cancel := context.WithCancelCause(t.Context())
	here, there := net.Pipe()
	defer there.Close()
	target := &deafTarget{here, make(chan struct{})}
	go func() { <-target.waits; cancel(why) }()
	if _, stats, err := joinRouted(t, ctx, target, nil); !errors.Is(err, why) || stats.AtoB.Bytes != 0 {
		t.Errorf("%+v, %v", stats, err)
	}
}

// What was heard to find the route counts, and is in the transcript.
func TestFirstWordsCount(t *testing.T) {
	var out bytes.Buffer
	tap := NewTap(&out, TapOptions{Keep: -1})
	here, there := net.Pipe()
	heard := make(chan int)
	go func() {
		n, _ := there.Read(make([]byte, 64<<10))
		there.Close()
		heard <- n
	}()
	said, stats, err := joinRouted(t, t.Context(), here, tap)
	if got := <-heard; got != said || stats.AtoB.Bytes != int64(said) {
		t.Errorf("the target heard %d bytes of %d; %+v, %v", got, said, stats, err)
	}
	if err := tap.Close(); err != nil {
		t.Fatal(err)
	}
	told := 0
	for l, err := range transcript.NewReader(&out).Lines() {
		if err != nil {
			t.Fatal(err)
		}
		if frame, ok := l.(transcript.Frame); ok {
			told += len(frame.Data)
		}
	}
	if told != said {
		t.Errorf("the transcript has %d bytes of %d", told, said)
	}
}
