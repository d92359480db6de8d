package main

import (
	"context"
	"fmt"
	"strconv"
)

// Those beside whom parley echoes, as a library and as a program.
func echoPeers() []*server {
	return []*server{
		{name: "C, epoll", source: "echo_server", args: []string{"PORT"}},
		{name: "gnet, one loop", source: "peers/echognet", tags: "poll_opt", args: []string{"-port", "PORT"}},
		{name: "gnet, multicore", source: "peers/echognet", tags: "poll_opt", args: []string{"-port", "PORT", "-multicore"}},
	}
}

func netEcho() *server {
	return &server{name: "package net", source: "peers/echonet", args: []string{"PORT"}}
}

// benchEchoPinned and benchEchoFree are the same benchmark with the processors
// given out in two ways; the README says why both.
func benchEchoPinned(ctx context.Context, l *lab) (report, error) {
	return benchEcho(ctx, l, pinned)
}

func benchEchoFree(ctx context.Context, l *lab) (report, error) {
	return benchEcho(ctx, l, free)
}

func benchEcho(ctx context.Context, l *lab, how processors) (report, error) {
	servers := append([]*server{
		{name: "parley, frames", source: "ours/echo", args: []string{"-port", "PORT"}},
		{name: "parley, Read and Write", source: "ours/echo", args: []string{"-port", "PORT", "-raw"}},
		netEcho(),
	}, echoPeers()...)
	all, err := l.echo(ctx, servers, l.conversations, how)
	name := "echo, " + string(how)
	ours, gnet := find(all, "parley, frames"), best(all, "gnet")
	return report{
		title: fmt.Sprintf("%s: requests of 64 bytes and their replies, %d conversations", name, l.conversations),
		unit:  "requests/s",
		all:   all,
		rows: []row{
			against(name, "requests/s", ours, find(all, "C, epoll"), atLeast(0.7)),
			against(name, "requests/s", ours, gnet, atLeast(1)),
		},
		notes: efficiencies(servers, "requests"),
	}, err
}

// echo lets the servers answer requests of 64 bytes in so many conversations.
func (l *lab) echo(ctx context.Context, servers []*server, conversations int, how processors) ([]series, error) {
	if err := how.possible(); err != nil {
		return nil, err
	}
	load, err := l.echoLoad(ctx, conversations)
	if err != nil {
		return nil, err
	}
	for _, s := range servers {
		s.lab, s.load, s.on = l, load, how
	}
	return l.contend(ctx, servers)
}

// echoLoad returns the command line of the load, in which PORT stands for the port.
func (l *lab) echoLoad(ctx context.Context, conversations int) ([]string, error) {
	load, err := l.buildC(ctx, "echo_load")
	return []string{load, "PORT", strconv.Itoa(conversations), strconv.Itoa(l.seconds)}, err
}
