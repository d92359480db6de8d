package parleytest_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"parley"
)

// Each test here keeps a mistake from coming back that has been made once.

// inBubble runs f with both ends of a conversation in memory, in a bubble of virtual time. Who waits there for ever is a
// failure at once.
func inBubble(t *testing.T, f func(t *testing.T, caller, accepted *parley.Conn)) {
	synctest.Test(t, func(t *testing.T) {
		cfg := memory()
		ln, err := cfg.Listen(t.Context(), "mem:")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		caller, err := cfg.Dial(t.Context(), ln.Address())
		if err != nil {
			t.Fatal(err)
		}
		defer caller.Close()
		nc, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		f(t, caller, nc.(*parley.Conn))
	})
}

// say says a line as one who waits for no reply.
func say(t *testing.T, c *parley.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text+"\n"); err != nil {
		t.Fatal(err)
	}
}

// A loop body may ask under the loop's own context: when it ends the Ask returns, and the loop ends.
func TestFramesAskUnderOneContext(t *testing.T) {
	inBubble(t, func(t *testing.T, caller, accepted *parley.Conn) {
		say(t, accepted, "hello")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		var last error
		turns := 0
		for f, err := range caller.Frames(ctx) {
			turns++
			if last = err; err != nil {
				continue
			}
			if _, err := caller.Ask(ctx, f.Data); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Ask returned %v, want the end of its context", err)
			}
		}
		if turns != 2 || !errors.Is(last, context.DeadlineExceeded) {
			t.Errorf("%d turns, the last with the error %v; want a frame, and the end of the context", turns, last)
		}
		if took := time.Since(began); took != time.Minute {
			t.Errorf("the loop ended after %v, its context after a minute", took)
		}
	})
}

// The end of the context of Frames is for Frames only, not for whoever else hears the conversation meanwhile.
func TestFramesContextHurtsNobodyElse(t *testing.T) {
	for what, hear := range map[string]func(c *parley.Conn) ([]byte, error){
		"Receive": func(c *parley.Conn) ([]byte, error) { return c.Receive(context.Background()) },
		"Ask":     func(c *parley.Conn) ([]byte, error) { return c.Ask(context.Background(), []byte("?")) },
		"Read": func(c *parley.Conn) ([]byte, error) {
			p := make([]byte, 4)
			_, err := io.ReadFull(c, p)
			return p, err
		},
	} {
		t.Run(what, func(t *testing.T) {
			inBubble(t, func(t *testing.T, caller, accepted *parley.Conn) {
				say(t, accepted, "hello")
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go func() {
					synctest.Wait() // the loop body hears
					cancel()
					synctest.Wait()
					_, _ = io.WriteString(accepted, "more\n")
				}()
				turns := 0
				for _, err := range caller.Frames(ctx) {
					if turns++; err != nil {
						break
					}
					heard := make(chan error, 1)
					go func() {
						text, err := hear(caller)
						if err == nil && string(text) != "more" {
							err = errors.New("heard " + string(text))
						}
						heard <- err
					}()
					if err := <-heard; err != nil {
						t.Errorf("the context of Frames ended, and %s got %v", what, err)
					}
				}
				if turns != 2 {
					t.Errorf("%d turns, want a frame and the end of the context", turns)
				}
			})
		})
	}
}

// One large Write to a slow reader goes on for many times Idle: as long as it moves it is not idle.
func TestServerIdleLetsSlowTransfersGoOn(t *testing.T) {
	const size = 2 << 20
	for what, say := range map[string]func(ctx context.Context, c *parley.Conn) error{
		"Write": func(_ context.Context, c *parley.Conn) error { _, err := c.Write(make([]byte, size)); return err },
		"Send":  func(ctx context.Context, c *parley.Conn) error { return c.Send(ctx, make([]byte, size)) },
	} {
		t.Run(what, func(t *testing.T) {
			var said error // to be read when Serve has returned
			handler := func(ctx context.Context, c *parley.Conn) error { said = say(ctx, c); return said }
			onStage(t, &parley.Server{Handler: handler, Idle: 8 * time.Second}, func(st *stage) {
				c := st.call("a")
				heard, p := 0, make([]byte, 64<<10)
				for heard < size {
					n, err := io.ReadFull(c, p)
					if heard += n; err != nil {
						st.Errorf("heard %d bytes of %d, and then %v", heard, size, err)
						break
					}
					time.Sleep(5 * time.Second) // virtual
				}
				synctest.Wait()
				st.stop()
				st.ended(nil)
				if said != nil {
					st.Errorf("%s of what a slow reader takes: %v", what, said)
				}
			})
		})
	}
}

// The same Server closes a transfer that does not move.
func TestServerIdleEndsStuckTransfers(t *testing.T) {
	var got error
	stuck := func(_ context.Context, c *parley.Conn) error { _, got = c.Write(make([]byte, 2<<20)); return nil }
	onStage(t, &parley.Server{Handler: stuck, Idle: 8 * time.Second}, func(st *stage) {
		st.call("a")
		time.Sleep(time.Minute)
		st.stop()
		st.ended(nil)
		if !errors.Is(got, parley.ErrIdle) {
			st.Errorf("Write to one who does not read: %v, want ErrIdle", got)
		}
	})
}
