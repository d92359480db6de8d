package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"parley"
	"parley/frame"
	"parley/service"
)

// An answerVerb is the verb answer.
type answerVerb struct {
	serving
	text, onError string
	keep          bool
	timeout       time.Duration
}

func answerCommand(u *ui) *cobra.Command {
	v := &answerVerb{serving: serving{u: u}}
	cmd := &cobra.Command{
		Use:     "answer ADDRESS [-- COMMAND [ARGS...]]",
		GroupID: "serve",
		Short:   "answer each request with what a command says",
		Long: `Listens on ADDRESS and answers each message of each caller: COMMAND is run with
the message as its standard input, and its standard output is the reply. The
conversation then goes on, or ends with the reply where --reply-frame is 'until
close'. Callers are answered at the same time, the messages of one caller one
after the other.

With --keep COMMAND is started once for each conversation: it reads messages
that end as --frame says, and writes a reply to each that ends as --reply-frame
says. Mind that many programs hold their output back when it is no terminal.
With --say TEXT the reply is TEXT, and no command is run.

A command that fails (its exit status is not 0, it says more than --max-frame,
or takes longer than --command-timeout) is reported on standard error, as is
what it writes to its own standard error; the caller gets --on-error TEXT, or
else hears the end of the conversation.

COMMAND finds the caller in PARLEY_REMOTE_ADDR, TCPREMOTEIP and others. Limits,
access and operation are as in parley help serve.`,
		Example: `  parley answer 7070 -- date                 the date for each line
  parley answer 7070 -- tr a-z A-Z           each line in capitals
  parley answer 7070 --keep -- sed -u s/a/b/ one sed for each caller
  parley answer udp:7070 -- wc -c            each datagram answered
  parley answer 8080 --frame 'crlf blank line' --reply-frame 'until close' -- ./page
  parley answer 7070 --say pong              a stand-in for a server`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return v.run(cmd, args) },
	}
	v.addFraming(cmd)
	v.add(cmd)
	fl := cmd.Flags()
	fl.StringVar(&v.text, "say", "", "the reply, without a command")
	fl.BoolVarP(&v.keep, "keep", "k", false, "run COMMAND once for each conversation, and pass it one message after the other")
	fl.StringVar(&v.onError, "on-error", "", "the reply when COMMAND fails; by default the conversation ends")
	fl.DurationVar(&v.timeout, "command-timeout", time.Minute, "how long COMMAND may take for a reply; 0 for as long as it likes")
	return cmd
}

func (v *answerVerb) run(cmd *cobra.Command, args []string) error {
	address, command, err := v.split(cmd, args)
	if err != nil {
		return err
	}
	if err := v.check(); err != nil {
		return err
	}
	hear, say, err := v.formats(cmd)
	if err != nil {
		return err
	}
	if err := v.checkReplies(cmd, say); err != nil {
		return err
	}
	h, err := v.handler(cmd, command, hear, say)
	if err != nil {
		return err
	}
	p := &post{service: "answer", address: address, handler: h, say: v.formatFor(say), hear: v.formatFor(hear), amplifies: true}
	return v.serving.run(cmd.Context(), []*post{p})
}

// split takes the command line apart.
func (v *answerVerb) split(cmd *cobra.Command, args []string) (address string, command []string, err error) {
	if n := cmd.ArgsLenAtDash(); n >= 0 {
		args, command = args[:n], args[n:]
	}
	says := cmd.Flags().Changed("say")
	switch {
	case len(args) == 0:
		return "", nil, usagef("no address given: parley answer ADDRESS -- COMMAND")
	case len(args) > 1:
		return "", nil, usagef("one address, and %d were given; a command follows --", len(args))
	case says && len(command) > 0:
		return "", nil, usagef("--say and a command: only one can be the reply")
	case !says && len(command) == 0:
		return "", nil, usagef("nothing to answer with: give --say TEXT or -- COMMAND")
	}
	for _, flag := range []string{"keep", "on-error", "command-timeout"} {
		if says && cmd.Flags().Changed(flag) {
			return "", nil, usagef("--%s is for a command, and --say runs none", flag)
		}
	}
	return args[0], command, nil
}

// checkReplies finds what could never be said.
func (v *answerVerb) checkReplies(cmd *cobra.Command, say frame.Format) error {
	if v.timeout < 0 {
		return usagef("--command-timeout: it must be 0 or more")
	}
	if v.keep && say == frame.UntilClose() {
		return usagef("--keep: a reply that lasts until close ends the conversation, so there is nothing to keep COMMAND for")
	}
	for _, reply := range []struct{ flag, text string }{{"say", v.text}, {"on-error", v.onError}, {"refuse", v.refusal}} {
		if !cmd.Flags().Changed(reply.flag) {
			continue
		}
		if _, err := say.Append(nil, []byte(reply.text)); err != nil {
			return usageError{fmt.Errorf("--%s: %w", reply.flag, err)}
		}
	}
	return nil
}

func (v *answerVerb) handler(cmd *cobra.Command, command []string, hear, say frame.Format) (parley.Handler, error) {
	if len(command) == 0 {
		text := []byte(v.text)
		return service.Answer(func(context.Context, []byte) ([]byte, error) { return text, nil }), nil
	}
	c := &service.Command{
		Args: command, Frame: hear, ReplyFrame: say, Timeout: v.timeout, MaxReply: v.limit(),
		Stderr: v.heardError, Failed: v.commandFailed,
	}
	if cmd.Flags().Changed("on-error") {
		c.OnError = []byte(v.onError)
	}
	if err := c.Check(); err != nil {
		return nil, usageError{err}
	}
	v.runsCommands = true
	if v.keep {
		return quiet(c.Keep), nil
	}
	return quiet(c.Answer), nil
}

// quiet says nothing of failures of the command, which commandFailed has told and counted.
func quiet(h parley.Handler) parley.Handler {
	return func(ctx context.Context, c *parley.Conn) error {
		if err := h(ctx, c); !isCommandError(err) {
			return err
		}
		return nil
	}
}

// heardError passes on what a command writes to its standard error.
func (v *answerVerb) heardError(c *parley.Conn, line []byte) {
	caller := addrText(c.RemoteAddr())
	if v.journal.logs {
		v.journal.Warn("the command says", "caller", caller, "text", string(line))
		return
	}
	v.u.note("the command says (caller %s): %s", caller, line)
}

func (v *answerVerb) commandFailed(c *parley.Conn, err error) {
	v.meter.Failed("answer", err)
	v.journal.Warn("the command failed", "caller", addrText(c.RemoteAddr()), "err", err)
}
