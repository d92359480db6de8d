package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"parley"
	"parley/internal/child"
)

// letGo is how long a process that was asked to end may take, and how long what it leaves behind may hold its output.
const letGo = 2 * time.Second

// A process is a running command.
type process struct {
	*child.Child
	name  string
	done  chan struct{} // closed when it has been reaped
	holds bool          // the socket of the conversation

	mu      sync.Mutex
	ended   bool
	cause   error // why it was stopped, if it was
	blame   bool  // cause is the command's fault
	exit    child.Exit
	killing *time.Timer
	looking *time.Timer
}

// start runs the command on files. Each is the caller's, and is only used meanwhile. The error is a *CommandError.
func (cmd *Command) start(env []string, files [3]*os.File, terminal bool) (*process, error) {
	f, err := cmd.find()
	if err != nil {
		return nil, err
	}
	l := cmd.launch(f, env)
	l.Files, l.Terminal = files, terminal
	c, err := l.Start()
	if err != nil {
		return nil, cmd.cannotStart(f, err)
	}
	return &process{Child: c, name: cmd.Args[0], done: make(chan struct{})}, nil
}

func (cmd *Command) launch(f *found, env []string) *child.Launch {
	return &child.Launch{Program: f.program, Args: cmd.Args, Dir: cmd.Dir, Env: slices.Concat(f.env, env)}
}

func (cmd *Command) cannotStart(f *found, err error) *CommandError {
	return cmd.fault(fmt.Errorf("cannot start %s: %w", f.program, err))
}

// wait waits for the process to end, and reaps it. It is called once.
func (p *process) wait() {
	exit := p.Await()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cause != nil {
		p.Kill() // the rest of its group; its number is not another's yet
	}
	p.Reap()
	p.exit = exit
	p.ended = true
	for _, t := range []*time.Timer{p.killing, p.looking} {
		if t != nil {
			t.Stop()
		}
	}
	close(p.done)
}

// waitAnd is wait for a goroutine of its own, which calls then when the process has ended.
func (p *process) waitAnd(then func()) {
	p.wait()
	then()
}

// stop ends the process for a fault of its own.
func (p *process) stop(cause error) { p.end(cause, true) }

// callOff ends the process for a reason that it cannot help.
func (p *process) callOff(cause error) { p.end(cause, false) }

func (p *process) end(cause error, blame bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended || p.cause != nil {
		return
	}
	p.cause, p.blame = cause, blame
	p.Terminate()
	p.killing = time.AfterFunc(letGo, p.endAtOnce)
}

func (p *process) endAtOnce() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		p.Kill()
	}
}

// failure is why a process that has ended has failed, nil if it has not: a *CommandError, or why it was called off.
func (p *process) failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.cause != nil && !p.blame:
		return fmt.Errorf("command %s was ended: %w", p.name, p.cause)
	case p.cause != nil || p.exit.Status != 0:
		return &CommandError{Command: p.name, Status: p.exit.Status, Signal: p.exit.Signal, Err: p.cause}
	}
	return nil
}

// watch calls the process off when ctx ends, or c is closed, until undo is called.
func (p *process) watch(ctx context.Context, c *parley.Conn) (undo func() bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.looking = time.AfterFunc(lookEvery, func() { p.look(c) })
	return context.AfterFunc(ctx, func() { p.callOff(context.Cause(ctx)) })
}

// lookEvery is how often it is looked whether a conversation has been closed while a process works for it: nobody tells.
const lookEvery = time.Second

func (p *process) look(c *parley.Conn) {
	// To a process that holds the socket, EPIPE is what its own shutdown leads to, and it may have much to do after that.
	if err := gone(c); err != nil && !(p.holds && errors.Is(err, syscall.EPIPE)) {
		p.callOff(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended && p.cause == nil {
		p.looking.Reset(lookEvery)
	}
}

// gone says why nothing can be said to the caller any more: c was closed, or reset. To write nothing is the one question
// that changes nothing; only a datagram may be empty, so there it is not asked. Nor is it where this end has said its end:
// then nothing is to be said, and the answer would always be no.
func gone(c *parley.Conn) error {
	if c.KeepsEdges() || c.State().SaidEnd {
		return nil
	}
	_, err := c.Write(nil)
	return err
}
