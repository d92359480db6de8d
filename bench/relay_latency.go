package main

import (
	"context"
	"fmt"
)

// An asking is one relay that requests of 64 bytes and their replies pass
// through. Its figures are the median times in microseconds.
type asking struct {
	*relay
	server string   // the echo server behind
	load   []string // with PORT
	last   float64  // what 99 in 100 requests took at most in the last run
	slow   []float64
}

func (a *asking) contender() contender {
	return contender{name: a.name, setup: a.setup, run: a.run, keep: func() { a.slow = append(a.slow, a.last) }}
}

// run returns the microseconds that half of the requests took at most.
func (a *asking) run(ctx context.Context) (float64, error) {
	j, err := a.open(ctx, []string{a.server, "PORT"})
	if err != nil {
		return 0, err
	}
	defer j.stop()
	said, err := run(ctx, command{argv: withPort(a.load[0], a.load[1:], j.port)})
	if err != nil {
		return 0, err
	}
	var requests, seconds, half float64
	if _, err := fmt.Sscan(said, &requests, &seconds, &half, &a.last); err != nil {
		return 0, fmt.Errorf("the load printed %q: %w", said, err)
	}
	return half, nil
}

// benchRelayLatency measures how long requests take through a relay, at so
// many conversations, each of which asks again after its reply.
func benchRelayLatency(conversations int) func(context.Context, *lab) (report, error) {
	return func(ctx context.Context, l *lab) (report, error) {
		server, err := l.buildC(ctx, "echo_server")
		if err != nil {
			return report{}, err
		}
		load, err := l.echoLoad(ctx, conversations)
		if err != nil {
			return report{}, err
		}
		var contenders []contender
		var askings []*asking
		for _, r := range []*relay{relayParley(l), relayHaproxy(l), oneThreadHaproxy(l), relayNginx(l), noRelay(l)} {
			a := &asking{relay: r, server: server, load: load}
			askings, contenders = append(askings, a), append(contenders, a.contender())
		}
		half, err := l.interleave(ctx, contenders)
		if err != nil {
			return report{}, err
		}
		slow := make([]series, len(half))
		for i, a := range askings {
			slow[i] = series{name: a.name, figures: a.slow, problem: half[i].problem}
		}
		name := fmt.Sprintf("relay-latency-%d", conversations)
		r := report{
			title: fmt.Sprintf("%s: 64 bytes and their reply through a relay, conversations: %d; microseconds that half of the requests took at most",
				name, conversations),
			unit: "µs",
			all:  half,
		}
		r.rows = append(latencyRows(name+", p50", half), latencyRows(name+", p99", slow)...)
		return r, nil
	}
}

func latencyRows(work string, all []series) []row {
	ours := find(all, "parley")
	return []row{
		against(work, "µs", ours, cheapest(all, "haproxy"), atMost(1.1)),
		against(work, "µs", ours, find(all, "nginx"), compared()),
		against(work, "µs", ours, find(all, "direct"), compared()),
	}
}
