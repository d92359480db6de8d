package main

import (
	"context"
	"fmt"
	"os/exec"
	"time"
)

// minStarts is how many runs of a program are measured at least: a start is
// so short that a few say little.
const minStarts = 50

// benchStart measures how long a program takes to start, print its version
// and end.
func benchStart(ctx context.Context, l *lab) (report, error) {
	many := *l
	many.rounds = max(minStarts, l.rounds)
	var contenders []contender
	for _, name := range []string{"parley", "ncat"} {
		s := &starter{lab: l, program: name}
		contenders = append(contenders, contender{name: name, setup: s.setup, run: s.run})
	}
	all, err := many.interleave(ctx, contenders)
	return report{
		title: fmt.Sprintf("start: --version, from start to end, %d times", many.rounds),
		unit:  "ms",
		all:   all,
		rows: []row{
			against("start", "ms", find(all, "parley"), find(all, "ncat"), atMost(1.3)),
		},
	}, err
}

// A starter starts one program.
type starter struct {
	*lab
	program, path string
}

func (s *starter) setup(ctx context.Context) (err error) {
	s.path, err = s.find(ctx, s.program)
	return err
}

// run returns milliseconds.
func (s *starter) run(ctx context.Context) (float64, error) {
	cmd := exec.CommandContext(ctx, s.path, "--version")
	began := time.Now()
	err := cmd.Run()
	if err != nil {
		return 0, fmt.Errorf("%s --version: %w", s.program, err)
	}
	return time.Since(began).Seconds() * 1000, nil
}
