package main

import (
	"context"
	"fmt"
	"strconv"
)

// newCallersAtOnce is how many of the short conversations go on at the same time.
const newCallersAtOnce = 32

// benchConversations measures how many new conversations a second a server
// holds, each of one line and one reply.
func benchConversations(how processors) func(context.Context, *lab) (report, error) {
	return func(ctx context.Context, l *lab) (report, error) {
		if err := how.possible(); err != nil {
			return report{}, err
		}
		load, err := l.newCallers(ctx, newCallersAtOnce, "hello\n", "hello\n")
		if err != nil {
			return report{}, err
		}
		servers := append([]*server{serveEcho()}, echoPeers()...)
		servers = append(servers, haproxies(l)...)
		for _, s := range servers {
			s.lab, s.load, s.on = l, load, how
		}
		all, err := l.contend(ctx, servers)
		name := "conversations, " + string(how)
		ours, haproxy := find(all, "parley"), best(all, "haproxy")
		return report{
			title: fmt.Sprintf("%s: connect, one line, one reply, close; %d at once", name, newCallersAtOnce),
			unit:  "conversations/s",
			all:   all,
			rows: []row{
				against(name, "conversations/s", ours, haproxy, atLeast(1)),
			},
			notes: efficiencies(servers, "conversations"),
		}, err
	}
}

// newCallers returns the command line of the load that calls again and again,
// in which PORT stands for the port.
func (l *lab) newCallers(ctx context.Context, atOnce int, say, want string) ([]string, error) {
	load, err := l.buildC(ctx, "new_callers")
	return []string{load, "PORT", strconv.Itoa(atOnce), strconv.Itoa(l.seconds), say, want}, err
}
