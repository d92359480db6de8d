package local

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"
)

// letGo is how long a process that was asked to end may take before it is killed.
const letGo = 2 * time.Second

// A launch is a process that has not been started.
type launch struct {
	name    string   // for errors
	program string   // its path
	args    []string // the first is its name
	dir     string   // empty: that of this program
	env     []string
	files   [3]*os.File // its standard input, output and error
	onTerm  bool        // they are a terminal, of which it is to be the owner
}

// A process is a running command and the group that it leads. It is reaped by end, not before: until then its number is not
// another's, so that end reaches what it has left behind, even if it has ended itself long since.
type process struct {
	name string
	pid  int
	handle
	onTerm bool
	ended  chan struct{} // closed when it has ended
	exit   exit          // set by then
	let    func()        // lets watch reap it
	letGo  chan struct{} // closed by let
	gone   chan struct{} // closed when it has been reaped

	mu     sync.Mutex
	reaped bool
}

// An exit is how a process ended.
type exit struct {
	status int    // -1: it has none
	signal string // that ended it
}

// start starts the process. Its files are the caller's, and are used only meanwhile. Whoever has started it calls end.
func (l *launch) start() (*process, error) {
	p := &process{
		name: l.name, onTerm: l.onTerm,
		ended: make(chan struct{}), letGo: make(chan struct{}), gone: make(chan struct{}),
	}
	p.let = sync.OnceFunc(func() { close(p.letGo) })
	if err := p.begin(l); err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", l.program, err)
	}
	go p.watch()
	return p, nil
}

// watch waits for the process to end, and then for the leave to reap it.
func (p *process) watch() {
	p.exit = p.await()
	close(p.ended)
	<-p.letGo
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kill() // what is left of its group
	p.reap()
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
	if p.exit.status == 0 {
		return nil
	}
	return &ExitError{Command: p.name, Status: p.exit.status, Signal: p.exit.signal}
}

// hurry asks the group to end.
func (p *process) hurry() { p.signal(p.terminate) }

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
			p.signal(p.kill)
		}
	}
	return fmt.Errorf("command %s (process %d) cannot be ended: it belongs to another user, or hangs in the kernel", p.name, p.pid)
}

// signal sends by send, unless the number may be another's.
func (p *process) signal(send func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		send()
	}
}
