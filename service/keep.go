package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"parley"
)

// Keep runs one process for each conversation, a coprocess: it gets each request as a frame on its standard input and
// says each reply as a frame on its standard output, so that a request costs no new process. It is started for the first
// request, and must not hold back what it writes: programs that use stdio flush after each reply, or run under
// `stdbuf -oL`.
//
// If it fails, it is ended, and a new one is started for the next request. If it has ended between two requests, or has
// said more than was asked, it is replaced before the next, which nobody but Failed learns of. At the end of the
// conversation its input ends, and it has 2 seconds to end as well; to have said more than was asked is a failure there too.
//
// What it says too much only after it was given the next request cannot be told from the reply to that, and is taken for
// it: so it may be of who says two replies to one request when requests come without a pause.
func (cmd *Command) Keep(ctx context.Context, c *parley.Conn) error {
	k := &kept{cmd: cmd, c: c}
	err := answerAll(ctx, c, func(request []byte) error {
		reply, err := k.ask(ctx, request)
		if err == nil {
			err = cmd.unsayable(c.Send(ctx, reply))
		}
		if err != nil {
			return cmd.failed(ctx, c, err)
		}
		return nil
	})
	if failure := k.finish(); failure != nil {
		cmd.tell(c, failure)
	}
	return err
}

// kept is the coprocess of one conversation. All but cmd and c is nil while there is none.
type kept struct {
	cmd   *Command
	c     *parley.Conn
	env   []string
	tubes *tubes
	talk  *coConn
	co    *parley.Conn // over talk
	p     *process
	undo  func() bool     // of p.watch
	told  <-chan struct{} // all lines of its standard error
}

// ask has the coprocess reply to request.
func (k *kept) ask(ctx context.Context, request []byte) ([]byte, error) {
	if err := k.ready(ctx); err != nil {
		return nil, err
	}
	reply, err := k.co.Ask(context.Background(), request) // the end of ctx ends the process, and that the wait
	if errors.Is(err, parley.ErrOutOfStep) {              // it has said more with its last reply, and has not been asked
		if err := k.replace(ctx, errUnasked); err != nil {
			return nil, err
		}
		reply, err = k.co.Ask(context.Background(), request)
	}
	if err == nil {
		return reply, nil
	}
	if isTextError(err) { // so that it has heard nothing of it
		failure := k.cmd.fault(fmt.Errorf("the request cannot be said to it: %w", withoutPlace(err)))
		failure.Status = 0
		return nil, failure
	}
	return nil, k.discard(k.explain(err))
}

// explain says why a coprocess that gave no reply is of no use any more; nil if only its exit status can.
func (k *kept) explain(err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return noReplyWithin(k.cmd.Timeout)
	case errors.Is(err, io.ErrUnexpectedEOF) || isUnread(err):
		return nil
	}
	return withoutPlace(err)
}

// withoutPlace takes away what an error says of the pipes.
func withoutPlace(err error) error {
	var named *parley.Error
	if errors.As(err, &named) {
		return named.Err
	}
	return err
}

// errEnded is the failure of a coprocess that ended with status 0.
var errEnded = errors.New("it ended without a reply")

// discard ends the coprocess, for cause if it is not nil, and returns its failure.
func (k *kept) discard(cause error) error {
	if failure := k.dismissFor(cause); failure != nil {
		return failure
	}
	return k.endedWith(errEnded)
}

// endedWith is the failure of a coprocess that ended with status 0, and should not have.
func (k *kept) endedWith(cause error) error {
	failure := k.cmd.fault(cause)
	failure.Status = 0
	return failure
}

// dismiss lets the coprocess end, if there is one, and returns its failure if it was one.
func (k *kept) dismiss() error {
	if k.p == nil {
		return nil
	}
	defer k.forget()
	k.tubes.ours[0].Close()
	patience := time.AfterFunc(letGo, func() { k.p.stop(errLingers) })
	<-k.p.done
	patience.Stop()
	k.undo()
	<-k.told
	return k.p.failure()
}

// dismissFor is dismiss for a cause, if it is not nil, which is a failure even of one that has ended by itself meanwhile.
func (k *kept) dismissFor(cause error) error {
	if cause == nil {
		return k.dismiss()
	}
	k.p.stop(cause)
	if failure := k.dismiss(); failure != nil {
		return failure
	}
	return k.endedWith(cause)
}

// finish is dismiss at the end of the conversation.
func (k *kept) finish() error {
	if k.p == nil {
		return nil
	}
	k.allowTime() // or else nothing could be asked after a long silence
	err := k.silent()
	if err == nil && k.heardMore() {
		err = errUnasked
	}
	if err != errUnasked {
		err = nil // it is to end anyway
	}
	return k.dismissFor(err)
}

// silent asks the pipe whether the coprocess has said more than was asked. Of one that has ended it looks at what was heard
// with the last reply as well; of others Ask does.
func (k *kept) silent() error {
	err := k.talk.silent()
	if err == io.EOF && k.heardMore() {
		return errUnasked
	}
	return err
}

