package local

import (
	"context"
	"fmt"
	"sync"
	"time"

	"parley/internal/child"
)

// letGo is how long a process that was asked to end may take before it is killed.
const letGo = 2 * time.Second

// A process is a running command and the group that it leads. It is reaped by end, not before: until then its number is not
// another's, so that end reaches what it has left behind, even if it has ended itself long since.
type process struct {
	*child.Child
	name  string
	ended chan struct{} // closed when it has ended
	exit  child.Exit    // set by then
	let   func()        // lets watch reap it
	letGo chan struct{} // closed by let
	gone  chan struct{} // closed when it has been reaped

	mu     sync.Mutex
	reaped bool
}

// start starts what l says. Whoever has started it calls end.
func start(name string, l *child.Launch) (*process, error) {
	keepFromCommands()
	c, err := l.Start()
	if err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", l.Program, err)
	}
	p := &process{Child: c, name: name, ended: make(chan struct{}), letGo: make(chan struct{}), gone: make(chan struct{})}
	p.let = sync.OnceFunc(func() { close(p.letGo) })
	go p.watch()
	return p, nil
}

// watch waits for the process to end, and then for the leave to reap it.
func (p *process) watch() {
	p.exit = p.Await()
	close(p.ended)
	<-p.letGo
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Kill() // what is left of its group
	p.Reap()
	p.reaped = true
	close(p.gone)
}

// wait waits until the process has ended by itself. The error is an *ExitError, or why ctx has ended.
func (p *process) wait(ctx context.Context) error {
	select {
	case <-p.ended:
		return p.failure()
	default:
	}
	select {
	case <-p.ended:
		return p.failure()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// failure is how a process that has ended has failed, nil if it has not.
func (p *process) failure() error {
	if p.exit.Status == 0 {
		return nil
	}
	e := &ExitError{Command: p.name, Status: p.exit.Status}
	if p.exit.Signal != nil {
		e.Signal = p.exit.Signal.String()
	}
	return e
}

// hurry asks the group to end.
func (p *process) hurry() { p.signal(p.Terminate) }

// end ends the group, if need be by force, and returns when the process has been reaped. An error means that the system
// does not let it be ended; it is reaped when it has ended by itself.
func (p *process) end() error {
	p.hurry()
	p.let()
	for range 2 {
		grace := time.NewTimer(letGo)
		select {
		case <-p.gone:
			grace.Stop()
			return nil
		case <-grace.C:
			p.signal(p.Kill)
		}
	}
	return fmt.Errorf("command %s (process %d) cannot be ended: it belongs to another user, or hangs in the kernel", p.name, p.PID)
}

// signal sends by send, unless the number may be another's.
func (p *process) signal(send func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		send()
	}
}
