package guard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"parley"
)

func TestFirstFrameWithin(t *testing.T) {
	const limit = 10 * time.Second
	for _, test := range []struct {
		name string
		say  func(st *stage, c *parley.Conn)
		want string // empty: it may go on
	}{
		{"silent", func(*stage, *parley.Conn) {}, "the caller said no whole frame in time: heard nothing within 10s"},
		{"byte by byte", func(st *stage, c *parley.Conn) {
			for range 9 {
				c.Write([]byte("x"))
				time.Sleep(time.Second)
			}
		}, "the caller said no whole frame in time: heard 9 bytes without the end of a line within 10s"},
		{"a frame", func(st *stage, c *parley.Conn) { st.served(c) }, ""},
		{"a frame and a half", func(st *stage, c *parley.Conn) {
			st.served(c)
			c.Write([]byte("half of one that is longer"))
		}, ""},
		{"at the last moment", func(st *stage, c *parley.Conn) {
			c.Write([]byte("x"))
			time.Sleep(limit - time.Nanosecond)
			c.Write([]byte("\n"))
		}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			onStage(t, &Guard{FirstFrameWithin: limit}, echo, func(st *stage) {
				began := time.Now()
				c := st.call("10.0.0.1")
				test.say(st, c)
				time.Sleep(time.Until(began.Add(100 * time.Second)))
				if test.want == "" {
					c.Write([]byte("\n"))
					if _, err := c.Receive(st.Context()); err != nil {
						t.Errorf("cut off: %v", err)
					}
					return
				}
				if err := st.lastEnd(); !errors.Is(err, ErrTooSlow) || err.Error() != test.want {
					t.Errorf("got %v, want %q", err, test.want)
				}
				if len(st.refused) > 0 {
					t.Errorf("Refused was told %v; the caller was let in", st.refused)
				}
			})
		})
	}
}

func TestFirstFrameClosesInTime(t *testing.T) {
	onStage(t, &Guard{FirstFrameWithin: 10 * time.Second}, echo, func(st *stage) {
		began := time.Now()
		c := st.call("10.0.0.1")
		if _, err := c.Receive(st.Context()); err != io.EOF || time.Since(began) != 10*time.Second {
			st.Errorf("heard %v after %v, want the end after 10s", err, time.Since(began))
		}
	})
}

// TestFirstFrameLookedAtBetweenTwoReads: a handler that does not wait just when it is looked at may have a part in hand only.
func TestFirstFrameLookedAtBetweenTwoReads(t *testing.T) {
	const limit = 10 * time.Second
	busy := func(ctx context.Context, c *parley.Conn) error {
		short, cancel := context.WithTimeout(ctx, limit/2)
		defer cancel()
		if part, err := c.Receive(short); !errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("heard %q, %v", part, err)
		}
		time.Sleep(limit)
		_, err := c.Receive(ctx)
		return err
	}
	onStage(t, &Guard{FirstFrameWithin: limit}, busy, func(st *stage) {
		c := st.call("10.0.0.1")
		c.Write([]byte("x"))
		time.Sleep(3 * limit)
		if err := st.lastEnd(); !errors.Is(err, ErrTooSlow) {
			t.Errorf("got %v, want it to be closed at the second look", err)
		}
	})
}

// Handlers that do not listen for frames.
func TestFirstFrameOtherHandlers(t *testing.T) {
	const limit = 10 * time.Second
	speaks := func(ctx context.Context, c *parley.Conn) error {
		for range 5 {
			time.Sleep(limit)
			if err := c.Send(ctx, []byte("a word")); err != nil {
				return err
			}
		}
		_, err := c.Receive(ctx)
		return err
	}
	takes := func(ctx context.Context, c *parley.Conn) error {
		_, err := c.WriteTo(io.Discard)
		return err
	}
	onStage(t, &Guard{FirstFrameWithin: limit}, speaks, func(st *stage) {
		c := st.call("10.0.0.1")
		for range 5 {
			if _, err := c.Receive(st.Context()); err != nil {
				st.Fatalf("a handler that does not listen was cut off: %v", err)
			}
		}
		if _, err := c.Receive(st.Context()); err != io.EOF || !errors.Is(st.lastEnd(), ErrTooSlow) {
			st.Errorf("heard %v, and the handler got %v; want it to be closed once it listens", err, st.lastEnd())
		}
	})
	onStage(t, &Guard{FirstFrameWithin: limit}, takes, func(st *stage) {
		c := st.call("10.0.0.1")
		c.Write([]byte("x"))
		silent := st.call("10.0.0.2")
		time.Sleep(2 * limit)
		if err := st.lastEnd(); !errors.Is(err, ErrTooSlow) {
			st.Errorf("a silent caller: got %v, want ErrTooSlow", err)
		}
		if _, err := silent.Receive(st.Context()); err != io.EOF {
			st.Errorf("a silent caller heard %v", err)
		}
		if _, err := c.Write([]byte("y")); err != nil {
			st.Errorf("who has said bytes was cut off: %v", err)
		}
		c.CloseWrite()
		if _, err := c.Receive(st.Context()); err != io.EOF || st.lastEnd() != nil {
			st.Errorf("heard %v, and the handler got %v", err, st.lastEnd())
		}
	})
}

