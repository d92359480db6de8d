package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"parley"
	"parley/frame"
	"parley/guard"
	"parley/internal/meter"
	"parley/internal/sandbox"
	"parley/scheme/systemd"
	"parley/service"
)

// serving is what the verbs that serve many callers share: limits, access, operation.
type serving struct {
	framing
	u *ui

	maxConns, maxPerHost         int
	rate                         float64
	idle, maxTime, firstFrame    time.Duration
	refusal                      string
	allow, deny                  []string
	rulesFile                    string
	grace                        time.Duration
	logFormat, metricsAt, become string
	stats, noSandbox             bool
	ready                        readiness
	opened                       func([]*post) error // nil, or called once the addresses are open
	becomeUser                   func() error        // of --user
	runsCommands                 bool                // which may need any right there is
	rights                       sandbox.Rights      // that the services need

	posts   []*post
	journal *journal
	meter   *meter.Meter
	guard   *guard.Guard
	rules   *ruleBook
}

// defaultMaxConns keeps strangers from taking all memory, and is more than most descriptor limits allow.
const defaultMaxConns = 10_000

func (s *serving) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.IntVar(&s.maxConns, "max-conns", defaultMaxConns, "conversations at once; more callers are refused; 0 for no limit")
	fl.IntVar(&s.maxPerHost, "max-per-host", 0, "conversations at once with one IPv4 address or IPv6 /64; 0 for no limit")
	fl.Float64Var(&s.rate, "rate", 0, "new conversations a second from one host; 0 for no limit")
	fl.DurationVar(&s.idle, "idle", 0, "end a conversation in which nothing is said or heard for so long; 0 for never (datagrams: 1m)")
	fl.DurationVar(&s.maxTime, "max-time", 0, "end a conversation after so long")
	fl.DurationVar(&s.firstFrame, "first-frame-within", 0, "end a conversation whose caller has not said a whole message by then")
	fl.StringVar(&s.refusal, "refuse", "", "what a refused caller is told, as a message; by default it hears the end at once")
	fl.StringArrayVar(&s.allow, "allow", nil, "who may call: address, network, host name or all; the most specific rule decides")
	fl.StringArrayVar(&s.deny, "deny", nil, "who may not")
	fl.StringVar(&s.rulesFile, "rules", "", "a file of lines \"allow WHO\" and \"deny WHO\", read again whenever it changes")
	fl.DurationVar(&s.grace, "grace", parley.DefaultGrace, "how long conversations may go on when parley is told to end; 0 for as long as they like")
	fl.StringVar(&s.logFormat, "log", "", "log every conversation to standard error, as text or json")
	fl.StringVar(&s.metricsAt, "metrics", "", "serve metrics for Prometheus at this address, under /metrics")
	fl.BoolVar(&s.stats, "stats", false, "print what was served at the end")
	fl.StringVar(&s.become, "user", "", "become this user, or USER:GROUP, once all addresses are open")
	fl.BoolVar(&s.noSandbox, "no-sandbox", false, "keep all rights to files and the network (Linux)")
	s.ready.add(cmd)
	_ = cmd.RegisterFlagCompletionFunc("log", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
}

// check finds mistakes in the flags before anything is opened.
func (s *serving) check() (err error) {
	for _, n := range []struct {
		flag     string
		negative bool
	}{
		{"--max-conns", s.maxConns < 0}, {"--max-per-host", s.maxPerHost < 0}, {"--rate", s.rate < 0}, {"--idle", s.idle < 0},
		{"--max-time", s.maxTime < 0}, {"--first-frame-within", s.firstFrame < 0}, {"--grace", s.grace < 0},
	} {
		if n.negative {
			return usagef("%s: it must be 0 or more", n.flag)
		}
	}
	if s.become != "" {
		if s.becomeUser, err = sandbox.FindUser(s.become); err != nil {
			return usageError{fmt.Errorf("--user: %w", err)}
		}
	}
	s.journal, err = newJournal(s.u, s.logFormat)
	return err
}

// run serves all posts until ctx ends.
func (s *serving) run(ctx context.Context, posts []*post) error {
	err := s.serve(ctx, posts)
	s.rules.close()
	s.journal.end()
	if s.stats && s.meter != nil {
		s.u.lines(s.meter.Summary())
	}
	return cmp.Or(err, s.journal.err())
}

