package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// An echoServer is one way to serve echo. Its figures are requests/s.
type echoServer struct {
	*lab
	name   string
	source string   // the directory of a Go program, or the name of a C one
	tags   string   // build tags
	args   []string // PORT stands for the port
	pinned bool     // server on processor 0, load on processor 1

	load, path string
	efficiency []float64 // requests for each second of processor time of the server
}

func echoServers(l *lab, pinned bool) []*echoServer {
	all := []*echoServer{
		{name: "parley, frames", source: "ours/echo", args: []string{"-port", "PORT"}},
		{name: "parley, Read and Write", source: "ours/echo", args: []string{"-port", "PORT", "-raw"}},
		{name: "C, epoll", source: "echo_server", args: []string{"PORT"}},
		{name: "package net", source: "peers/echonet", args: []string{"PORT"}},
		{name: "gnet, one loop", source: "peers/echognet", tags: "poll_opt", args: []string{"-port", "PORT"}},
		{name: "gnet, multicore", source: "peers/echognet", tags: "poll_opt", args: []string{"-port", "PORT", "-multicore"}},
	}
	for _, s := range all {
		s.lab, s.pinned = l, pinned
	}
	return all
}

// benchEchoPinned and benchEchoFree are the same benchmark with the processors
// given out in two ways; the README says why both.
func benchEchoPinned(ctx context.Context, l *lab) (report, error) {
	if _, err := installed("taskset"); err != nil {
		return report{}, err
	}
	return benchEcho(ctx, l, true, "echo, pinned")
}

func benchEchoFree(ctx context.Context, l *lab) (report, error) {
	return benchEcho(ctx, l, false, "echo, free")
}

func benchEcho(ctx context.Context, l *lab, pinned bool, name string) (report, error) {
	load, err := l.buildC(ctx, "echo_load")
	if err != nil {
		return report{}, err
	}
	servers := echoServers(l, pinned)
	var contenders []contender
	for _, s := range servers {
		s.load = load
		contenders = append(contenders, contender{s.name, s.setup, s.run})
	}
	all, err := l.interleave(ctx, contenders)
	ours, gnet := find(all, "parley, frames"), best(all, "gnet")
	return report{
		title: fmt.Sprintf("%s: requests of 64 bytes and their replies, %d conversations", name, l.conversations),
		unit:  "requests/s",
		all:   all,
		targets: []target{
			against(name+": parley / C >= 0.7", 0.7, ours, find(all, "C, epoll")),
			against(name+": parley / "+gnet.name+" >= 1", 1, ours, gnet),
		},
		notes: efficiencies(servers),
	}, err
}

// efficiencies tells what each server did with its processor time. It does
// not depend on the load generator being fast enough.
func efficiencies(servers []*echoServer) []string {
	var notes []string
	for _, s := range servers {
		if len(s.efficiency) > 0 {
			notes = append(notes, fmt.Sprintf("%s: %s requests a second of its processor time (median)",
				s.name, number(spreadOf(s.efficiency).median)))
		}
	}
	return notes
}

func (s *echoServer) setup(ctx context.Context) (err error) {
	if !strings.Contains(s.source, "/") {
		s.path, err = s.buildC(ctx, s.source)
		return err
	}
	s.path, err = s.buildGo(ctx, strings.ReplaceAll(s.source, "/", "-"), s.source, "-tags", s.tags)
	return err
}

// run returns requests/s as the load measured them.
func (s *echoServer) run(ctx context.Context) (float64, error) {
	port, err := s.freePort()
	if err != nil {
		return 0, err
	}
	served := command{argv: withPort(s.path, s.args, port)}
	load := command{argv: []string{s.load, port, strconv.Itoa(s.conversations), strconv.Itoa(s.seconds)}}
	if s.pinned {
		served.cpu, load.cpu = "0", "1"
	}
	server, err := listen(ctx, served, port)
	if err != nil {
		return 0, err
	}
	defer server.stop()

	began, err := processTime(server.pid(), userTime, systemTime)
	if err != nil {
		return 0, err
	}
	said, err := run(ctx, load)
	if err != nil {
		return 0, err
	}
	ended, err := processTime(server.pid(), userTime, systemTime)
	if err != nil {
		return 0, err
	}
	var requests, seconds float64
	if _, err := fmt.Sscan(said, &requests, &seconds); err != nil {
		return 0, fmt.Errorf("the load printed %q: %w", said, err)
	}
	// The server worked for the warm-up too, at the same pace.
	answered := requests / seconds * (seconds + loadWarmUp)
	s.efficiency = append(s.efficiency, answered/(ended-began).Seconds())
	return requests / seconds, nil
}

const loadWarmUp = 0.5 // seconds; c/echo_load.c has the same
