package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
)

const (
	lineSize = 100 // bytes, the newline among them; c/lines.c has the same
	callers  = 4
)

// benchLines measures 4 callers that send lines to one listener, which writes
// them to a file, and checks the file afterwards.
func benchLines(ctx context.Context, l *lab) (report, error) {
	load, err := l.buildC(ctx, "lines")
	if err != nil {
		return report{}, err
	}
	ways := []*lineWriter{
		{lab: l, load: load, program: "parley", args: []string{"listen", "127.0.0.1:PORT"}},
		{lab: l, load: load, program: "ncat", args: []string{"-lk", "127.0.0.1", "PORT"}},
	}
	var contenders []contender
	for _, way := range ways {
		contenders = append(contenders, contender{name: way.program, setup: way.setup, run: way.run})
	}
	all, err := l.interleave(ctx, contenders)
	r := report{
		title: "lines: 4 callers send lines of 100 bytes to one listener, which writes them to a file",
		unit:  "lines/s",
		all:   all,
		rows: []row{
			against("lines", "lines/s", find(all, "parley"), find(all, "ncat"), atLeast(1)),
			absolute("lines, broken", "lines", ways[0].brokenSeries(), atMost(0)),
		},
	}
	for _, way := range ways {
		r.notes = append(r.notes, fmt.Sprintf("%s broke %d of %d lines", way.program, way.broken, way.lines))
	}
	return r, err
}

// A lineWriter is one listener at work.
type lineWriter struct {
	*lab
	load    string // the callers' program
	program string
	args    []string
	path    string // of program

	broken, lines int // over all rounds
	ran           bool
}

func (w *lineWriter) setup(ctx context.Context) (err error) {
	w.path, err = w.find(ctx, w.program)
	return err
}

func (w *lineWriter) brokenSeries() series {
	s := series{name: w.program, figures: []float64{float64(w.broken)}}
	if !w.ran {
		s.problem = fmt.Errorf("%s did not run", w.program)
	}
	return s
}

// run returns lines/s, from the start of the callers until the file is whole.
func (w *lineWriter) run(ctx context.Context) (float64, error) {
	file, err := os.Create(w.lab.path("lines.txt"))
	if err != nil {
		return 0, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	port, err := w.freePort()
	if err != nil {
		return 0, err
	}
	listener, err := listen(ctx, command{argv: withPort(w.path, w.args, port), stdout: file}, port)
	if err != nil {
		return 0, err
	}
	defer listener.stop()

	each := w.lab.lines / callers
	crowd, err := gather(ctx, w.load, port, each)
	if err != nil {
		return 0, err
	}
	defer crowd.stop()
	began := time.Now()
	if err := crowd.release(); err != nil {
		return 0, err
	}
	if err := awaitSize(ctx, file, int64(each*callers*lineSize)); err != nil {
		return 0, listener.failed(err)
	}
	elapsed := time.Since(began)
	broken, err := countBroken(file.Name(), each)
	w.broken += broken
	w.lines += each * callers
	w.ran = true
	return float64(each*callers) / elapsed.Seconds(), err
}

// awaitSize waits until file has size bytes. That it has more is left to the
// check of the lines.
func awaitSize(ctx context.Context, file *os.File, size int64) error {
	for {
		info, err := file.Stat()
		if err != nil {
			return err
		}
		if info.Size() >= size {
			return nil
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			return fmt.Errorf("the file has %d of %d bytes: %w", info.Size(), size, err)
		}
	}
}

// countBroken counts the lines of the file that are not whole, or not the next
// one of their caller, and those that are missing.
func countBroken(name string, each int) (int, error) {
	file, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	var next [callers]int
	good := 0
	r := bufio.NewReaderSize(file, 1<<20)
	for {
		line, err := r.ReadSlice('\n')
		if err == io.EOF && len(line) == 0 {
			return each*callers - good, nil
		}
		if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
			return 0, err
		}
		caller, number, whole := parseLine(line)
		if !whole {
			continue
		}
		if number == next[caller] {
			good++
		}
		// One lost line is one fault, not one for each line after it.
		next[caller] = number + 1
	}
}

// parseLine reads a line of c/lines.c: `c3 000000000042 ....\n`.
func parseLine(line []byte) (caller, number int, whole bool) {
	if len(line) != lineSize || line[0] != 'c' || line[2] != ' ' || line[15] != ' ' {
		return 0, 0, false
	}
	for _, b := range line[16 : lineSize-1] {
		if b != '.' {
			return 0, 0, false
		}
	}
	caller = int(line[1] - '0')
	number, err := strconv.Atoi(string(line[3:15]))
	return caller, number, err == nil && line[lineSize-1] == '\n' && caller >= 0 && caller < callers
}