func (s *serving) serve(ctx context.Context, posts []*post) (err error) {
	s.posts = posts
	if s.rules, err = s.readRules(ctx); err != nil {
		return err
	}
	s.meter = meter.New()
	s.meter.Kind("command", isCommandError)
	s.meter.Kind("cut-off", func(err error) bool { return errors.Is(err, net.ErrClosed) }) // by a limit of time, or at the end
	s.guard = s.newGuard(posts)
	s.guard.SetRules(s.rules.current())
	defer closeAll(posts)
	for _, p := range posts {
		if err := s.listen(ctx, p); err != nil {
			return err
		}
	}
	if s.opened != nil {
		if err := s.opened(posts); err != nil {
			return err
		}
	}
	stopMetrics, err := s.serveMetrics(ctx)
	if err != nil {
		return err
	}
	defer stopMetrics()
	defer s.onSignals(posts)()
	// The file is written while there is a right to; who comes at once waits until parley has given it up.
	s.announce(posts)
	if err := s.ready.writeFile(addressesOf(posts)); err != nil {
		return err
	}
	if err := s.secure(posts); err != nil {
		return err
	}
	if err := s.ready.writeFD(addressesOf(posts)); err != nil {
		return err
	}
	if err := systemd.Ready(); err != nil {
		s.journal.Warn("cannot tell systemd that callers can come", "err", err)
	}
	return s.hold(ctx, posts)
}

func (s *serving) newGuard(posts []*post) *guard.Guard {
	g := &guard.Guard{
		MaxConns: s.maxConns, MaxPerHost: s.maxPerHost, Rate: s.rate, MaxTime: s.maxTime, FirstFrameWithin: s.firstFrame,
	}
	if s.refusal != "" {
		g.Refusal = []byte(s.refusal)
	}
	g.Refused = func(c *parley.Conn, why error) { s.refused(serviceOf(posts, c), c, why) }
	return g
}

// serviceOf names the service that c has called: the one at that very address, or else the one at that port.
func serviceOf(posts []*post, c *parley.Conn) (service string) {
	for _, p := range posts {
		on, called := p.ln.Addr(), c.LocalAddr()
		if on.Network() == called.Network() && on.String() == called.String() {
			return p.service
		}
		if on.Network() == called.Network() && portOf(on) == c.LocalPort() {
			service = p.service
		}
	}
	return service
}

func portOf(a net.Addr) int {
	switch a := a.(type) {
	case *net.TCPAddr:
		return a.Port
	case *net.UDPAddr:
		return a.Port
	}
	return 0
}

// hold holds conversations at all posts; the first that fails, and the end of ctx, end them all.
func (s *serving) hold(ctx context.Context, posts []*post) error {
	work, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan struct{})
	defer close(done)
	defer context.AfterFunc(work, func() { s.farewell(done) })()
	go s.giveBack(done)
	failed := make([]error, len(posts))
	var serving sync.WaitGroup
	for i, p := range posts {
		serving.Go(func() {
			if failed[i] = s.server(p).Serve(work, p.ln); failed[i] != nil {
				cancel(failed[i])
			}
		})
	}
	serving.Wait()
	return endOfServing(context.Cause(work), errors.Join(failed...))
}

// server makes the Server of one post.
func (s *serving) server(p *post) *parley.Server {
	grace := s.grace
	if grace == 0 {
		grace = -1 // no limit
	}
	h := s.guard.Handler(s.meter.Handler(p.service, p.handler))
	return &parley.Server{Handler: h, Idle: s.idle, Grace: grace, Log: s.journal.With("service", p.service)}
}

// farewellAfter is how long those who may still finish go unmentioned: most are gone by then.
const farewellAfter = 500 * time.Millisecond

// farewell explains the wait for those who may still finish.
func (s *serving) farewell(done <-chan struct{}) {
	_ = systemd.Stopping()
	select {
	case <-done:
		return
	case <-time.After(farewellAfter):
	}
	if n := s.meter.Open(); n > 0 {
		limit := "until they have ended"
		if s.grace > 0 {
			limit = fmt.Sprintf("up to %v", s.grace)
		}
		s.u.note("ending; %s may finish, %s; another Ctrl-C ends parley at once", conversations(n), limit)
	}
}

func conversations(n int) string {
	if n == 1 {
		return "1 conversation"
	}
	return fmt.Sprintf("%d conversations", n)
}

// endOfServing is the program's error: what went wrong, or an interrupt; to be told to end by SIGTERM is how a server ends
// well.
func endOfServing(cause, failed error) error {
	if failed == nil && errors.Is(cause, errInterrupted) && !errors.Is(cause, errTerminated) {
		return cause
	}
	return failed
}

// refused tells of a caller that was turned away.
func (s *serving) refused(service string, c *parley.Conn, why error) {
	reason := guard.Reason(why)
	s.meter.Refused(service, reason)
	s.journal.With("service", service).Warn("refused", "caller", addrText(c.RemoteAddr()), "err", why)
}

// formatFor is what a flag has set, or nil for what suits the transport: lines, or datagrams as they are.
func (s *serving) formatFor(f frame.Format) frame.Format {
	if !s.framed {
		return nil
	}
	return f
}

func isCommandError(err error) bool {
	var failed *service.CommandError
	return errors.As(err, &failed)
}
