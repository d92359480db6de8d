package main

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// An idleProgram is the program's echo service with idle conversations. Its
// figures are bytes of resident memory for each of them. Unlike the servers of
// idle it cannot be asked to collect its garbage: what lies there is counted.
type idleProgram struct {
	*lab
	name  string
	env   []string // as the program env takes it
	spoke bool     // each conversation has had one exchange before it fell idle

	load, path string
}

// benchServeIdle measures what many conversations cost that say nothing, with
// the program as its user starts it.
func benchServeIdle(ctx context.Context, l *lab) (report, error) {
	load, err := l.buildC(ctx, "idle_callers")
	if err != nil {
		return report{}, err
	}
	var contenders []contender
	for _, p := range []*idleProgram{
		{name: "parley, new"},
		{name: "parley, after an exchange", spoke: true},
		{name: "parley, GOGC=50, new", env: []string{"GOGC=50"}},
		{name: "parley, GOGC=50, after an exchange", env: []string{"GOGC=50"}, spoke: true},
	} {
		p.lab, p.load = l, load
		contenders = append(contenders, contender{name: p.name, setup: p.setup, run: p.run, limit: patience + 2*l.settle})
	}
	all, err := l.interleave(ctx, contenders)
	r := report{
		title: fmt.Sprintf("serve-idle: resident memory of parley serve echo for each of %d idle conversations, once it stays the same for %v",
			l.serveIdle, l.settle),
		unit: "bytes",
		all:  all,
	}
	for _, when := range []string{"new", "after an exchange"} {
		r.rows = append(r.rows, absolute("serve-idle, "+when, r.unit, find(all, "parley, "+when), atMost(4096)))
	}
	return r, err
}

func (p *idleProgram) setup(ctx context.Context) (err error) {
	p.path, err = p.find(ctx, "parley")
	return err
}

// run returns the bytes that one conversation added.
func (p *idleProgram) run(ctx context.Context) (float64, error) {
	port, err := p.freePort()
	if err != nil {
		return 0, err
	}
	argv := append([]string{"env"}, p.env...) // env becomes the program, with the same process id
	argv = append(argv, p.path, "serve", "echo=tcp:127.0.0.1:"+port, "--max-conns", "0")
	server, err := listen(ctx, command{argv: argv}, port)
	if err != nil {
		return 0, err
	}
	defer server.stop()
	before, err := steady(ctx, server.pid(), time.Second)
	if err != nil {
		return 0, err
	}

	exchange := "0"
	if p.spoke {
		exchange = "1"
	}
	load, err := start(ctx, command{argv: []string{p.load, port, strconv.Itoa(p.serveIdle), exchange}, asks: true})
	if err != nil {
		return 0, err
	}
	defer load.stop()
	if _, err := load.line(); err != nil {
		return 0, err
	}
	if err := awaitDescriptors(ctx, server.pid(), p.serveIdle); err != nil {
		return 0, err
	}
	after, err := steady(ctx, server.pid(), p.settle)
	return float64(after-before) / float64(p.serveIdle), err
}

// steady waits until the resident memory of a process has stayed the same for
// so long, and returns it. A change of less than a thousandth is none.
func steady(ctx context.Context, pid int, long time.Duration) (int, error) {
	last, since := 0, time.Now()
	for {
		resident, err := residentBytes(pid)
		if err != nil {
			return 0, err
		}
		if change := resident - last; max(change, -change) > last/100 { // the collector gives back a little for minutes
			last, since = resident, time.Now()
		}
		if time.Since(since) >= long {
			return resident, nil
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return 0, fmt.Errorf("the resident memory, now %d bytes, did not stay the same for %v: %w", resident, long, err)
		}
	}
}

// awaitDescriptors waits until the process has at least so many: a caller that
// lies in the kernel's queue costs the server no memory of its own.
func awaitDescriptors(ctx context.Context, pid, want int) error {
	for {
		have, err := descriptors(pid)
		if err != nil {
			return err
		}
		if have >= want {
			return nil
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return fmt.Errorf("the server has %d descriptors, for %d conversations: %w", have, want, err)
		}
	}
}
