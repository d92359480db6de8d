package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"parley"
	"parley/frame"
)

// framing is how messages end, which every verb must know.
type framing struct {
	frame, replyFrame string
	maxFrame          int

	framed bool // a format was asked for by name
}

func (f *framing) addFraming(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.SortFlags = false
	fl.StringVarP(&f.frame, "frame", "f", "line", "how a message ends: line, crlf, 'blank line', 'end \"TEXT\"', ...")
	fl.StringVarP(&f.replyFrame, "reply-frame", "r", "", "how a reply ends, if not as --frame says")
	f.addMaxFrame(cmd)
	_ = cmd.RegisterFlagCompletionFunc("frame", completeFormats)
	_ = cmd.RegisterFlagCompletionFunc("reply-frame", completeFormats)
}

func (f *framing) addMaxFrame(cmd *cobra.Command) {
	cmd.Flags().IntVar(&f.maxFrame, "max-frame", parley.DefaultMaxFrame, "the longest message to hear, in bytes; 0 for no limit")
}

// flags are those of the verbs that talk.
type flags struct {
	framing
	json           bool
	patience       time.Duration
	connectTimeout time.Duration
	idleTimeout    time.Duration
	maxTime        time.Duration
}

func (f *flags) add(cmd *cobra.Command) {
	f.addFraming(cmd)
	fl := cmd.Flags()
	fl.BoolVar(&f.json, "json", false, "write what is said and heard as JSON lines")
	fl.DurationVar(&f.patience, "patience", 3*time.Second, "explain a wait of so long; 0 for never")
	fl.DurationVar(&f.idleTimeout, "idle-timeout", 0, "give up a conversation in which nothing is said or heard for so long")
	fl.DurationVar(&f.maxTime, "max-time", 0, "give up after so long in all")
}

func (f *flags) addConnectTimeout(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&f.connectTimeout, "connect-timeout", 10*time.Second, "give up calling after so long; 0 for as long as the system likes")
}

func completeFormats(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, h := range frame.Formats() {
		names = append(names, h.Syntax+"\t"+h.Summary)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// formats parses --frame and --reply-frame.
func (f *framing) formats(cmd *cobra.Command) (request, reply frame.Format, err error) {
	f.framed = cmd.Flags().Changed("frame") || cmd.Flags().Changed("reply-frame")
	if request, err = frame.Parse(f.frame); err != nil {
		return nil, nil, usageError{fmt.Errorf("--frame: %w", err)}
	}
	if f.replyFrame == "" {
		return request, request, nil
	}
	if reply, err = frame.Parse(f.replyFrame); err != nil {
		return nil, nil, usageError{fmt.Errorf("--reply-frame: %w", err)}
	}
	return request, reply, nil
}

// limit is --max-frame for a parley.Config.
func (f *framing) limit() int {
	if f.maxFrame <= 0 {
		return -1
	}
	return f.maxFrame
}

// config is for who says frames as say does and hears them as hear does.
func (f *flags) config(say, hear frame.Format, observe func(parley.Event)) *parley.Config {
	return &parley.Config{Frame: say, HearFrame: hear, MaxFrame: f.limit(), Timeout: f.connectTimeout, Observe: observe}
}

// limited returns ctx with --max-time, and the way to end everything for another reason.
func (f *flags) limited(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	if f.maxTime <= 0 {
		return ctx, cancel
	}
	ctx, stop := context.WithTimeoutCause(ctx, f.maxTime, &limitError{"--max-time", f.maxTime, "not done in the time allowed", ""})
	return ctx, func(cause error) { cancel(cause); stop() }
}

// dial calls address and says which limit ended a call that did not come about.
func (f *flags) dial(ctx context.Context, cfg *parley.Config, address string) (*parley.Conn, error) {
	a, err := parley.ParseAddr(address)
	if err != nil {
		return nil, usageError{err}
	}
	if a.Scheme == "stdio" {
		return nil, usagef("%s is what parley itself hears and says here; to join it to another end: parley relay - ADDRESS", address)
	}
	if f.connectTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, f.connectTimeout,
			&limitError{"--connect-timeout", f.connectTimeout, "no answer from " + address, ""})
		defer cancel()
	}
	c, err := cfg.Dial(ctx, address)
	if err == nil {
		return c, nil
	}
	if end, ok := ctx.Deadline(); ok && !time.Now().Before(end) {
		<-ctx.Done() // its timer may be later than package net, which looks at the clock
	}
	if cause := context.Cause(ctx); cause != nil {
		return nil, cause
	}
	return nil, err
}
