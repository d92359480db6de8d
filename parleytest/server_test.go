package parleytest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"parley"
	"parley/parleytest"
)

// A stage is a Server on a network in memory, in a bubble of virtual time.
type stage struct {
	*testing.T
	cfg    *parley.Config
	ln     *parley.Listener
	stop   context.CancelFunc // ends the Server
	served chan error         // what Serve returned
	log    bytes.Buffer       // to be read when Serve has returned
}

// onStage runs f in a bubble where s serves. Serve has to be ended by f or is ended after it.
func onStage(t *testing.T, s *parley.Server, f func(st *stage)) {
	synctest.Test(t, func(t *testing.T) {
		st := &stage{T: t, cfg: memory(), served: make(chan error, 1)}
		ln, err := st.cfg.Listen(t.Context(), "mem:server")
		if err != nil {
			t.Fatal(err)
		}
		s.Log = slog.New(slog.NewTextHandler(&st.log, nil))
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		st.ln, st.stop = ln, stop
		go func() { st.served <- s.Serve(ctx, ln) }()
		f(st)
	})
}

// call is a new conversation with the Server by a caller of that name.
func (st *stage) call(name string) *parley.Conn {
	st.Helper()
	c, err := st.cfg.Dial(st.Context(), "mem:server?from="+name)
	if err != nil {
		st.Fatal(err)
	}
	st.Cleanup(func() { c.Close() })
	return c
}

func (st *stage) ask(c *parley.Conn, question, want string) {
	st.Helper()
	reply, err := c.Ask(st.Context(), []byte(question))
	if err != nil || string(reply) != want {
		st.Fatalf("asked %q: heard %q and the error %v, want %q", question, reply, err, want)
	}
}

// hearsEnd fails unless the Server closes c without another word.
func (st *stage) hearsEnd(c *parley.Conn) {
	st.Helper()
	if text, err := c.Receive(st.Context()); err != io.EOF {
		st.Fatalf("heard %q and the error %v, want io.EOF", text, err)
	}
}

func (st *stage) ended(want error) {
	st.Helper()
	if err := <-st.served; !errors.Is(err, want) {
		st.Fatalf("Serve returned %v, want %v", err, want)
	}
}

// echoing answers every frame, and keeps its last error in *last.
func echoing(last *atomic.Pointer[error]) parley.Handler {
	return func(ctx context.Context, c *parley.Conn) error {
		for f, err := range c.Frames(ctx) {
			if err == nil {
				err = f.Reply(ctx, f.Data)
			}
			if err != nil {
				last.Store(&err)
				return err
			}
		}
		return nil
	}
}

func lastError(last *atomic.Pointer[error]) error {
	if err := last.Load(); err != nil {
		return *err
	}
	return nil
}

func TestServerIdle(t *testing.T) {
	var last atomic.Pointer[error]
	onStage(t, &parley.Server{Handler: echoing(&last), Idle: 8 * time.Second}, func(st *stage) {
		c := st.call("a")
		for range 5 { // a conversation that goes on is not idle, however long it is
			time.Sleep(7 * time.Second)
			st.ask(c, "still here", "still here")
		}
		fell := time.Now()
		st.hearsEnd(c)
		if quiet := time.Since(fell); quiet < 8*time.Second || quiet > 10*time.Second {
			st.Errorf("closed after %v in which nothing was said, want Idle (8s) or up to two sweeps later", quiet)
		}
		synctest.Wait()
		if err := lastError(&last); !errors.Is(err, parley.ErrIdle) {
			st.Errorf("the handler got %v, want ErrIdle", err)
		}
		st.stop()
		st.ended(nil)
	})
}

func TestServerEndsBetweenFrames(t *testing.T) {
	var last atomic.Pointer[error]
	onStage(t, &parley.Server{Handler: echoing(&last)}, func(st *stage) {
		c := st.call("a")
		st.ask(c, "hello", "hello")
		began := time.Now()
		st.stop()
		st.ended(nil)
		if took := time.Since(began); took != 0 {
			st.Errorf("Serve took %v to end though nobody was in the middle of a frame", took)
		}
		st.hearsEnd(c)
		if err := lastError(&last); !errors.Is(err, parley.ErrServerEnding) {
			st.Errorf("the handler got %v, want ErrServerEnding", err)
		}
		if st.log.Len() > 0 {
			st.Errorf("a Server that ends as it should has nothing to log, but said %s", &st.log)
		}
	})
}

