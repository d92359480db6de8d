package meter

import (
	"context"
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"parley"
	"parley/parleytest"
)

func TestMain(m *testing.M) { os.Exit(parleytest.CheckLeaks(m)) }

// A stage is a service called "answer" on a network in memory, in virtual time, which a Meter counts.
type stage struct {
	*testing.T
	meter *Meter
	cfg   parley.Config
	stop  context.CancelFunc
	over  chan error // what Serve returned
}

// onStage runs f while h serves.
func onStage(t *testing.T, h parley.Handler, f func(st *stage)) {
	synctest.Test(t, func(t *testing.T) {
		net := new(parleytest.Network)
		st := &stage{T: t, meter: New(), cfg: parley.Config{Schemes: []parley.Scheme{net.Scheme()}}, over: make(chan error, 1)}
		counted := st.cfg
		counted.Observe = st.meter.Observe("answer")
		ln, err := counted.Listen(t.Context(), "mem:server")
		if err != nil {
			t.Fatal(err)
		}
		st.meter.Listening("answer", "mem:server")
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		st.stop = stop
		server := &parley.Server{Handler: st.meter.Handler("answer", h)}
		go func() { st.over <- server.Serve(ctx, ln) }()
		f(st)
		stop()
		<-st.over
	})
}

func (st *stage) call(name string) *parley.Conn {
	st.Helper()
	c, err := st.cfg.Dial(st.Context(), "mem:server?from="+name)
	if err != nil {
		st.Fatal(err)
	}
	st.Cleanup(func() { c.Close() })
	return c
}

func (st *stage) ask(c *parley.Conn, text string) {
	st.Helper()
	if _, err := c.Ask(st.Context(), []byte(text)); err != nil {
		st.Fatal(err)
	}
}

// end ends a conversation and waits until the service has.
func (st *stage) end(c *parley.Conn) {
	st.Helper()
	c.Close()
	synctest.Wait()
}

var errMood = errors.New("not in the mood")

// answer echoes each frame: "slow" after 3 s, "fast" after 150 µs, "fail" and "panic" not.
func answer(ctx context.Context, c *parley.Conn) error {
	for f, err := range c.Frames(ctx) {
		switch {
		case err != nil:
			return err
		case string(f.Data) == "slow":
			<-time.After(3 * time.Second)
		case string(f.Data) == "fast":
			<-time.After(150 * time.Microsecond)
		case string(f.Data) == "fail":
			return errMood
		case string(f.Data) == "panic":
			panic(errMood)
		}
		if err := c.Send(ctx, f.Data); err != nil {
			return err
		}
	}
	return nil
}
