package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"parley"
)

// forCallers are the flags that mean nothing where nobody calls.
var forCallers = []string{
	"once", "max-conns", "max-per-host", "rate", "first-frame-within", "refuse", "allow", "deny", "rules", "grace", "metrics", "stats", "user",
	"no-sandbox", "ready-fd", "ready-file", "balance", "probe-every", "route", "sniff-within",
}

// checkMode refuses flags that would be ignored.
func (v *relayVerb) checkMode(cmd *cobra.Command) error {
	if v.listens() {
		if cmd.Flags().Changed("patience") {
			return usagef("--patience is for two ends that are joined once; SIGUSR1 tells who waits for whom")
		}
		return nil
	}
	for _, flag := range forCallers {
		if cmd.Flags().Changed(flag) {
			return usagef("--%s is for callers, and %s is opened once", flag, v.a)
		}
	}
	return nil
}

// joinOnce opens both ends and joins them.
func (v *relayVerb) joinOnce(ctx context.Context) (err error) {
	defer v.journal.end()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if v.maxTime > 0 {
		limited, stop := context.WithTimeoutCause(ctx, v.maxTime, &limitError{"--max-time", v.maxTime, "not done in the time allowed", ""})
		defer stop()
		ctx = limited
	}
	a, err := v.openA(ctx)
	if err != nil {
		return because(ctx, err)
	}
	if len(v.targets) > 1 {
		v.relay.Changed = v.changed
	}
	v.relay.Options.Note = func(text string) { v.u.note("%s", text) }
	var stopWatch func()
	joined := v.relay.Joined
	v.relay.Joined = func(a, b *parley.Conn) {
		joined(a, b)
		stopWatch = v.watchPair(ctx, cancel, a, b)
	}
	err = v.relay.Handle(ctx, a)
	if stopWatch != nil {
		stopWatch()
	}
	if pe := (*parley.Error)(nil); errors.Is(err, syscall.EPIPE) && errors.As(err, &pe) && strings.HasPrefix(pe.Addr, "stdio") {
		return &localError{"standard output", syscall.EPIPE}
	}
	return because(ctx, err)
}

// watchPair explains waits, and ends ctx with an idle pair. An end whose bytes the kernel moves from or to a file is counted
// at the other, so both count.
func (v *relayVerb) watchPair(ctx context.Context, cancel context.CancelCauseFunc, a, b *parley.Conn) (stop func()) {
	watched, who := b, v.b
	if isLocalScheme(schemeOf(v.b)) && !isLocalScheme(schemeOf(v.a)) {
		watched, who = a, v.a
	}
	typed := func() bool { return schemeOf(v.a) == "stdio" && v.u.inTerm && watched.State().Saying.IsZero() }
	w := watch{
		flags: &flags{patience: v.patience, idleTimeout: v.idle}, u: v.u, c: watched, who: who,
		after: "the end of " + v.a, quiet: typed, moved: func() int64 { return progress(a.State()) + progress(b.State()) },
	}
	if isLocalScheme(schemeOf(v.a)) && isLocalScheme(schemeOf(v.b)) {
		w.explain = v.stillness
	}
	idle, stop := w.start(ctx)
	context.AfterFunc(idle, func() {
		if ctx.Err() == nil && context.Cause(idle) != context.Canceled {
			cancel(context.Cause(idle))
		}
	})
	return stop
}

// stillness explains a wait between two ends that no socket can be asked about.
func (v *relayVerb) stillness() string {
	up, down, _ := v.traffic.soFar()
	return fmt.Sprintf("for %s and %s, between which nothing moves; %d bytes and %d bytes so far", v.a, v.b, up, down)
}

// openA opens the first end, which may have to wait for its other side.
func (v *relayVerb) openA(ctx context.Context) (*parley.Conn, error) {
	f, _ := v.formats(v.targets[0])
	cfg := &parley.Config{Frame: f.say, HearFrame: f.hear, MaxFrame: v.limit()}
	if v.call {
		cfg.Timeout = v.connectTimeout
	}
	explain := time.AfterFunc(cmp.Or(v.patience, time.Hour), func() { v.u.note("waiting for the other side of %s", v.a) })
	defer explain.Stop()
	c, err := cfg.Dial(ctx, v.a)
	if err == nil && schemeOf(v.a) == "pty" {
		v.u.note("the terminal is %s", c.RemoteAddr())
	}
	return c, err
}
