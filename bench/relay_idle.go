package main

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// An idleRelay is one relay of conversations that say nothing. Its figures are
// bytes of resident memory for each of them, both sides together.
type idleRelay struct {
	*relay
	server, load string
	spoke        bool // each conversation has had one exchange before it fell idle
}

// benchRelayIdle measures what relayed conversations cost that say nothing.
func benchRelayIdle(ctx context.Context, l *lab) (report, error) {
	server, err := l.buildC(ctx, "echo_server")
	if err != nil {
		return report{}, err
	}
	load, err := l.buildC(ctx, "idle_callers")
	if err != nil {
		return report{}, err
	}
	var contenders []contender
	for _, when := range []string{"new", "after an exchange"} {
		for _, r := range []*relay{relayParley(l, "--max-conns", "0"), relayHaproxy(l)} {
			r.name += ", " + when
			idle := &idleRelay{relay: r, server: server, load: load, spoke: when != "new"}
			contenders = append(contenders, contender{name: r.name, setup: r.setup, run: idle.run, limit: patience + 2*l.settle})
		}
	}
	all, err := l.interleave(ctx, contenders)
	r := report{
		title: fmt.Sprintf("relay-idle: resident memory of a relay for each of %d idle conversations, both sides, once it stays the same for %v",
			l.relayIdle, l.settle),
		unit: "bytes",
		all:  all,
	}
	for _, when := range []string{"new", "after an exchange"} {
		ours := find(all, "parley, "+when)
		r.rows = append(r.rows,
			absolute("relay-idle, "+when, r.unit, ours, atMost(8192)),
			against("relay-idle, "+when, r.unit, ours, find(all, "haproxy, "+when), compared()))
	}
	return r, err
}

// run returns the bytes that one conversation added.
func (i *idleRelay) run(ctx context.Context) (float64, error) {
	j, err := i.open(ctx, []string{i.server, "PORT"})
	if err != nil {
		return 0, err
	}
	defer j.stop()
	before, err := steady(ctx, j.relay.pid(), time.Second)
	if err != nil {
		return 0, err
	}
	exchange := "0"
	if i.spoke {
		exchange = "1"
	}
	load, err := start(ctx, command{argv: []string{i.load, j.port, strconv.Itoa(i.relayIdle), exchange}, asks: true})
	if err != nil {
		return 0, err
	}
	defer load.stop()
	if _, err := load.line(); err != nil {
		return 0, err
	}
	if err := awaitDescriptors(ctx, j.relay.pid(), 2*i.relayIdle); err != nil {
		return 0, err
	}
	after, err := steady(ctx, j.relay.pid(), i.settle)
	return float64(after-before) / float64(i.relayIdle), err
}
