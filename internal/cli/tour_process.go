package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"parley/transcript"
)

// tourLimit ends every process of the tour by itself, even if the tour was killed and can end it no more. A conversation
// takes a fraction of a second; a machine that is busy with other things must not make it fail.
const tourLimit = 20 * time.Second

// A stage is where the processes of one conversation run. When one of them fails, or the tour is interrupted, all end.
type stage struct {
	*touring
	ctx     context.Context
	stop    context.CancelCauseFunc
	running sync.WaitGroup
}

// A process is one end: this program again, with a verb.
type process struct {
	cmd    *exec.Cmd
	waits  bool
	input  io.WriteCloser // of one who waits or types; nil otherwise
	opened chan struct{}  // one for each conversation
	heard  chan struct{}  // one for each message
	stderr bytes.Buffer
	lines  []transcript.Line // what it wrote; complete when the stage has run
	done   chan struct{}     // closed when the process has ended
}

// play runs the server and its callers to the end, and returns what their transcripts tell. Without a picture nobody has
// spoken.
func (t *touring) play(ctx context.Context, c *classic) (*picture, error) {
	s := &stage{touring: t}
	s.ctx, s.stop = context.WithCancelCause(ctx)
	defer s.stop(nil)
	server, ports, err := s.startServer(c.server)
	if err != nil {
		s.stop(err)
		s.running.Wait()
		return nil, context.Cause(s.ctx)
	}
	var callers []*process
	for _, part := range c.callers {
		p, err := s.start(part, ports)
		if err != nil {
			s.stop(err)
			break
		}
		callers = append(callers, p)
	}
	s.prompt(c.callers, server, callers)
	s.running.Wait()
	failure := context.Cause(s.ctx)
	if failure != nil && exitCode(failure) == exitInterrupted {
		return nil, failure
	}
	p, losses := newPicture(c, ports, server, callers)
	return p, cmp.Or(failure, losses)
}

// startServer starts the process that listens, and waits until callers can come.
func (s *stage) startServer(p part) (*process, []string, error) {
	dir, err := os.MkdirTemp("", "parley-tour-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	ready := filepath.Join(dir, "ready")
	p.more = append([]string{"--ready-file", ready}, p.more...)
	server, err := s.start(p, []string{"0", "0", "0"})
	if err != nil {
		return nil, nil, err
	}
	ports, err := s.awaitPorts(server, ready)
	return server, ports, err
}

// awaitPorts looks for the file that tells where the server listens: that works on every system.
func (s *stage) awaitPorts(server *process, ready string) (ports []string, err error) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		if text, err := os.ReadFile(ready); err == nil {
			for address := range strings.FieldsSeq(string(text)) {
				ports = append(ports, address[strings.LastIndexByte(address, ':')+1:])
			}
			return ports, nil
		}
		select {
		case <-tick.C:
		case <-s.ctx.Done():
			return nil, context.Cause(s.ctx)
		case <-server.done:
			return nil, fmt.Errorf("%s ended before callers could come", server)
		}
	}
}

func (s *stage) start(part part, ports []string) (*process, error) {
	args := append(replaced(part.args, ports), "--json", "--max-time", tourLimit.String())
	p := &process{
		cmd:   exec.CommandContext(s.ctx, s.program, append(args, part.more...)...),
		waits: part.waits, opened: make(chan struct{}, maxCues), heard: make(chan struct{}, maxCues), done: make(chan struct{}),
	}
	p.cmd.Args[0] = os.Args[0] // under tests it is this name that makes a program of the test
	p.cmd.Stderr = &p.stderr
	p.cmd.WaitDelay = time.Second
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	switch {
	case part.waits || part.typed:
		if p.input, err = p.cmd.StdinPipe(); err != nil {
			return nil, err
		}
	case part.input != "":
		p.cmd.Stdin = strings.NewReader(part.input)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", p, err)
	}
	s.running.Go(func() { s.follow(p, out) })
	return p, nil
}

// follow reads what p writes and waits for its end. The first failure ends the stage; those of the others only follow
// from it.
func (s *stage) follow(p *process, out io.Reader) {
	defer close(p.done)
	readErr := p.read(out)
	err := p.cmd.Wait()
	switch {
	case isInterrupted(err):
		s.stop(errInterrupted) // Ctrl-C reaches all processes of a terminal, and this one was quicker
	case err != nil:
		s.stop(fmt.Errorf("%s\nended with %v\n%s", p, err, &p.stderr))
	case readErr != nil:
		s.stop(fmt.Errorf("%s\n%v", p, readErr))
	}
}

func (p *process) read(out io.Reader) error {
	var errs []error
	for line, err := range transcript.NewReader(out).Lines() {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		p.lines = append(p.lines, line)
		p.cue(line)
	}
	return errors.Join(errs...)
}

// cue tells the prompter how far p is. One who only waits ends when the other end has ended.
func (p *process) cue(line transcript.Line) {
	switch line := line.(type) {
	case transcript.Opened:
		notify(p.opened)
	case transcript.Frame:
		if line.Heard {
			notify(p.heard)
		}
	case transcript.HalfClosed:
		if p.waits && line.Role == roleServer {
			p.input.Close()
		}
	}
}

// maxCues is more than the callers and lines that are prompted.
const maxCues = 16

// notify never waits: most processes have no prompter.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// prompt gives those who type their lines: when all of them are there, one line to each in turn. Without it the first
// would often have ended before the last has begun.
func (s *stage) prompt(parts []part, server *process, callers []*process) {
	var lines [][]string
	longest := 0
	for i, p := range callers {
		lines = append(lines, nil)
		if parts[i].typed {
			lines[i] = strings.SplitAfter(strings.TrimSuffix(parts[i].input, "\n"), "\n")
			longest = max(longest, len(lines[i]))
			s.await(p, p.opened)
		}
	}
	for n := range longest {
		for i, p := range callers {
			if n < len(lines[i]) {
				p.give(lines[i][n], n == len(lines[i])-1)
				s.await(server, server.heard)
			}
		}
	}
}

// give gives p one line. If it cannot take it, that shows when it has ended.
func (p *process) give(line string, last bool) {
	_, _ = io.WriteString(p.input, line)
	if last {
		p.input.Close()
	}
}

// await waits until p has come one step further.
func (s *stage) await(p *process, step <-chan struct{}) {
	select {
	case <-step:
	case <-p.done:
	case <-s.ctx.Done():
	}
}

// isInterrupted reports whether a process ended because it was interrupted, before or after it could say so itself.
func isInterrupted(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return exit.ExitCode() == exitInterrupted || ok && status.Signaled() && status.Signal() == syscall.SIGINT
}

// String is the command as it was run.
func (p *process) String() string {
	words := []string{"parley"}
	for _, arg := range p.cmd.Args[1:] {
		words = append(words, shellQuote(arg))
	}
	return strings.Join(words, " ")
}
