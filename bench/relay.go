package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// A relay is one way to join callers with a server behind it.
type relay struct {
	*lab
	name    string
	program string                                // parley, or an installed one
	source  string                                // the directory of a Go program instead
	find    func(context.Context) (string, error) // finds it in a way of its own; nil means by program or source
	args    []string                              // PORT, BEHIND, CONFIG and DIR stand for the ports, its configuration file and the lab
	config  string                                // what is in that file, with PORT, BEHIND and DIR; empty means none
	gentle  bool                                  // it has children that only it can end
	direct  bool                                  // no relay at all: callers call the server

	path string
}

// A joint is a relay at work, and the server behind it.
type joint struct {
	port   string   // what to call
	relay  *process // nil if there is none
	behind *process
}

func (r *relay) setup(ctx context.Context) (err error) {
	switch {
	case r.direct:
	case r.find != nil:
		r.path, err = r.find(ctx)
	case r.source != "":
		r.path, err = r.buildGo(ctx, strings.ReplaceAll(r.source, "/", "-"), r.source)
	default:
		r.path, err = r.lab.find(ctx, r.program)
	}
	return err
}

// open starts the server behind, whose command line has PORT for the port,
// and the relay to it.
func (r *relay) open(ctx context.Context, server []string) (*joint, error) {
	port, err := r.freePort()
	if err != nil {
		return nil, err
	}
	behind, err := listen(ctx, command{argv: withPort(server[0], server[1:], port)}, port)
	if err != nil {
		return nil, err
	}
	j := &joint{port: port, behind: behind}
	if r.direct {
		return j, nil
	}
	if j.port, j.relay, err = r.join(ctx, port); err != nil {
		behind.stop()
		return nil, err
	}
	return j, nil
}

// join starts the relay to the port behind, and returns the port it listens on.
func (r *relay) join(ctx context.Context, behind string) (string, *process, error) {
	port, err := r.freePort()
	if err != nil {
		return "", nil, err
	}
	config := r.lab.path(fmt.Sprintf("relay-%s.conf", port))
	names := strings.NewReplacer("PORT", port, "BEHIND", behind, "CONFIG", config, "DIR", r.dir)
	if r.config != "" {
		if err := os.WriteFile(config, []byte(names.Replace(r.config)), 0o600); err != nil {
			return "", nil, err
		}
	}
	argv := []string{r.path}
	for _, arg := range r.args {
		argv = append(argv, names.Replace(arg))
	}
	p, err := listen(ctx, command{argv: argv, gentle: r.gentle}, port)
	return port, p, err
}

func (j *joint) stop() {
	if j.relay != nil {
		j.relay.stop()
	}
	j.behind.stop()
}

// used is the processor time that the relay and its children have taken.
func (j *joint) used() (time.Duration, error) {
	if j.relay == nil {
		return 0, nil
	}
	return familyTime(j.relay.pid())
}

// needs names what a benchmark cannot do without.
func needs(programs ...string) error {
	for _, program := range programs {
		if _, err := installed(program); err != nil {
			return fmt.Errorf("the load of this benchmark: %w", err)
		}
	}
	return nil
}
