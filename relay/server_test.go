package relay_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"parley"
	"parley/parleytest"
	"parley/relay"
)

// A Server's graceful end leaves what is joined alone until the grace is over; then both ends are broken off.
func TestServerEnding(t *testing.T) {
	for _, frames := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) { testServerEnding(t, frames) })
	}
}

func testServerEnding(t *testing.T, frames bool) {
	cfg := &parley.Config{Schemes: []parley.Scheme{new(parleytest.Network).Scheme()}}
	front, err := cfg.Listen(t.Context(), "mem:front")
	if err != nil {
		t.Fatal(err)
	}
	back, err := cfg.Listen(t.Context(), "mem:back")
	if err != nil {
		t.Fatal(err)
	}
	joinErr := make(chan error, 1)
	server := &parley.Server{Grace: time.Minute, Handler: func(ctx context.Context, c *parley.Conn) error {
		to, err := cfg.Dial(ctx, "mem:back")
		if err == nil {
			_, err = relay.Join(ctx, c, to, &relay.Options{Frames: frames})
		}
		joinErr <- err
		return err
	}}
	ctx, end := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, front) }()
	client, err := cfg.Dial(t.Context(), "mem:front")
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	nc, err := back.Accept()
	if err != nil {
		t.Fatal(err)
	}
	target := nc.(*parley.Conn)
	defer target.Close()
	back.Close()

	say(t, client, "before")
	hearsFrame(t, target, "before")
	synctest.Wait()
	end()
	time.Sleep(time.Second)
	say(t, target, "the answer takes its time")
	hearsFrame(t, client, "the answer takes its time")
	if !frames {
		say(t, client, "and so does the next question")
		hearsFrame(t, target, "and so does the next question")
	}
	began := time.Now()
	if _, err := target.Read(make([]byte, 1)); err == nil || time.Since(began) != 59*time.Second {
		t.Errorf("the target: %v after %v", err, time.Since(began))
	}
	if err := <-joinErr; !errors.Is(err, parley.ErrServerEnding) {
		t.Errorf("Join: %v", err)
	}
	if err := <-served; !errors.Is(err, parley.ErrServerEnding) {
		t.Errorf("Serve: %v", err)
	}
	_, _ = io.Copy(io.Discard, client)
}
