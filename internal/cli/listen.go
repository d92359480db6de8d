package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"parley"
	"parley/frame"
)

// A listening is the verb listen.
type listening struct {
	flags
	u         *ui
	once, tag bool
	count     int
	ready     readiness
	say, hear frame.Format
	rec       *recorder

	show    *display
	callers callers
	giveUp  context.CancelCauseFunc // ends all conversations

	mu    sync.Mutex
	worst error // the first conversation that went wrong
}

func listenCommand(u *ui) *cobra.Command {
	v := &listening{u: u}
	cmd := &cobra.Command{
		Use:     "listen [ADDRESS]",
		GroupID: "talk",
		Short:   "print what all callers say",
		Long: `Listens on ADDRESS (7070 if none is given; 0 takes a free port) and prints
what all callers say, message by message. Messages of different callers never
mix. Without a host it listens on this machine only; :7070 is every interface.

On a terminal each message is headed by the caller's number and address, and
what you type goes to the only caller, or to the one you name. In a pipe the
bytes are as said. With --tag each message is a line "ID TAB TEXT", the text
escaped (\n \r \t \\ \xHH), and lines "ID TAB TEXT" or "* TAB TEXT" on
standard input answer one caller or all. A caller that has said its end stays
until each of its messages has an answer; a line "ID" alone says the end to
it.

A message may have up to --max-frame bytes, and a last one without its end is
an error: for bytes that are no messages, take --once.

With --once one conversation is held in both directions, as call does, and
then parley leaves.`,
		Example: `  parley listen                     on this machine, port 7070
  parley listen :7070               on every interface
  parley listen --once >file        one caller's bytes into a file
  parley listen --once <file        a file for one caller
  parley listen --tag 0             for scripts: who says what, and answers
  parley listen udp:5140            datagrams
  parley listen tls:7070            TLS; prints the pin that callers need`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("one address at most, and %d were given", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return v.run(cmd, cmp.Or(append(args, "")[0], "7070"))
		},
	}
	v.add(cmd)
	fl := cmd.Flags()
	fl.BoolVarP(&v.once, "once", "1", false, "take one caller and leave with it; the same as --count 1, and standard input is said")
	fl.IntVarP(&v.count, "count", "n", 0, "take so many callers (datagrams, on udp) and leave with the last")
	fl.BoolVarP(&v.tag, "tag", "t", false, `print "ID TAB TEXT", and answer by such lines on standard input`)
	v.ready.add(cmd)
	return cmd
}

func (v *listening) run(cmd *cobra.Command, address string) (err error) {
	// Whoever listens hears requests and says replies.
	if v.hear, v.say, err = v.formats(cmd); err != nil {
		return err
	}
	if v.count < 0 || v.once && v.count > 1 {
		return usagef("--count %d: it must be 0 or more, and 1 with --once", v.count)
	}
	if v.once {
		v.count = 1
	}
	ctx, cancel := v.limited(cmd.Context())
	defer cancel(nil)
	if v.json {
		v.rec = newRecorder(cancel, v.u.out, "listen", []string{address}, false, v.say, v.hear)
	}
	v.giveUp = cancel
	v.show = newDisplay(v.u, v.tag, v.json)
	v.callers.complain = v.complain
	if err := v.open(ctx, address); err != nil {
		return because(ctx, err)
	}
	return v.rec.err()
}

func (v *listening) open(ctx context.Context, address string) error {
	cfg := v.config(v.say, v.hear, v.observe)
	pc, err := cfg.ListenPacket(ctx, address)
	if err == nil {
		return v.hearDatagrams(ctx, pc)
	}
	if !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	ln, err := cfg.Listen(ctx, address)
	if err != nil {
		return err
	}
	return v.takeCallers(ctx, ln)
}

// announce says where it listens and what to type to call it.
func (v *listening) announce(address string, on net.Addr) error {
	v.u.note("listening on %s; to call it: parley call %s", where(on), shellQuote(short(address)))
	return cmp.Or(v.ready.writeFD([]string{address}), v.ready.writeFile([]string{address}))
}

// observe tells of what concerns nobody's conversation, and feeds the transcript.
func (v *listening) observe(e parley.Event) {
	if e.Kind == parley.AcceptFailed {
		v.u.note("cannot take another caller: %v; trying again in %v", e.Err, e.Retry)
	}
	if v.rec != nil {
		v.rec.observe(e)
	}
}

func (v *listening) takeCallers(ctx context.Context, ln *parley.Listener) error {
	defer ln.Close()
	if err := v.announce(ln.Address(), ln.Addr()); err != nil {
		return err
	}
	if v.both() {
		return v.holdOne(ctx, ln)
	}
	v.callers.answer(ctx, v)
	var talks sync.WaitGroup
	for c, err := range ln.Conns(ctx) {
		if err != nil {
			return err
		}
		caller := v.callers.enter(c)
		talks.Go(func() { v.hold(ctx, caller) })
		if v.count > 0 && int(caller.id) == v.count {
			ln.Close()
			break
		}
	}
	wait(ctx, &talks)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return v.worst
}

