package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// An idleServer is one way to hold idle conversations. Its figures are bytes
// of resident memory for each of them.
type idleServer struct {
	*lab
	name   string
	source string
	args   []string
	spoke  bool // each conversation has had one exchange before it fell idle

	load, path string
}

func idleServers(l *lab) []*idleServer {
	var all []*idleServer
	for _, spoke := range []bool{false, true} {
		when := "new"
		if spoke {
			when = "after an exchange"
		}
		all = append(all,
			&idleServer{name: "parley, " + when, source: "ours/idle", args: []string{"-port", "PORT"}},
			&idleServer{name: "net, Read with 4 KB, " + when, source: "peers/idlebare", args: []string{"-port", "PORT"}},
			&idleServer{name: "net, readiness, " + when, source: "peers/idlebare", args: []string{"-port", "PORT", "-readiness"}})
		for _, s := range all[len(all)-3:] {
			s.lab, s.spoke = l, spoke
		}
	}
	return all
}

// benchIdle measures what many conversations cost that say nothing.
func benchIdle(ctx context.Context, l *lab) (report, error) {
	load, err := l.buildC(ctx, "idle_callers")
	if err != nil {
		return report{}, err
	}
	var contenders []contender
	for _, s := range idleServers(l) {
		s.load = load
		contenders = append(contenders, contender{name: s.name, setup: s.setup, run: s.run})
	}
	all, err := l.interleave(ctx, contenders)
	return report{
		title: fmt.Sprintf("idle: resident memory of a server for each of %d idle conversations", l.idle),
		unit:  "bytes",
		all:   all,
		rows: []row{
			absolute("idle, new", "bytes", find(all, "parley, new"), atMost(4096)),
			absolute("idle, after an exchange", "bytes", find(all, "parley, after an exchange"), atMost(4096)),
		},
	}, err
}

func (s *idleServer) setup(ctx context.Context) (err error) {
	s.path, err = s.buildGo(ctx, strings.ReplaceAll(s.source, "/", "-"), s.source)
	return err
}

// run returns the bytes that one conversation added.
func (s *idleServer) run(ctx context.Context) (float64, error) {
	port, err := s.freePort()
	if err != nil {
		return 0, err
	}
	server, err := listen(ctx, command{argv: withPort(s.path, s.args, port), asks: true}, port)
	if err != nil {
		return 0, err
	}
	defer server.stop()
	before, err := settle(ctx, server, 0)
	if err != nil {
		return 0, err
	}

	exchange := "0"
	if s.spoke {
		exchange = "1"
	}
	argv := []string{s.load, port, strconv.Itoa(s.idle), exchange}
	load, err := start(ctx, command{argv: argv, asks: true})
	if err != nil {
		return 0, err
	}
	defer load.stop()
	if _, err := load.line(); err != nil {
		return 0, err
	}
	after, err := settle(ctx, server, s.idle)
	return float64(after-before) / float64(s.idle), err
}

// settle lets the server collect its garbage until it holds the given number
// of conversations and its resident memory stays the same, and returns that.
func settle(ctx context.Context, server *process, conversations int) (int, error) {
	last := -1
	for {
		said, err := server.ask()
		if err != nil {
			return 0, err
		}
		resident, err := residentBytes(server.pid())
		if err != nil {
			return 0, err
		}
		if said == strconv.Itoa(conversations) && resident == last {
			return resident, nil
		}
		last = resident
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return 0, fmt.Errorf("the server says it holds %s of %d conversations: %w", said, conversations, err)
		}
	}
}