func TestMaxTime(t *testing.T) {
	var cause error
	h := func(ctx context.Context, c *parley.Conn) error {
		err := echo(ctx, c)
		cause = context.Cause(ctx)
		return err
	}
	onStage(t, &Guard{MaxTime: time.Minute}, h, func(st *stage) {
		began := time.Now()
		c := st.call("10.0.0.1")
		for range 3 {
			time.Sleep(15 * time.Second)
			st.served(c)
		}
		if _, err := c.Receive(st.Context()); err != io.EOF || time.Since(began) != time.Minute {
			st.Errorf("heard %v after %v, want the end after a minute", err, time.Since(began))
		}
		const want = "the conversation took longer than it may: the limit is 1m0s"
		if err := st.lastEnd(); !errors.Is(err, ErrMaxTime) || err.Error() != want {
			st.Errorf("got %v, want %q", err, want)
		}
		if !errors.Is(cause, ErrMaxTime) {
			st.Errorf("the cause of the handler's context is %v", cause)
		}
		short := st.served(st.call("10.0.0.1"))
		st.left(short)
		if err := st.lastEnd(); err != nil {
			st.Errorf("a short conversation ended with %v", err)
		}
	})
}

// A handler that waits for nothing that ends with its context is cut off all the same.
func TestMaxTimeClosesConversation(t *testing.T) {
	deaf := func(_ context.Context, c *parley.Conn) error {
		_, err := c.Read(make([]byte, 1))
		return err
	}
	onStage(t, &Guard{MaxTime: time.Minute}, deaf, func(st *stage) {
		if _, err := st.call("10.0.0.1").Receive(st.Context()); err != io.EOF {
			st.Errorf("heard %v", err)
		}
		if err := st.lastEnd(); !errors.Is(err, ErrMaxTime) {
			st.Errorf("got %v, want ErrMaxTime", err)
		}
	})
}

// The handler has not ended before the close is done, or the Server would go on while it is under way.
func TestMaxTimeWaitsForClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slowToClose{newSender(), make(chan struct{})}
		done := make(chan error, 1)
		h := bound(func(ctx context.Context, _ *parley.Conn) error { <-ctx.Done(); return ctx.Err() }, time.Minute)
		go func() { done <- h(t.Context(), parley.NewConn(s, nil)) }()
		time.Sleep(time.Minute)
		synctest.Wait()
		select {
		case err := <-done:
			close(s.may)
			t.Fatalf("ended with %v while the conversation is being closed", err)
		default:
		}
		close(s.may)
		synctest.Wait()
		if err := <-done; !errors.Is(err, ErrMaxTime) {
			t.Errorf("got %v, want ErrMaxTime", err)
		}
	})
}

// A slowToClose is closed only once it may be.
type slowToClose struct {
	*sender
	may chan struct{}
}

func (s slowToClose) Close() error { <-s.may; return s.sender.Close() }

// The end of the Server's grace is not that of MaxTime.
func TestMaxTimeOtherEnd(t *testing.T) {
	g := &Guard{MaxTime: time.Hour}
	ctx, cancel := context.WithCancel(t.Context())
	h := g.Handler(func(ctx context.Context, c *parley.Conn) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	})
	if err := h(ctx, pipeConn(t)); !errors.Is(err, context.Canceled) || Reason(err) != "" {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// Without MaxTime the handler gets the very context of the Server, in which an idle conversation costs nothing.
func TestContextIsPassedAsIs(t *testing.T) {
	type key struct{}
	ctx := context.WithValue(t.Context(), key{}, 1)
	g := &Guard{MaxConns: 1, MaxPerHost: 1, Rate: 1, FirstFrameWithin: time.Hour}
	h := g.Handler(func(got context.Context, c *parley.Conn) error {
		if got != ctx {
			t.Error("the handler got another context")
		}
		return nil
	})
	if err := h(ctx, pipeConn(t)); err != nil {
		t.Error(err)
	}
}

// A conversation that is over is watched no more, also when its handler has panicked.
func TestWatchEnds(t *testing.T) {
	g := &Guard{FirstFrameWithin: time.Hour}
	v, err := g.admit(pipeConn(t))
	if err != nil {
		t.Fatal(err)
	}
	v.end()
	if !v.watch.ended || v.watch.timer.Stop() {
		t.Error("a conversation that is over is still watched")
	}
}
