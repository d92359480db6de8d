package main

import (
	"context"
	"fmt"
	"strconv"
)

// benchFrames measures a Go program that hears the lines of 4 callers in one
// loop: with parley's Listener.Frames, and as written by hand with package net.
func benchFrames(ctx context.Context, l *lab) (report, error) {
	load, err := l.buildC(ctx, "lines")
	if err != nil {
		return report{}, err
	}
	ways := []*frameLoop{
		{lab: l, load: load, name: "parley", dir: "ours/frames"},
		{lab: l, load: load, name: "net, bufio.Scanner", dir: "peers/framesnet"},
	}
	var contenders []contender
	for _, way := range ways {
		contenders = append(contenders, contender{name: way.name, setup: way.setup, run: way.run})
	}
	all, err := l.interleave(ctx, contenders)
	ours := find(all, "parley")
	allocations := series{problem: ours.problem, figures: ways[0].allocations}
	r := report{
		title: "frames: one Go loop hears the lines of 100 bytes of 4 callers",
		unit:  "frames/s",
		all:   all,
		rows: []row{
			absolute("frames", "frames/s", ours, atLeast(5e6)),
			absolute("frames, allocations", "a frame", allocations, atMost(0.01)),
		},
	}
	for i, s := range all {
		if s.ok() {
			r.notes = append(r.notes, fmt.Sprintf("%s: %.4f allocations a frame (median)",
				s.name, spreadOf(ways[i].allocations).Median))
		}
	}
	return r, err
}

// A frameLoop is one program that hears frames in a loop.
type frameLoop struct {
	*lab
	load        string // the callers' program
	name, dir   string
	path        string
	allocations []float64 // a frame, one figure for each round, warm-up too
}

func (f *frameLoop) setup(ctx context.Context) (err error) {
	f.path, err = f.buildGo(ctx, "frames-"+f.name, f.dir)
	return err
}

// run returns frames/s as the program measured it.
func (f *frameLoop) run(ctx context.Context) (float64, error) {
	port, err := f.freePort()
	if err != nil {
		return 0, err
	}
	each := f.lab.lines / callers
	argv := []string{f.path, port, strconv.Itoa(each * callers)}
	hearer, err := listen(ctx, command{argv: argv}, port)
	if err != nil {
		return 0, err
	}
	defer hearer.stop()
	crowd, err := gather(ctx, f.load, port, each)
	if err != nil {
		return 0, err
	}
	defer crowd.stop()
	if err := crowd.release(); err != nil {
		return 0, err
	}
	said, err := hearer.line()
	if err != nil {
		return 0, err
	}
	var frames, seconds, allocations float64
	if _, err := fmt.Sscan(said, &frames, &seconds, &allocations); err != nil {
		return 0, fmt.Errorf("%s printed %q: %w", f.name, said, err)
	}
	f.allocations = append(f.allocations, allocations/frames)
	return frames / seconds, nil
}
