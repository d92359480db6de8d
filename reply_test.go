package parley_test

import (
	"context"
	"io"
	"testing"

	"parley"
)

// TestReplyAfterTheEnd: a caller that says its end right after its request is still there to hear the reply.
func TestReplyAfterTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ln, err := parley.Listen(ctx, "0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	over := make(chan struct{})
	go func() {
		defer close(over)
		for f, err := range ln.Frames(ctx) {
			if err == nil {
				err = f.Reply(ctx, f.Data)
			}
			if err != nil {
				t.Error(err)
			}
		}
	}()
	for range 200 {
		if got := askAndEnd(t, ln.Address()); got != "hi\n" {
			t.Fatalf("the reply is %q, want %q", got, "hi\n")
		}
	}
	cancel()
	<-over
}

// askAndEnd says a request and the end, and returns all that it hears.
func askAndEnd(t *testing.T, address string) string {
	t.Helper()
	c, err := parley.Dial(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Send(t.Context(), []byte("hi")); err != nil {
		t.Fatal(err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	heard, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(heard)
}