// A caller whose frame has begun when the Server is told to end may finish it, and gets its reply.
func TestServerLetsFramesFinish(t *testing.T) {
	var last atomic.Pointer[error]
	onStage(t, &parley.Server{Handler: echoing(&last)}, func(st *stage) {
		c := st.call("a")
		io.WriteString(c, "Hello ")
		synctest.Wait()
		st.stop()
		time.Sleep(parley.DefaultGrace - time.Second)
		io.WriteString(c, "there!\n")
		if text, err := c.Receive(st.Context()); string(text) != "Hello there!" {
			st.Fatalf("heard %q and the error %v, want the reply to the frame that had begun", text, err)
		}
		st.hearsEnd(c)
		st.ended(nil)
		if err := lastError(&last); !errors.Is(err, parley.ErrServerEnding) {
			st.Errorf("the handler got %v, want ErrServerEnding", err)
		}
	})
}

// Read knows no frames: a handler that reads bytes is not interrupted within the grace.
func TestServerLetsReadsFinish(t *testing.T) {
	var last atomic.Pointer[error]
	copying := func(ctx context.Context, c *parley.Conn) error {
		_, err := io.Copy(struct{ io.Writer }{c}, struct{ io.Reader }{c})
		last.Store(&err)
		return err
	}
	onStage(t, &parley.Server{Handler: copying}, func(st *stage) {
		c := st.call("a")
		st.ask(c, "before", "before")
		st.stop()
		synctest.Wait()
		st.ask(c, "after", "after")
		c.CloseWrite()
		st.hearsEnd(c)
		st.ended(nil)
		if err := lastError(&last); err != nil {
			st.Errorf("the handler got %v, want nil", err)
		}
	})
}

// A handler that waits for the reply to its own question is in the middle of something, and may finish.
func TestServerLetsAsksFinish(t *testing.T) {
	asking := func(ctx context.Context, c *parley.Conn) error {
		name, err := c.Ask(ctx, []byte("your name?"))
		if err != nil {
			return err
		}
		return c.Send(ctx, append([]byte("good bye, "), name...))
	}
	onStage(t, &parley.Server{Handler: asking}, func(st *stage) {
		c := st.call("a")
		if text, err := c.Receive(st.Context()); string(text) != "your name?" {
			st.Fatal(string(text), err)
		}
		st.stop()
		synctest.Wait()
		st.ask(c, "Ada", "good bye, Ada")
		st.ended(nil)
	})
}

// A handler that heeds nothing is cut off at the end of the grace: its context ends, and its conversation is closed.
func TestServerGrace(t *testing.T) {
	for _, test := range []struct {
		name        string
		grace, want time.Duration
	}{
		{"default", 0, parley.DefaultGrace},
		{"long", time.Hour, time.Hour},
	} {
		t.Run(test.name, func(t *testing.T) {
			var ctxEnded, readErr error
			stubborn := func(ctx context.Context, c *parley.Conn) error {
				<-ctx.Done()
				ctxEnded = ctx.Err()
				_, readErr = c.Receive(context.WithoutCancel(ctx))
				return readErr
			}
			onStage(t, &parley.Server{Handler: stubborn, Grace: test.grace}, func(st *stage) {
				c := st.call("a")
				synctest.Wait()
				began := time.Now()
				st.stop()
				st.ended(parley.ErrServerEnding)
				if took := time.Since(began); took != test.want {
					st.Errorf("cut off after %v, want after the grace of %v", took, test.want)
				}
				st.hearsEnd(c)
				if ctxEnded == nil || !errors.Is(readErr, parley.ErrServerEnding) {
					st.Errorf("the handler's context ended with %v, its Receive with %v; want ErrServerEnding", ctxEnded, readErr)
				}
			})
		})
	}
}

