package main

import (
	"context"
	"fmt"
)

// A calling is one relay that short conversations pass through. Its figures
// are conversations a second.
type calling struct {
	*relay
	server string
	load   []string // with PORT
}

// run returns conversations a second, as the load measured them.
func (c *calling) run(ctx context.Context) (float64, error) {
	j, err := c.open(ctx, []string{c.server, "PORT"})
	if err != nil {
		return 0, err
	}
	defer j.stop()
	said, err := run(ctx, command{argv: withPort(c.load[0], c.load[1:], j.port)})
	if err != nil {
		return 0, err
	}
	var held, seconds float64
	if _, err := fmt.Sscan(said, &held, &seconds); err != nil {
		return 0, fmt.Errorf("the load printed %q: %w", said, err)
	}
	return held / seconds, nil
}

// benchRelayConversations measures how many new conversations a second a
// relay can join, each of one line and one reply.
func benchRelayConversations(ctx context.Context, l *lab) (report, error) {
	server, err := l.buildC(ctx, "echo_server")
	if err != nil {
		return report{}, err
	}
	load, err := l.newCallers(ctx, newCallersAtOnce, "hello\n", "hello\n")
	if err != nil {
		return report{}, err
	}
	var contenders []contender
	for _, r := range []*relay{
		relayParley(l), relayHaproxy(l), oneThreadHaproxy(l), relayNginx(l), relayCopy(l), relaySocat(l), noRelay(l),
	} {
		c := &calling{relay: ofFour(r), server: server, load: load}
		contenders = append(contenders, contender{name: c.name, setup: c.setup, run: c.run})
	}
	all, err := l.interleave(ctx, contenders)
	name := "relay-conversations"
	r := report{
		title: fmt.Sprintf("%s: connect, one line, one reply, close through a relay; %d at once", name, newCallersAtOnce),
		unit:  "conversations/s",
		all:   all,
	}
	ours := find(all, "parley")
	r.rows = []row{
		against(name, r.unit, ours, best(all, "haproxy"), atLeast(1)),
		against(name, r.unit, ours, find(all, "socat"), atLeast(10)),
		against(name, r.unit, ours, find(all, "nginx"), compared()),
		against(name, r.unit, ours, find(all, "io.Copy in Go"), compared()),
		against(name, r.unit, ours, find(all, "direct"), compared()),
	}
	return r, err
}