// wait waits for the conversations; when ctx has ended, only for as long as it takes them to notice. One that is stuck in
// writing to a pipe that nobody reads must not keep the program from ending.
func wait(ctx context.Context, talks *sync.WaitGroup) {
	done := make(chan struct{})
	go func() { talks.Wait(); close(done) }()
	select {
	case <-done:
		return
	case <-ctx.Done():
	}
	select {
	case <-done:
	case <-time.After(time.Second):
	}
}

// both reports whether one conversation is held in both directions.
func (v *listening) both() bool { return v.once && !v.tag }

// holdOne takes one caller and talks with it as call does.
func (v *listening) holdOne(ctx context.Context, ln *parley.Listener) error {
	for c, err := range ln.Conns(ctx) {
		if err != nil {
			return err
		}
		err := v.greet(ctx, c)
		if errors.Is(err, io.EOF) {
			v.u.note("caller %s has ended before TLS began; listening on", addrText(c.RemoteAddr()))
			c.Close()
			continue // a probe of the port
		}
		ln.Close()
		if err == nil {
			err = v.talk(ctx, c)
		}
		v.rec.ended(c, nil, err)
		letGo(c, err)
		return err
	}
	return context.Cause(ctx)
}

// greet completes a TLS handshake.
func (v *listening) greet(ctx context.Context, c *parley.Conn) error {
	tc, ok := c.NetConn().(*tls.Conn)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	return tc.HandshakeContext(ctx)
}

// handshakeTimeout is for a caller that says nothing where TLS should begin.
const handshakeTimeout = 10 * time.Second

func (v *listening) talk(ctx context.Context, c *parley.Conn) error {
	t := converse{flags: &v.flags, u: v.u, c: c, who: addrText(c.RemoteAddr()), optional: true, keyed: v.u.inTerm}
	inFrames := v.framed || v.json
	t.hear = t.hearBytes
	if v.json {
		t.hear = t.hearFrames
	}
	switch {
	case !v.u.hasInput():
	case inFrames:
		t.say = t.sayTexts(input(v.u, v.say))
	default:
		t.say = t.sayBytes(v.u.in)
	}
	return t.run(ctx)
}

// hold hears one of many callers to the end.
func (v *listening) hold(ctx context.Context, c *caller) {
	defer c.conn.Close()
	defer v.callers.leave(c)
	v.show.came(c)
	w := watch{flags: &v.flags, u: v.u, c: c.conn, who: c.name(), quiet: between(c.conn), after: "answers to caller " + c.name()}
	watched, stop := w.start(ctx)
	defer stop()
	part, err := v.hearCaller(watched, c)
	if err == nil && v.answers() {
		err = v.callers.awaitAnswers(watched, c)
	}
	err = because(watched, err)
	v.show.went(c, err)
	v.rec.ended(c.conn, part, err)
	if err == nil || errors.Is(err, errInterrupted) || context.Cause(ctx) != nil {
		return
	}
	if local := (*localError)(nil); errors.As(err, &local) {
		v.giveUp(err) // there is nowhere to print what others say
		return
	}
	v.complain(c, err)
}

// complain tells what went wrong with one caller; the others go on.
func (v *listening) complain(c *caller, err error) {
	cause := err
	if named, ok := err.(*parley.Error); ok {
		cause = named.Err
	}
	text := fmt.Sprintf("caller %s: %v", c.name(), cause)
	if next := advice(err); next != "" {
		text += "; " + next
	}
	v.u.note("%s", text)
	v.remember(err)
}

// remember keeps the first failure for the exit code.
func (v *listening) remember(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.worst = cmp.Or[error](v.worst, toldError{err})
}

// answers reports whether standard input answers callers, one by one.
func (v *listening) answers() bool { return v.tag && v.u.hasInput() && !v.u.inTerm }

// between reports whether a caller is silent between two messages, which needs no words from a listener.
func between(c *parley.Conn) func() bool {
	return func() bool { s := c.State(); return s.Unfinished == 0 && s.Saying.IsZero() && !s.HeardEnd }
}

// hearCaller shows what one caller says. With an error comes the beginning of a message that did not end.
func (v *listening) hearCaller(ctx context.Context, c *caller) (part []byte, err error) {
	if v.show.raw() {
		return nil, v.pour(ctx, c)
	}
	for f, err := range c.conn.Frames(ctx) {
		v.callers.heard(c)
		if err == nil || len(f.Data) > 0 {
			if showErr := v.show.frame(c, f.Data); showErr != nil {
				return nil, showErr
			}
		}
		if err != nil {
			return f.Data, err
		}
	}
	return nil, nil
}

// pour writes what a caller says as it is, whole messages at a time. A message cut short gets a line end, so that the
// next caller begins on a line of its own.
func (v *listening) pour(ctx context.Context, c *caller) error {
	stop := context.AfterFunc(ctx, func() { c.conn.Close() })
	defer stop()
	_, err := c.conn.WriteFramesTo(v.show)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		if part, _ := c.conn.Receive(context.Background()); len(part) > 0 {
			_ = showFrame(v.show, part)
		}
	}
	return localOutput(err)
}
