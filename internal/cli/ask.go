package cli

import (
	"cmp"
	"context"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"parley"
	"parley/frame"
)

// An asking is the verb ask.
type asking struct {
	flags
	u         *ui
	eachLine  bool
	say, hear frame.Format
	rec       *recorder
}

func askCommand(u *ui) *cobra.Command {
	v := &asking{u: u}
	cmd := &cobra.Command{
		Use:     "ask ADDRESS [REQUEST...]",
		GroupID: "talk",
		Short:   "say a request, print the reply, leave",
		Long: `Calls ADDRESS, says the request as one message, prints the reply, which is one
message, and leaves. The request is the arguments, joined by blanks, or else
all of standard input. --frame tells how the request ends, --reply-frame how
the reply does, if not in the same way. With --each-line every argument, or
every line of standard input, is a request, and each waits for its reply.

Each reply is printed with a line end, but for one that lasts until the close,
which is printed as it comes.`,
		Example: `  parley ask localhost:6379 PING
  parley ask example.org:80 'GET / HTTP/1.0' --frame 'crlf blank line' --reply-frame 'until close'
  parley ask 7070 --frame 'end "END REQUEST"' --reply-frame 'until close' <request.txt
  printf 'one\ntwo\n' | parley ask 7070 --each-line`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("an address is needed; for example: parley ask localhost:6379 PING")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return v.run(cmd, args[0], args[1:]) },
	}
	v.add(cmd)
	v.addConnectTimeout(cmd)
	cmd.Flags().BoolVar(&v.eachLine, "each-line", false, "every argument, or line of standard input, is a request")
	return cmd
}

func (v *asking) run(cmd *cobra.Command, address string, args []string) (err error) {
	if v.say, v.hear, err = v.formats(cmd); err != nil {
		return err
	}
	ctx, cancel := v.limited(cmd.Context())
	defer cancel(nil)
	var observe func(parley.Event)
	if v.json {
		v.rec = newRecorder(cancel, v.u.out, "ask", []string{address}, true, v.say, v.hear)
		observe = v.rec.observe
	}
	if len(args) == 0 && v.u.inTerm {
		v.u.note("type the request; Ctrl-D ends it")
	}
	c, err := v.dial(ctx, v.config(v.say, v.hear, observe), address)
	if err != nil {
		return because(ctx, err)
	}
	defer c.Close()
	watched, stop := watch{flags: &v.flags, u: v.u, c: c, who: address, from: "standard input", quiet: v.typing(c, args)}.start(ctx)
	defer stop()
	part, err := v.askAll(watched, c, v.requests(args))
	if err == nil && c.State().SaidEnd {
		err = waitCommand(watched, c)
	}
	err = withState(because(watched, err), c)
	v.rec.ended(c, part, err)
	return cmp.Or(err, v.rec.err())
}

// typing reports whether it is the person's turn.
func (v *asking) typing(c *parley.Conn, args []string) func() bool {
	if len(args) > 0 || !v.u.inTerm {
		return nil
	}
	return func() bool { s := c.State(); return s.Hearing.IsZero() && s.Saying.IsZero() }
}

func (v *asking) requests(args []string) iter.Seq2[[]byte, error] {
	switch {
	case v.eachLine && len(args) > 0:
		return each(args)
	case v.eachLine:
		return input(v.u, v.say)
	case len(args) > 0:
		return once(strings.Join(args, " "))
	}
	return whole(v.u.in)
}

// askAll asks one request after the other. With an error comes what was heard of the reply.
func (v *asking) askAll(ctx context.Context, c *parley.Conn, requests iter.Seq2[[]byte, error]) (part []byte, err error) {
	for request, err := range requests {
		if err != nil {
			return nil, err
		}
		if part, err := v.ask(ctx, c, request); err != nil {
			return part, err
		}
	}
	return nil, nil
}

func (v *asking) ask(ctx context.Context, c *parley.Conn, request []byte) (part []byte, err error) {
	if v.hear == frame.UntilClose() && !v.json {
		return nil, v.stream(ctx, c, request)
	}
	reply, err := c.Ask(ctx, request)
	if v.json || err != nil && len(reply) == 0 {
		return reply, err
	}
	if showErr := showFrame(v.u.output(), reply); showErr != nil {
		return nil, showErr
	}
	return reply, err
}

// stream prints a reply of any length as it comes.
func (v *asking) stream(ctx context.Context, c *parley.Conn, request []byte) error {
	if err := c.Send(ctx, request); err != nil {
		return err
	}
	t := converse{flags: &v.flags, u: v.u, c: c}
	heard := make(chan error, 1)
	go func() { heard <- t.hearBytes(ctx) }()
	select {
	case err := <-heard:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
