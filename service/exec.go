package service

import (
	"context"
	"crypto/tls"
	"errors"
	"os"
	"sync"

	"parley"
)

// Exec runs a process for the caller, whose descriptors 0 and 1 are the conversation, as ucspi-tcp's tcpserver does: bytes,
// not frames. The conversation is closed when the process has ended; what the caller had said and nobody has read then
// resets it.
//
// A plain TCP or Unix socket of which nothing has been read yet is handed to the process itself: it costs no copy, the
// process can shut down each direction (a close of one of the two descriptors says nothing), and it alone sees what is said. To the Conn, its limits and its observers
// the conversation is then silent; Server.Idle would close it. On Windows, with Carry, on TLS and on whatever else the
// bytes are carried through pipes: the end is carried over each way, as far as the transport can say it, and each
// datagram is one write on its standard input, each read of its standard output one datagram. What the process does not
// read is thrown away when it has closed its standard input.
//
// When the Server begins to end, a process on a stream may finish, and nothing tells it to: only it and its caller know
// when they are done. A conversation whose process has the socket, or has bytes carried, and does not end by itself is
// cut off after Server.Grace. Of datagrams its standard input ends at once.
//
// With Pty descriptors 0, 1 and, without Stderr, 2 are a terminal, which echoes and turns line ends into CR LF until the
// program says otherwise. The caller's end is typed as Ctrl-D, once: it ends one reader, and what the process then still
// writes is carried until it ends or closes the terminal. Where the program has turned Ctrl-D off, with canonical mode, the
// caller's end hangs the terminal up, which SIGHUP tells the program.
func (cmd *Command) Exec(ctx context.Context, c *parley.Conn) error {
	if _, err := cmd.find(); err != nil {
		cmd.tell(c, err)
		return err
	}
	if c.KeepsEdges() && answersAnything(c) {
		return Discard(ctx, c)
	}
	if _, ok := c.NetConn().(*tls.Conn); ok {
		if _, err := c.Write(nil); err != nil { // which only shakes hands: no process for who cannot
			return err
		}
	}
	env := conversationEnvironment(c)
	socket, ok := cmd.handable(c)
	if ok {
		return cmd.handOver(ctx, c, socket, env)
	}
	open := cmd.openTubes
	if cmd.Pty {
		open = cmd.openTerminal
	}
	t, err := open()
	if err != nil {
		err = cmd.fault(err)
		cmd.tell(c, err)
		return err
	}
	defer t.close()
	return cmd.carry(ctx, c, t, env)
}

// carry runs the process on pipes or a terminal, and carries bytes between it and the caller.
func (cmd *Command) carry(ctx context.Context, c *parley.Conn, t *tubes, env []string) error {
	p, err := cmd.start(env, t.theirs, cmd.Pty)
	if err != nil {
		cmd.tell(c, err)
		return err
	}
	t.closeTheirs()
	stop := context.AfterFunc(ctx, func() { p.callOff(context.Cause(ctx)) })
	defer stop()
	go p.waitAnd(t.release)
	told := t.tellLines(cmd, c)
	var in sync.WaitGroup
	ended := false
	in.Go(func() { ended = carryIn(c, t, p) })
	err = carryOut(c, t.ours[1])
	if err != nil {
		p.callOff(err)
	}
	t.ours[1].Close() // who goes on writing gets SIGPIPE, as with the caller itself
	<-p.done
	<-told
	if err == nil {
		_ = c.WaitTaken(ctx) // a close with something unread would take back what is still on its way
	}
	c.Close()
	t.close()
	in.Wait()
	failure := p.failure()
	if cmd.Pty && ended && isHangup(p.exit) {
		failure = nil
	}
	cmd.tell(c, failure)
	return failure
}

// carryIn gives the process what the caller says, and then the end, and reports whether that came. An error calls the
// process off before it can take the end of a broken conversation for a good one.
func carryIn(c *parley.Conn, t *tubes, p *process) (ended bool) {
	to := &openEnd{in: t.ours[0], terminal: t.terminal(), edges: c.KeepsEdges()}
	for {
		_, err := c.WriteTo(to)
		switch {
		case err == nil, errors.Is(err, parley.ErrServerEnding):
			to.end()
			return true
		case onlyDatagram(c, err):
		default:
			p.callOff(err)
			return false
		}
	}
}

// An openEnd is the standard input of a process. When it reads no more, what it is given is thrown away: the caller need not
// know, and what he says must not hold up his own end.
//
// It is no *os.File on purpose. The kernel could move bytes from a socket to a pipe, but would hold a thread while the pipe is
// full, which a process left behind can make a long time.
type openEnd struct {
	in       *os.File
	terminal bool // in is where the output comes from too, so it is not closed
	edges    bool // it is given datagrams
	deaf     bool
	last     byte // that was given
}

// end gives the process the end.
func (e *openEnd) end() {
	switch {
	case !e.terminal:
		e.in.Close()
	case !e.deaf:
		endTerminal(e.in, e.last)
	}
}

// ServerEnding has WriteTo return with the last datagram: there is no end that could still come. Of a stream nobody
// knows whether caller and process have still to do, so they have the grace.
func (e *openEnd) ServerEnding() bool { return e.edges }

func (e *openEnd) Write(p []byte) (int, error) {
	if e.deaf {
		return len(p), nil
	}
	_, err := e.in.Write(p)
	if isUnread(err) || isHungUp(err) {
		e.deaf, err = true, nil
		if !e.terminal {
			e.in.Close()
		}
	}
	if len(p) > 0 {
		e.last = p[len(p)-1]
	}
	return len(p), err
}

// carried is how much of a process's output is read at once, in bytes: the largest datagram.
const carried = 64 << 10

// carryOut says what the process writes, and then the end.
func carryOut(c *parley.Conn, out *os.File) error {
	memory := make([]byte, carried)
	for {
		n, err := out.Read(memory)
		if n > 0 {
			if _, err := c.Write(memory[:n]); err != nil {
				return err
			}
		}
		if err != nil { // its end, that of the terminal, or the time is over for what has been left behind
			break
		}
	}
	if err := c.CloseWrite(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}