func TestServerGraceWithoutLimit(t *testing.T) {
	var finish chan bool
	patient := func(context.Context, *parley.Conn) error { <-finish; return nil }
	onStage(t, &parley.Server{Handler: patient, Grace: -1}, func(st *stage) {
		finish = make(chan bool) // in the bubble, or else its time stands still while somebody waits on it
		st.call("a")
		synctest.Wait()
		st.stop()
		time.Sleep(1000 * time.Hour)
		select {
		case err := <-st.served:
			st.Fatalf("Serve returned %v, though Grace is negative and a handler still runs", err)
		default:
		}
		finish <- true
		st.ended(nil)
	})
}

func TestServerMaxConns(t *testing.T) {
	var now, most atomic.Int64
	counting := func(ctx context.Context, c *parley.Conn) error {
		most.Store(max(most.Load(), now.Add(1)))
		defer now.Add(-1)
		var last atomic.Pointer[error]
		return echoing(&last)(ctx, c)
	}
	onStage(t, &parley.Server{Handler: counting, MaxConns: 2}, func(st *stage) {
		a, b, third := st.call("a"), st.call("b"), st.call("third")
		st.ask(a, "hello", "hello")
		st.ask(b, "hello", "hello")
		if err := third.Send(st.Context(), []byte("me too")); err != nil {
			st.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(st.Context(), time.Hour)
		if text, err := third.Receive(ctx); !errors.Is(err, context.DeadlineExceeded) {
			st.Errorf("the third caller heard %q and the error %v, want to wait until another has gone", text, err)
		}
		cancel()
		a.Close()
		if text, err := third.Receive(st.Context()); string(text) != "me too" {
			st.Errorf("the third caller heard %q and the error %v when there was a place for it", text, err)
		}
		b.Close()
		third.Close()
		st.stop()
		st.ended(nil)
		if most.Load() != 2 {
			st.Errorf("%d conversations were held at once, want 2", most.Load())
		}
	})
}

func TestServerMaxPerHost(t *testing.T) {
	var last atomic.Pointer[error]
	onStage(t, &parley.Server{Handler: echoing(&last), MaxPerHost: 2}, func(st *stage) {
		a1, a2, a3 := st.call("a"), st.call("a"), st.call("a")
		b := st.call("b")
		for _, c := range []*parley.Conn{a1, a2, b} {
			st.ask(c, "hello", "hello")
		}
		st.hearsEnd(a3)
		a1.Close()
		synctest.Wait()
		st.ask(st.call("a"), "a place is free again", "a place is free again")
		st.stop()
		st.ended(nil)
		if !strings.Contains(st.log.String(), "refused a caller") || !strings.Contains(st.log.String(), "caller=a") {
			st.Errorf("the log does not say who was refused: %s", &st.log)
		}
	})
}

// Callers refused for their address must not use up the places of MaxConns.
func TestServerMaxPerHostGivesPlaceBack(t *testing.T) {
	var last atomic.Pointer[error]
	onStage(t, &parley.Server{Handler: echoing(&last), MaxPerHost: 1, MaxConns: 2}, func(st *stage) {
		first := st.call("a")
		st.ask(first, "hello", "hello")
		for range 5 {
			st.hearsEnd(st.call("a"))
		}
		st.ask(st.call("b"), "hello", "hello")
		st.stop()
		st.ended(nil)
	})
}

func TestServerPanic(t *testing.T) {
	panicking := func(ctx context.Context, c *parley.Conn) error {
		text, err := c.Receive(ctx)
		if err != nil {
			return err
		}
		if string(text) == "panic" {
			panic("this handler was told to")
		}
		return c.Send(ctx, text)
	}
	onStage(t, &parley.Server{Handler: panicking, MaxConns: 1}, func(st *stage) {
		c := st.call("a")
		if err := c.Send(st.Context(), []byte("panic")); err != nil {
			st.Fatal(err)
		}
		st.hearsEnd(c)
		st.ask(st.call("b"), "others go on", "others go on")
		st.stop()
		st.ended(nil)
		for _, want := range []string{"handler panicked", "this handler was told to", "server_test.go"} {
			if !strings.Contains(st.log.String(), want) {
				st.Errorf("the log lacks %q: %s", want, &st.log)
			}
		}
	})
}

// A shortListener is one of a system short of descriptors: Accept fails a number of times.
type shortListener struct {
	deadlineListener
	failures atomic.Int64
	err      error
}

func (l *shortListener) Accept() (net.Conn, error) {
	if l.failures.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "mem", Addr: l.Addr(), Err: os.NewSyscallError("accept4", l.err)}
	}
	return l.deadlineListener.Accept()
}

