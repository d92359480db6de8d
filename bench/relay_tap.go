package main

import (
	"context"
	"fmt"
	"os"
)

// benchRelayTap measures what it costs to write down what passes.
func benchRelayTap(ctx context.Context, l *lab) (report, error) {
	dir, err := memoryDir(l)
	if err != nil {
		return report{}, err
	}
	defer os.RemoveAll(dir)
	tapped := relayParley(l, "--tap", dir+"/tap-PORT.jsonl")
	tapped.name = "parley --tap"
	plain := relayParley(l)
	_, all, err := l.iperf(ctx, false, plain, tapped)
	if err != nil {
		return report{}, err
	}
	r := report{title: "relay-tap: iperf3 through a relay, one conversation, with --tap to a file in memory and without", unit: "GB/s", all: all}
	without := all[0]
	without.name = "parley without --tap"
	r.rows = append(r.rows, against("relay-tap", r.unit, all[1], without, atLeast(0.5)))
	return r, nil
}

// memoryDir makes a directory whose files lie in memory, so that no disk is
// measured; where the system has none, in the lab.
func memoryDir(l *lab) (string, error) {
	for _, parent := range []string{"/dev/shm", l.dir} {
		if dir, err := os.MkdirTemp(parent, "parley-bench-"); err == nil {
			return dir, nil
		}
	}
	return "", fmt.Errorf("no directory for the tap in /dev/shm or %s", l.dir)
}
