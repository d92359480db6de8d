package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// A server is one way to serve. Its load says how many requests or
// conversations a second it has carried, which is the figure.
type server struct {
	*lab
	name    string
	program string                                                        // parley, or an installed one; if empty there is a source
	source  string                                                        // the directory of a Go program, or the name of a C one
	tags    string                                                        // build tags of a Go program
	args    []string                                                      // PORT stands for the port
	load    []string                                                      // the command line of the load, with PORT too
	prepare func(ctx context.Context, port, cpu string) (*process, error) // starts what it needs; nil means nothing
	company []string                                                      // that of another one, which is there all the time and says a line when it is ready; nil means none
	on      processors
	forks   bool // children do the work, so that its own processor time says nothing

	path       string
	efficiency []float64 // work done for each second of processor time of the server
}

// processors says who may use which of them; the README says why there are two ways.
type processors string

const (
	pinned processors = "pinned" // the server processor 0, the load processor 1
	free   processors = "free"   // as the kernel likes
)

func (p processors) possible() error {
	if p != pinned {
		return nil
	}
	_, err := installed("taskset")
	return err
}

// setup finds or builds the server.
func (s *server) setup(ctx context.Context) (err error) {
	switch {
	case s.program != "":
		s.path, err = s.find(ctx, s.program)
	case strings.Contains(s.source, "/"):
		s.path, err = s.buildGo(ctx, strings.ReplaceAll(s.source, "/", "-"), s.source, "-tags", s.tags)
	default:
		s.path, err = s.buildC(ctx, s.source)
	}
	return err
}

// run returns requests or conversations a second, as the load measured them.
func (s *server) run(ctx context.Context) (float64, error) {
	port, err := s.freePort()
	if err != nil {
		return 0, err
	}
	serve := command{argv: withPort(s.path, s.args, port)}
	load := command{argv: withPort(s.load[0], s.load[1:], port)}
	if s.on == pinned {
		serve.cpu, load.cpu = "0", "1"
	}
	if s.prepare != nil {
		behind, err := s.prepare(ctx, port, serve.cpu)
		if err != nil {
			return 0, err
		}
		defer behind.stop()
	}
	served, err := listen(ctx, serve, port)
	if err != nil {
		return 0, err
	}
	defer served.stop()
	if s.company == nil {
		return s.measure(ctx, served.pid(), load)
	}
	company, err := s.invite(ctx, port, load.cpu)
	if err != nil {
		return 0, err
	}
	defer company.stop()
	figure, err := s.measure(ctx, served.pid(), load)
	return figure, errors.Join(err, company.dismiss())
}

// invite starts the company and waits until it is ready.
func (s *server) invite(ctx context.Context, port, cpu string) (*process, error) {
	company, err := start(ctx, command{argv: withPort(s.company[0], s.company[1:], port), cpu: cpu, asks: true})
	if err != nil {
		return nil, err
	}
	_, err = company.line() // which ends the company if it fails
	return company, err
}

// dismiss ends the company, which must have stayed to the end.
func (p *process) dismiss() error {
	return errors.Join(p.hangUp(), p.wait())
}

// measure runs the load, and notes what the server did with its processor time.
func (s *server) measure(ctx context.Context, pid int, load command) (float64, error) {
	began, err := processTime(pid, userTime, systemTime)
	if err != nil {
		return 0, err
	}
	said, err := run(ctx, load)
	if err != nil {
		return 0, err
	}
	ended, err := processTime(pid, userTime, systemTime)
	if err != nil {
		return 0, err
	}
	var done, seconds float64
	if _, err := fmt.Sscan(said, &done, &seconds); err != nil {
		return 0, fmt.Errorf("the load printed %q: %w", said, err)
	}
	// The server worked for the warm-up too, at the same pace.
	whole := done / seconds * (seconds + loadWarmUp)
	if !s.forks {
		s.efficiency = append(s.efficiency, whole/(ended-began).Seconds())
	}
	return done / seconds, nil
}

const loadWarmUp = 0.5 // seconds; c/echo_load.c and c/new_callers.c have the same

// contend lets the servers do their work in turn.
func (l *lab) contend(ctx context.Context, servers []*server) ([]series, error) {
	var contenders []contender
	for _, s := range servers {
		contenders = append(contenders, contender{name: s.name, setup: s.setup, run: s.run})
	}
	return l.interleave(ctx, contenders)
}

// efficiencies tells what each server did with its processor time. It does
// not depend on the load being fast enough.
func efficiencies(servers []*server, work string) []string {
	var notes []string
	for _, s := range servers {
		if len(s.efficiency) > 0 {
			notes = append(notes, fmt.Sprintf("%s: %s %s a second of its processor time (median)",
				s.name, number(spreadOf(s.efficiency).Median), work))
		}
	}
	return notes
}
