package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"parley"
	"parley/frame"
)

// Answer runs a process for each request: the request's text, without its end mark, is its standard input, and what it has
// written on its standard output when it has ended with status 0 is the reply. Where the format of the conversation cannot
// say a reply with the newline at its end, as a line cannot, that newline is left out; any other reply that contains its
// own end is a failure, and nothing of it is said. So `date` answers a line with one line.
//
// The conversation goes on with the next request, or ends with the reply where the reply ends with the close; see
// [Answer].
func (cmd *Command) Answer(ctx context.Context, c *parley.Conn) error {
	var env []string
	return answerAll(ctx, c, func(request []byte) error {
		if env == nil {
			env = conversationEnvironment(c)
		}
		reply, err := cmd.run(ctx, c, env, request)
		if err == nil {
			err = cmd.unsayable(sayTrimmed(ctx, c, reply))
		}
		if err != nil {
			return cmd.failed(ctx, c, err)
		}
		return nil
	})
}

// sayTrimmed says text, without the newline at its end if the format cannot say it with that.
func sayTrimmed(ctx context.Context, c *parley.Conn, text []byte) error {
	err := c.Send(ctx, text)
	for _, end := range []string{"\n", "\r\n"} {
		if !isTextError(err) || !bytes.HasSuffix(text, []byte(end)) {
			return err
		}
		err = c.Send(ctx, text[:len(text)-len(end)])
	}
	return err
}

func isTextError(err error) bool {
	var refused *frame.TextError
	return errors.As(err, &refused)
}

// unsayable makes a failure of the command of err if err says that a reply cannot be said at all: nothing of it was, so
// that something else can be.
func (cmd *Command) unsayable(err error) error {
	if isTextError(err) || errors.Is(err, syscall.EMSGSIZE) {
		failure := cmd.fault(fmt.Errorf("its reply cannot be said: %w", errors.Unwrap(err)))
		failure.Status = 0
		return failure
	}
	return err
}

// smallRequest is what an empty pipe takes at once on every system, in bytes: POSIX's PIPE_BUF is 512 at least, but those
// that Go runs on have a page.
const smallRequest = 4096

// run runs a process for one request and returns what it has written.
func (cmd *Command) run(ctx context.Context, c *parley.Conn, env []string, request []byte) ([]byte, error) {
	t, err := cmd.openTubes()
	if err != nil {
		return nil, cmd.fault(err)
	}
	defer t.close()
	if len(request) <= smallRequest { // before there is anybody to read it, and so without a goroutine
		if err := t.feed(request); err != nil {
			return nil, cmd.fault(err)
		}
	}
	p, err := cmd.start(env, t.theirs, false)
	if err != nil {
		return nil, err
	}
	t.closeTheirs()
	go p.waitAnd(t.release)
	defer p.watch(ctx, c)()
	if cmd.Timeout > 0 {
		timeout := time.AfterFunc(cmd.Timeout, func() { p.stop(noReplyWithin(cmd.Timeout)) })
		defer timeout.Stop()
	}
	var others sync.WaitGroup
	defer others.Wait()
	defer t.close()
	if len(request) > smallRequest {
		others.Go(func() { _ = t.feed(request) }) // that it reads no more is its own business
	}
	told := t.tellLines(cmd, c)
	reply, err := readReply(t.ours[1], cmd.maxReply())
	if err != nil {
		p.stop(err)
	}
	t.ours[1].Close() // who goes on writing must not wait for a reader
	<-p.done
	<-told
	return reply, p.failure()
}

// noReplyWithin is the error for a command that was given no more time.
func noReplyWithin(d time.Duration) error {
	return fmt.Errorf("no reply within %v: %w", d, os.ErrDeadlineExceeded)
}

// readReply reads all that out has, or up to what a process that has ended left behind holds open.
func readReply(out io.Reader, limit int) ([]byte, error) {
	if limit > 0 {
		out = io.LimitReader(out, int64(limit)+1)
	}
	reply, err := io.ReadAll(out)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil
	}
	if err == nil && limit > 0 && len(reply) > limit {
		err = fmt.Errorf("its reply has more than %d bytes: %w; raise the limit", limit, frame.ErrTooLong)
	}
	return reply, err
}
