package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// A command is a program to run: one side of a comparison, or its load.
type command struct {
	argv   []string
	cpu    string   // the processor it may use, as taskset -c has it; "" means any
	stdin  *os.File // nil means no input, or ask's pipe
	stdout *os.File // nil means kept for the caller
	asks   bool     // keep a pipe to standard input open, for ask and hangUp
	gentle bool     // it is ended by SIGTERM, so that it can end its children
}

// A process is a command that was started. Whoever started it calls wait or
// stop: that alone ends it, by its own id.
type process struct {
	name   string
	cmd    *exec.Cmd
	input  io.WriteCloser
	lines  *bufio.Scanner // its standard output, if that was not given away
	gentle bool
	errors bytes.Buffer
}

// start starts c. When ctx ends, the process is killed.
func start(ctx context.Context, c command) (*process, error) {
	argv := c.argv
	if c.cpu != "" {
		argv = append([]string{"taskset", "-c", c.cpu}, argv...)
	}
	p := &process{name: strings.Join(c.argv, " "), gentle: c.gentle, cmd: exec.CommandContext(ctx, argv[0], argv[1:]...)}
	p.cmd.WaitDelay = time.Second
	if c.gentle {
		p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	}
	p.cmd.Stderr = &p.errors
	if c.stdin != nil {
		p.cmd.Stdin = c.stdin
	}
	if err := p.connect(c); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	return p, nil
}

// connect makes the pipes that c asks for.
func (p *process) connect(c command) error {
	if c.asks {
		input, err := p.cmd.StdinPipe()
		if err != nil {
			return fmt.Errorf("start %s: %w", p.name, err)
		}
		p.input = input
	}
	if c.stdout != nil {
		p.cmd.Stdout = c.stdout
		return nil
	}
	output, err := p.cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	p.lines = bufio.NewScanner(output)
	return nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// line returns the next line of the process's standard output.
func (p *process) line() (string, error) {
	if p.lines.Scan() {
		return p.lines.Text(), nil
	}
	return "", p.failed(cmp.Or(p.lines.Err(), io.ErrUnexpectedEOF))
}

// ask writes a line to the process and returns the line it answers with.
func (p *process) ask() (string, error) {
	if _, err := io.WriteString(p.input, "\n"); err != nil {
		return "", p.failed(err)
	}
	return p.line()
}

// hangUp ends the process's standard input.
func (p *process) hangUp() error { return p.input.Close() }

// wait waits until the process has ended by itself. It must have succeeded.
func (p *process) wait() error {
	if err := p.cmd.Wait(); err != nil {
		return p.failed(err)
	}
	return nil
}

// stop kills the process if it has not ended, and waits for it. One that is to
// be ended gently is killed if it takes longer than it should.
func (p *process) stop() {
	end := p.cmd.Process.Kill
	if p.gentle {
		end = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
		defer time.AfterFunc(gentleness, func() { p.cmd.Process.Kill() }).Stop()
	}
	if err := end(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		fmt.Fprintf(os.Stderr, "bench: stop %s: %v\n", p.name, err)
	}
	p.cmd.Wait() // ended by us, so its result says nothing
}

// gentleness is how long a process may take to end by itself.
const gentleness = 5 * time.Second

// failed adds to err which process it was and what that said on its standard
// error. Only for a process that has ended or is about to be stopped.
func (p *process) failed(err error) error {
	p.stop()
	said := strings.TrimSpace(p.errors.String())
	if said == "" {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return fmt.Errorf("%s: %w: %s", p.name, err, said)
}

// collect runs c to its end and returns all that it printed.
func collect(ctx context.Context, c command) (string, error) {
	p, err := start(ctx, c)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for p.lines.Scan() {
		text.WriteString(p.lines.Text() + "\n")
	}
	if err := p.lines.Err(); err != nil {
		return "", p.failed(err)
	}
	return text.String(), p.wait()
}

// run runs c to its end and returns the one line it printed.
func run(ctx context.Context, c command) (string, error) {
	p, err := start(ctx, c)
	if err != nil {
		return "", err
	}
	text, err := p.line()
	if err != nil {
		return "", err
	}
	return text, p.wait()
}
