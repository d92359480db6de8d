package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"

	"parley"
)

var execParams = []parley.Param{
	{Name: "shell", Summary: "COMMAND is for sh -c: with variables, pipes, wildcards"},
	{Name: "socket", Summary: "talk through a socket pair, not through two pipes"},
	{Name: "pty", Summary: "run it on a terminal"},
	{Name: "size", Value: "COLUMNSxLINES", Summary: "with pty: the size of the terminal (default 80x24)"},
	{Name: "stderr", Value: "WHERE", Summary: "its standard error: inherit (default; on a terminal, that), null, or merge with its output"},
	{Name: "dir", Value: "DIRECTORY", Summary: "where it runs"},
	{Name: "env", Value: "NAME=VALUE", Summary: `variables beyond those inherited; several: A=1,B=2; a comma in a value is \,`},
}

// dialExec starts a command, and holds the conversation with its standard input and output.
func dialExec(ctx context.Context, a parley.Addr, _ *parley.Config) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	j, err := parseJob(a)
	if err != nil {
		return nil, err
	}
	return j.run(Addr{a.Scheme, a.Target})
}

// tubes are what leads to a process: our ends, and its standard input, output and error.
type tubes struct {
	in, out *os.File // ours; one file if it is a terminal or a socket
	theirs  [3]*os.File
}

// close closes our ends, for which there is no use.
func (t *tubes) close() {
	for _, f := range []*os.File{t.in, t.out} {
		if f != nil {
			f.Close() // of one file the second is an error that means nothing
		}
	}
}

// closeTheirs closes what the process has copies of.
func (t *tubes) closeTheirs() {
	for _, f := range t.theirs {
		if f != nil && f != os.Stderr {
			f.Close()
		}
	}
}

// run starts the job, and returns the conversation with it.
func (j *job) run(addr Addr) (net.Conn, error) {
	l, err := j.launch()
	if err != nil {
		return nil, err
	}
	t := new(tubes)
	defer t.closeTheirs()
	if err := j.open(t); err != nil {
		t.close()
		return nil, fmt.Errorf("command %s: %w", j.words[0], err)
	}
	l.Files, l.Terminal = t.theirs, j.by == byTerminal
	p, err := start(j.words[0], l)
	if err != nil {
		t.close()
		return nil, err
	}
	return j.converse(addr, t, p), nil
}

// open opens what leads to the process.
func (j *job) open(t *tubes) (err error) {
	switch j.by {
	case byTerminal:
		err = t.openTerminal(j.size)
	case bySocket:
		err = t.openSocket()
	default:
		err = t.openPipes()
	}
	if err != nil {
		return err
	}
	return t.openError(j.stderr)
}

func (t *tubes) openPipes() (err error) {
	if t.theirs[0], t.out, err = os.Pipe(); err != nil {
		return err
	}
	t.in, t.theirs[1], err = os.Pipe()
	return err
}

func (t *tubes) openSocket() error {
	ours, theirs, err := socketPair()
	if err != nil {
		return err
	}
	t.in, t.out = ours, ours
	t.theirs = [3]*os.File{theirs, theirs}
	return nil
}

func (t *tubes) openTerminal(s size) error {
	m, err := openMaster(s)
	if err != nil {
		return err
	}
	t.in, t.out = m.File, m.File
	theirs, err := m.openSlave()
	t.theirs = [3]*os.File{theirs, theirs}
	return err
}

// openError gives the process its standard error.
func (t *tubes) openError(where string) (err error) {
	switch where {
	case "inherit":
		t.theirs[2] = os.Stderr
	case "merge":
		t.theirs[2] = t.theirs[1]
	case "null":
		t.theirs[2], err = os.OpenFile(os.DevNull, os.O_RDWR, 0)
	}
	return err
}

// converse makes the conversation with the process.
func (j *job) converse(addr Addr, t *tubes, p *process) net.Conn {
	c := &execConn{p: p, command: addr.text}
	switch j.by {
	case byTerminal:
		c.end = newTerminalEnd(addr, t.in)
	case bySocket:
		c.end = newEnd(addr, t.in, t.out)
		return &execSocket{c, t.in}
	default:
		c.end = newEnd(addr, t.in, t.out)
	}
	return c
}

// An execConn is a conversation with a process, through pipes or a terminal.
type execConn struct {
	*end
	p       *process
	command string
	closing sync.Once
	closed  error // of Close
}

// Wait waits until the process has ended by itself, or ctx ends. If its exit status is not 0, or a signal has ended it, the
// error is an *ExitError. Close ends a process that goes on.
func (c *execConn) Wait(ctx context.Context) error { return c.p.wait(ctx) }

// Close ends the conversation, the process and all of its group, and returns when it has been reaped, which may take some
// seconds if it does not heed SIGTERM.
func (c *execConn) Close() error {
	c.closing.Do(func() {
		c.p.hurry()
		c.closed = errors.Join(c.end.Close(), c.p.end())
	})
	return c.closed
}

// Abort is Close: what the process is to do at the end of its input, it does not do.
func (c *execConn) Abort() { _ = c.Close() }

// An execSocket is a conversation with a process through a socket.
type execSocket struct {
	*execConn
	socket *os.File
}

// SyscallConn is the way to ask the kernel what of the conversation lies unread.
func (c *execSocket) SyscallConn() (syscall.RawConn, error) { return c.socket.SyscallConn() }

// Files returns none: a socket is not a file that all ways of moving bytes take.
func (c *execSocket) Files() (in, out *os.File) { return nil, nil }
