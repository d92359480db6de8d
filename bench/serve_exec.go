package main

import (
	"context"
	"fmt"
)

// execCallers is how many conversations there are at once: so few that no
// server's queue of callers runs over, and more than there are processors.
const execCallers = 8

// benchServeExec measures how many conversations a second are held by servers
// that start a program for each.
func benchServeExec(ctx context.Context, l *lab) (report, error) {
	load, err := l.newCallers(ctx, execCallers, "", "hello\n")
	if err != nil {
		return report{}, err
	}
	servers := []*server{
		{name: "parley", program: "parley",
			args: []string{"serve", "exec=tcp:127.0.0.1:PORT", "--", "/bin/echo", "hello"}},
		{name: "tcpserver", program: "tcpserver",
			args: []string{"-RHl0", "-c", "200", "127.0.0.1", "PORT", "/bin/echo", "hello"}},
		{name: "ncat", program: "ncat",
			args: []string{"-k", "-l", "-e", "/bin/echo hello", "127.0.0.1", "PORT"}},
		{name: "socat", program: "socat",
			args: []string{"TCP-LISTEN:PORT,bind=127.0.0.1,backlog=1024,fork", "EXEC:/bin/echo hello"}},
	}
	for _, s := range servers {
		s.lab, s.load, s.on, s.forks = l, load, free, true
	}
	all, err := l.contend(ctx, servers)
	r := report{
		title: fmt.Sprintf("serve-exec: /bin/echo hello for each caller, %d callers at once", execCallers),
		unit:  "conversations/s",
		all:   all,
	}
	for _, peer := range servers[1:] {
		r.rows = append(r.rows, against("serve-exec", r.unit, find(all, "parley"), find(all, peer.name), atLeast(1)))
	}
	return r, err
}
