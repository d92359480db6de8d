package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
)

// A bulk is one relay that iperf3 sends through. Its figures are GB/s.
type bulk struct {
	*relay
	down bool      // the server speaks and the caller hears, not the other way
	last float64   // processor seconds a GB of the last run
	cost []float64 // those of the runs that count
}

func (b *bulk) contender() contender {
	return contender{name: b.name, setup: b.setup, run: b.run, keep: func() { b.cost = append(b.cost, b.last) }}
}

// costs is what the relay took of the processors, as a series.
func (b *bulk) costs(figures series) series {
	return series{name: b.name, figures: b.cost, problem: figures.problem}
}

// run returns GB/s, as the hearing end measured them.
func (b *bulk) run(ctx context.Context) (float64, error) {
	iperf, err := installed("iperf3")
	if err != nil {
		return 0, err
	}
	j, err := b.open(ctx, []string{iperf, "-s", "-B", "127.0.0.1", "-p", "PORT"})
	if err != nil {
		return 0, err
	}
	defer j.stop()
	load := []string{iperf, "-c", "127.0.0.1", "-p", j.port, "-t", strconv.Itoa(b.seconds), "-J"}
	if b.down {
		load = append(load, "-R")
	}
	began, err := j.used()
	if err != nil {
		return 0, err
	}
	said, err := collect(ctx, command{argv: load})
	if err != nil {
		return 0, fmt.Errorf("%w: %s", err, said)
	}
	ended, err := j.used()
	if err != nil {
		return 0, err
	}
	bytes, seconds, err := readIperf(said)
	if err != nil {
		return 0, err
	}
	b.last = (ended - began).Seconds() / (bytes / 1e9)
	return bytes / 1e9 / seconds, nil
}

// readIperf returns what iperf3's hearing end heard.
func readIperf(said string) (bytes, seconds float64, err error) {
	var told struct {
		Error string
		End   struct {
			Heard struct{ Bytes, Seconds float64 } `json:"sum_received"`
		}
	}
	if err := json.Unmarshal([]byte(said), &told); err != nil {
		return 0, 0, fmt.Errorf("iperf3 printed %q: %w", said, err)
	}
	heard := told.End.Heard
	if told.Error != "" || heard.Bytes == 0 || heard.Seconds == 0 {
		return 0, 0, fmt.Errorf("iperf3 heard %.0f bytes in %.1f s: %s", heard.Bytes, heard.Seconds, told.Error)
	}
	return heard.Bytes, heard.Seconds, nil
}

// iperf lets the relays carry what iperf3 sends, in turn.
func (l *lab) iperf(ctx context.Context, down bool, relays ...*relay) ([]*bulk, []series, error) {
	if err := needs("iperf3"); err != nil {
		return nil, nil, err
	}
	var bulks []*bulk
	var contenders []contender
	for _, r := range relays {
		b := &bulk{relay: r, down: down}
		bulks, contenders = append(bulks, b), append(contenders, b.contender())
	}
	all, err := l.interleave(ctx, contenders)
	return bulks, all, err
}

// benchRelayBulk measures a relay that carries as much as it can: from the
// caller to the server, or down from the server to the caller.
func benchRelayBulk(down bool) func(context.Context, *lab) (report, error) {
	return func(ctx context.Context, l *lab) (report, error) {
		name, way := "relay-bulk-up", "from the caller to the server"
		if down {
			name, way = "relay-bulk-down", "from the server to the caller"
		}
		bulks, all, err := l.iperf(ctx, down,
			relayParley(l), relayHaproxy(l), relayNginx(l), relayCopy(l), relayGoSocat(l), noRelay(l))
		if err != nil {
			return report{}, err
		}
		r := report{title: name + ": iperf3 through a relay, one conversation, " + way, unit: "GB/s", all: all}
		rates := []target{atLeast(1.4), atLeast(1.4), atLeast(1), atLeast(1), atLeast(0.6)}
		for i, t := range rates {
			r.rows = append(r.rows, against(name, r.unit, all[0], all[i+1], t))
		}
		direct := len(bulks) - 1
		for i := 1; i < direct; i++ {
			r.rows = append(r.rows, against(name+", processor time", "s/GB",
				bulks[0].costs(all[0]), bulks[i].costs(all[i]), atMost(1)))
		}
		return r, nil
	}
}
