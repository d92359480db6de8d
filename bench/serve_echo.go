package main

import (
	"context"
	"fmt"
)

// benchServeEcho measures the program's echo service, at so many conversations.
func benchServeEcho(conversations int, how processors) func(context.Context, *lab) (report, error) {
	return func(ctx context.Context, l *lab) (report, error) {
		forking := forkingEchoes(conversations)
		servers := append([]*server{serveEcho()}, echoPeers()...)
		servers = append(servers, forking...)
		all, err := l.echo(ctx, servers, conversations, how)
		name := fmt.Sprintf("serve-echo, %d, %s", conversations, how)
		r := report{
			title: fmt.Sprintf("serve-echo, %s: requests of 64 bytes and their replies, %d conversations", how, conversations),
			unit:  "requests/s",
			all:   all,
			notes: efficiencies(servers, "requests"),
		}
		ours, gnet := find(all, "parley"), best(all, "gnet")
		r.rows = append(r.rows,
			against(name, r.unit, ours, find(all, "C, epoll"), atLeast(0.7)),
			against(name, r.unit, ours, gnet, atLeast(1)))
		for _, peer := range forking {
			r.rows = append(r.rows, against(name, r.unit, ours, find(all, peer.name), atLeast(1)))
		}
		return r, err
	}
}

// serveEcho is the program's echo service, as its user starts it.
func serveEcho() *server {
	return &server{name: "parley", program: "parley", args: []string{"serve", "echo=tcp:127.0.0.1:PORT"}}
}

// mostForNcat is how many conversations ncat is asked to hold. It lets 10
// callers wait in the kernel; of more that come together, most try again after
// a second, so that it takes 1,000 callers a minute and a half to be let in.
const mostForNcat = 100

// forkingEchoes start a process for each conversation, or two.
func forkingEchoes(conversations int) []*server {
	var all []*server
	if conversations <= mostForNcat {
		all = append(all, &server{name: "ncat", program: "ncat", forks: true,
			args: []string{"-k", "-l", "-m", "200", "-e", "/bin/cat", "127.0.0.1", "PORT"}})
	}
	return append(all, &server{name: "socat", program: "socat", forks: true,
		args: []string{"TCP-LISTEN:PORT,bind=127.0.0.1,backlog=1024,fork", "PIPE"}})
}