// heardMore reports whether something was heard with the last reply that is not of it. The coprocess is of no use then, nor
// after this: its time is over.
func (k *kept) heardMore() bool {
	if k.talk.File.SetReadDeadline(time.Unix(1, 0)) != nil {
		return false // it could wait
	}
	var one [1]byte
	n, _ := k.co.Read(one[:])
	return n > 0
}

// errLingers is the failure of a coprocess that was given time to end.
var errLingers = fmt.Errorf("it did not end within %v of its input", letGo)

func (k *kept) forget() {
	k.tubes.close()
	k.talk.writers.Wait()
	k.tubes, k.talk, k.co, k.p = nil, nil, nil, nil
}

// ready sees to it that there is a coprocess that waits for a request.
func (k *kept) ready(ctx context.Context) error {
	if k.p != nil {
		k.allowTime()
		switch err := k.silent(); err {
		case nil:
			return nil
		case io.EOF: // that it has ended is only a failure if its status says so
			return k.replace(ctx, nil)
		default:
			return k.replace(ctx, err)
		}
	}
	return k.begin(ctx)
}

// replace ends the coprocess, for cause if it is not nil, and begins another.
func (k *kept) replace(ctx context.Context, cause error) error {
	if failure := k.dismissFor(cause); failure != nil && !k.cmd.tell(k.c, failure) {
		return failure
	}
	return k.begin(ctx)
}

func (k *kept) begin(ctx context.Context) error {
	if k.env == nil {
		k.env = conversationEnvironment(k.c)
	}
	t, err := k.cmd.openTubes()
	if err != nil {
		return k.cmd.fault(err)
	}
	p, err := k.cmd.start(k.env, t.theirs, false)
	if err != nil {
		t.close()
		return err
	}
	t.closeTheirs()
	go p.waitAnd(t.release)
	k.tubes, k.p = t, p
	k.undo, k.told = p.watch(ctx, k.c), t.tellLines(k.cmd, k.c)
	k.talk = newCoConn(t)
	k.co = parley.NewConn(k.talk, &parley.Config{
		Frame: k.cmd.Frame, HearFrame: k.cmd.ReplyFrame, MaxFrame: cmp.Or(k.cmd.maxReply(), -1),
	})
	k.allowTime()
	return nil
}

// allowTime gives the coprocess its time for the next reply, from now on.
func (k *kept) allowTime() {
	if k.cmd.Timeout > 0 {
		_ = k.talk.SetDeadline(time.Now().Add(k.cmd.Timeout))
	}
}

// A coConn is the standard input and output of a coprocess as one net.Conn.
type coConn struct {
	*os.File          // its output, to be read
	in       *os.File // its input
	quiet    quiet

	mu      sync.Mutex
	unsaid  []byte // to be written by sayUnsaid
	saying  bool   // sayUnsaid runs
	writers sync.WaitGroup
}

func newCoConn(t *tubes) *coConn {
	co := &coConn{File: t.ours[1], in: t.ours[0]}
	co.quiet.of(co.File)
	return co
}

// silent returns nil if the coprocess has said nothing that nobody has heard, and io.EOF if it has ended: what it said too
// much would be taken for the reply to the next request.
func (co *coConn) silent() error { return co.quiet.check() }

var errUnasked = errors.New("it said more than was asked")

// Write does not wait for a process that would read a large request only while somebody reads its reply, as cat does: it
// leaves that to a goroutine.
func (co *coConn) Write(p []byte) (int, error) {
	co.mu.Lock()
	defer co.mu.Unlock()
	if !co.saying && len(p) <= smallRequest {
		return co.in.Write(p)
	}
	co.unsaid = append(co.unsaid, p...)
	if !co.saying {
		co.saying = true
		co.writers.Go(co.sayUnsaid)
	}
	return len(p), nil
}

// sayUnsaid writes until nothing is left. An error is not lost: the process that does not read gives no reply.
func (co *coConn) sayUnsaid() {
	for {
		co.mu.Lock()
		p := co.unsaid
		co.unsaid, co.saying = nil, len(p) > 0
		co.mu.Unlock()
		if len(p) == 0 {
			return
		}
		_, _ = co.in.Write(p)
	}
}

func (co *coConn) SetDeadline(t time.Time) error {
	return cmp.Or(co.File.SetReadDeadline(t), co.in.SetWriteDeadline(t))
}

func (co *coConn) SetWriteDeadline(t time.Time) error { return co.in.SetWriteDeadline(t) }

func (co *coConn) Close() error { return errors.Join(co.in.Close(), co.File.Close()) }

func (co *coConn) LocalAddr() net.Addr  { return tubeAddr{} }
func (co *coConn) RemoteAddr() net.Addr { return tubeAddr{} }

// A tubeAddr is the address of either end of a pipe, which has none.
type tubeAddr struct{}

func (tubeAddr) Network() string { return "pipe" }
func (tubeAddr) String() string  { return "pipe" }