// A deadlineListener is a listener that can be waited on under a context.
type deadlineListener interface {
	net.Listener
	SetDeadline(time.Time) error
}

// shortOf is a Config for a network whose listeners fail n times with err.
func shortOf(n int64, err error) *parley.Config {
	s := new(parleytest.Network).Scheme()
	listen := s.Listen
	s.Listen = func(ctx context.Context, a parley.Addr, cfg *parley.Config) (net.Listener, error) {
		nl, listenErr := listen(ctx, a, cfg)
		if listenErr != nil {
			return nil, listenErr
		}
		l := &shortListener{deadlineListener: nl.(deadlineListener), err: err}
		l.failures.Store(n)
		return l, nil
	}
	return &parley.Config{Schemes: []parley.Scheme{s}}
}

func TestServerOutlastsShortage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var waits []time.Duration
		cfg := shortOf(10, syscall.EMFILE)
		cfg.Observe = func(e parley.Event) {
			if e.Kind == parley.AcceptFailed {
				waits = append(waits, e.Retry)
			}
		}
		ln, err := cfg.Listen(t.Context(), "mem:server")
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		served := make(chan error, 1)
		var last atomic.Pointer[error]
		go func() { served <- (&parley.Server{Handler: echoing(&last)}).Serve(ctx, ln) }()
		c, err := cfg.Dial(ctx, ln.Address())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if reply, err := c.Ask(ctx, []byte("hello")); string(reply) != "hello" {
			t.Fatalf("heard %q and the error %v after the shortage", reply, err)
		}
		stop()
		if err := <-served; err != nil {
			t.Errorf("Serve returned %v", err)
		}
		const ms = time.Millisecond
		want := []time.Duration{5 * ms, 10 * ms, 20 * ms, 40 * ms, 80 * ms, 160 * ms, 320 * ms, 640 * ms, 1000 * ms, 1000 * ms}
		if !slices.Equal(waits, want) {
			t.Errorf("waited %v between tries, want %v", waits, want)
		}
	})
}

func TestServerEndsDuringShortage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln, err := shortOf(1<<40, syscall.EMFILE).Listen(t.Context(), "mem:server")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := new(parley.Server).Serve(ctx, ln); err != nil {
			t.Errorf("Serve returned %v, want nil because its context ended", err)
		}
	})
}

// What is no shortage ends Serve.
func TestServerAcceptFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln, err := shortOf(1, syscall.EINVAL).Listen(t.Context(), "mem:server")
		if err != nil {
			t.Fatal(err)
		}
		err = new(parley.Server).Serve(t.Context(), ln)
		var e *parley.Error
		if !errors.Is(err, syscall.EINVAL) || !errors.As(err, &e) || e.Op != "accept" {
			t.Errorf("Serve returned %v, want the *parley.Error of accept", err)
		}
	})
}

// Callers that nobody had accepted when the Server ended hear an end, and do not wait for ever.
func TestServerEndsWithCallersWaiting(t *testing.T) {
	var last atomic.Pointer[error]
	onStage(t, &parley.Server{Handler: echoing(&last), MaxConns: 1}, func(st *stage) {
		st.ask(st.call("a"), "hello", "hello")
		waiting := st.call("b")
		st.stop()
		st.ended(nil)
		st.hearsEnd(waiting)
	})
}

func TestServerOfClosedListener(t *testing.T) {
	var last atomic.Pointer[error]
	onStage(t, &parley.Server{Handler: echoing(&last)}, func(st *stage) {
		c := st.call("a")
		st.ask(c, "hello", "hello")
		st.ln.Close()
		st.ended(nil)
		st.hearsEnd(c)
	})
}
