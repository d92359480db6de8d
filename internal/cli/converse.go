package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net"
	"sync/atomic"
	"syscall"

	"parley"
	"parley/internal/escape"
	"parley/internal/sock"
	"parley/internal/sys"
)

// A converse holds one conversation. When what is to be said ends, the end is said, and hearing goes on until the other
// end has ended too. If the other end ends first, the rest is still said, unless it comes from a person's keyboard: nobody
// must type for a program that has hung up.
type converse struct {
	*flags
	u    *ui
	c    *parley.Conn
	who  string                          // the other end, as the user knows it
	say  func(ctx context.Context) error // says all and the end; nil if there is nothing to say, and no end either
	hear func(ctx context.Context) error // hears until the end

	keyed    bool // what is said is typed
	optional bool // an input without a byte in it was not there to be said, and neither is its end
}

func (v converse) run(ctx context.Context) error {
	var typing atomic.Bool
	typing.Store(v.keyed)
	quiet := func() bool { return typing.Load() && v.c.State().Saying.IsZero() }
	ctx, stop := watch{flags: v.flags, u: v.u, c: v.c, who: v.who, quiet: quiet}.start(ctx)
	defer stop()
	said, heard := make(chan error, 1), make(chan error, 1)
	if v.say != nil {
		go func() { err := v.say(ctx); typing.Store(false); said <- err }()
	}
	go func() { heard <- v.hear(ctx) }()
	err := v.wait(ctx, said, heard)
	if err == nil {
		err = v.c.WaitTaken(ctx)
	}
	if err == nil {
		err = waitCommand(ctx, v.c)
	}
	return withState(because(ctx, v.named(err)), v.c)
}

// waitCommand waits for a command that was the other end, and returns how it failed, if it did.
func waitCommand(ctx context.Context, c *parley.Conn) error {
	if command, ok := c.NetConn().(interface{ Wait(context.Context) error }); ok {
		return command.Wait(ctx)
	}
	return nil
}

// named says who is concerned, where package net's errors from copying say only which sockets.
func (v converse) named(err error) error {
	var oe *net.OpError
	var pe *parley.Error
	if errors.As(err, &oe) && !errors.As(err, &pe) {
		return &parley.Error{Op: "talk with", Addr: v.who, Err: err}
	}
	return err
}

// withState adds to a limit of time what the conversation was doing when it came.
func withState(err error, c *parley.Conn) error {
	if limit := (*limitError)(nil); errors.As(err, &limit) && limit.state == "" {
		told := *limit
		told.state = c.State().String()
		return &told
	}
	return err
}

// letGo closes a conversation. If it went wrong, it is broken off, so that the other end does not take what it has heard for
// all there was; see sock.BreakOff. Not so if the reader of standard output has gone, as tar does when it has read its
// archive: then the kernel knows whether anything was left.
func letGo(c *parley.Conn, err error) {
	if err != nil && !sys.NoReader.Is(err) {
		sock.BreakOff(c.NetConn())
	}
	c.Close()
}

// wait waits until both directions have ended, or one has failed. When the other end takes no more, what it has said is
// still heard.
func (v converse) wait(ctx context.Context, said, heard <-chan error) error {
	var sayErr error
	saying := v.say != nil
	for {
		select {
		case sayErr = <-said:
			said, saying = nil, false
			if sayErr != nil && exitCode(sayErr) != exitBroken {
				return sayErr // it is our own fault, and the other end may be waiting for us
			}
		case err := <-heard:
			heard = nil
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if heard == nil && (!saying || v.keyed) {
			return sayErr
		}
	}
}

// sayBytes says what in holds, as it is. An input without a byte in it does not say the end if optional: whoever
// listens may have nothing to say, and callers there are that take an end for a hang-up.
func (v *converse) sayBytes(in io.Reader) func(context.Context) error {
	return func(ctx context.Context) error {
		n, err := v.c.ReadFrom(in)
		if err != nil {
			return localInput(err)
		}
		if n == 0 && v.optional {
			return nil
		}
		return v.sayEnd()
	}
}

// sayTexts says each text as a frame.
func (v *converse) sayTexts(texts iter.Seq2[[]byte, error]) func(context.Context) error {
	return func(ctx context.Context) error {
		for text, err := range texts {
			if err != nil {
				return err
			}
			if err := v.c.Send(ctx, text); err != nil {
				return err
			}
		}
		return v.sayEnd()
	}
}

func (v *converse) sayEnd() error {
	if v.c.State().SaidEnd {
		return nil
	}
	err := v.c.CloseWrite()
	if errors.Is(err, errors.ErrUnsupported) {
		return nil // the wait that follows is explained, as any is
	}
	return err
}

// hearBytes writes what is heard to standard output, as it is.
func (v *converse) hearBytes(context.Context) error {
	out := v.u.output()
	_, err := v.c.WriteTo(out)
	if e, ok := out.(*escape.Writer); ok {
		e.Close()
	}
	return localOutput(err)
}

// hearFrames writes each frame's text on a line of its own. With --json the recorder has written it already.
func (v *converse) hearFrames(ctx context.Context) error {
	out := v.u.output()
	for f, err := range v.c.Frames(ctx) {
		if !v.json && (err == nil || len(f.Data) > 0) {
			if err := showFrame(out, f.Data); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// showFrame prints a frame's text and a line end.
func showFrame(w io.Writer, text []byte) error {
	_, err := w.Write(append(text[:len(text):len(text)], '\n'))
	return localOutput(err)
}

// localInput tells the errors of standard input from the other end's.
func localInput(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return &localError{"standard input", pe.Err}
	}
	return err
}

// localOutput tells the errors of standard output from the other end's: hearing never gives EPIPE.
func localOutput(err error) error {
	var pe *fs.PathError
	switch {
	case errors.As(err, &pe):
		return &localError{"standard output", pe.Err}
	case errors.Is(err, syscall.EPIPE):
		return &localError{"standard output", syscall.EPIPE}
	}
	return err
}

// longestLine is the longest line of standard input that is taken as one text, in bytes.
const longestLine = 64 << 20

// lines returns the lines of r, without the LF that ends each; and without a CR before it, if cutCR. The last need not have
// an end.
func lines(r io.Reader, cutCR bool) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		s := bufio.NewScanner(r)
		s.Buffer(nil, longestLine)
		s.Split(splitLF)
		for s.Scan() {
			line := s.Bytes()
			if cutCR {
				line = bytes.TrimSuffix(line, []byte("\r"))
			}
			if !yield(line, nil) {
				return
			}
		}
		err := s.Err()
		if errors.Is(err, bufio.ErrTooLong) {
			err = fmt.Errorf("a line of over %d bytes", longestLine)
		}
		if err != nil {
			yield(nil, &localError{"standard input", err})
		}
	}
}

// splitLF is bufio.ScanLines, but that it leaves a CR alone.
func splitLF(data []byte, atEOF bool) (advance int, line []byte, err error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

// once returns one text.
func once(text string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) { yield([]byte(text), nil) }
}

// each returns several texts.
func each(texts []string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, text := range texts {
			if !yield([]byte(text), nil) {
				return
			}
		}
	}
}

// whole returns all of r as one text, without the line end that editors and echo put last.
func whole(r io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		text, err := io.ReadAll(r)
		if err != nil {
			err = &localError{"standard input", err}
		}
		text = bytes.TrimSuffix(text, []byte("\n"))
		yield(bytes.TrimSuffix(text, []byte("\r")), err)
	}
}
