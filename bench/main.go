// Bench does the same work by parley and by its peers, side by side, and
// prints how they compare. See README.md for what is measured, and how.
//
//	go -C bench run .                       # everything
//	go -C bench run . -run echo -rounds 9
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// The benchmarks, in the order in which they run.
var benchmarks = []struct {
	name string
	do   func(context.Context, *lab) (report, error)
}{
	{"bytes", benchBytes},
	{"lines", benchLines},
	{"frames", benchFrames},
	{"echo-pinned", benchEchoPinned},
	{"echo-free", benchEchoFree},
	{"idle", benchIdle},
	{"start", benchStart},
	{"serve-echo-10-pinned", benchServeEcho(10, pinned)},
	{"serve-echo-100-pinned", benchServeEcho(100, pinned)},
	{"serve-echo-1000-pinned", benchServeEcho(1000, pinned)},
	{"serve-echo-10-free", benchServeEcho(10, free)},
	{"serve-echo-100-free", benchServeEcho(100, free)},
	{"serve-echo-1000-free", benchServeEcho(1000, free)},
	{"serve-exec", benchServeExec},
	{"serve-idle", benchServeIdle},
	{"answer-keep", benchAnswer},
	{"conversations-pinned", benchConversations(pinned)},
	{"conversations-free", benchConversations(free)},
	{"stall", benchStall},
}

type options struct {
	run           []string
	rounds        int
	seconds       int
	mib, slowMiB  int
	pipe          int
	ends          string
	lines         int
	conversations int
	idle          int
	serveIdle     int
	settle        time.Duration
	parley        string
	tmp           string
	verbose       bool
}

func parseFlags() options {
	var o options
	which := flag.String("run", "", "comma-separated benchmarks, by the beginning of their names; empty means all")
	flag.IntVar(&o.rounds, "rounds", 5, "counted rounds; one more comes first, to warm up")
	flag.IntVar(&o.seconds, "seconds", 2, "length of one run of echo, serve-echo, serve-exec, answer-keep, conversations, stall")
	flag.IntVar(&o.mib, "mib", 4096, "bytes: MiB that a quick pair carries")
	flag.IntVar(&o.slowMiB, "slow-mib", 1024, "bytes: MiB that a slow pair carries")
	flag.IntVar(&o.pipe, "pipe", 0, "bytes: size of the two pipes in bytes; 0 means as a shell makes them, 64 KiB")
	flag.StringVar(&o.ends, "ends", "copy", "bytes: how the generator and the sink work: copy, as most programs do, or splice, which costs next to nothing")
	flag.IntVar(&o.lines, "lines", 4_000_000, "lines, frames: how many the 4 callers send together")
	flag.IntVar(&o.conversations, "conversations", 100, "echo, stall: conversations at the same time: try 10, 100, 1000")
	flag.IntVar(&o.idle, "idle", 9000, "idle: conversations; must be below ulimit -n")
	flag.IntVar(&o.serveIdle, "serve-idle", 15000, "serve-idle: conversations; must be below ulimit -Hn")
	flag.DurationVar(&o.settle, "settle", 5*time.Second, "serve-idle: how long the memory must stay the same; Go's collector comes by itself after 2 minutes, so try 150s")
	flag.StringVar(&o.parley, "parley", "", "path of the parley to measure; empty means the one of this checkout, built for it")
	flag.StringVar(&o.tmp, "tmp", "", "where the programs and files are made; empty means $TMPDIR or /tmp")
	flag.BoolVar(&o.verbose, "v", false, "tell each figure as it comes, on standard error")
	flag.Parse()
	if *which != "" {
		o.run = strings.Split(*which, ",")
	}
	return o
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := bench(ctx, parseFlags()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench runs the chosen benchmarks and prints their tables. It fails if a
// benchmark could not be done, not if a target is missed.
func bench(ctx context.Context, o options) error {
	if o.rounds < 1 || o.ends != "copy" && o.ends != "splice" {
		return fmt.Errorf("-rounds %d -ends %s: there must be a round, and the ends are copy or splice", o.rounds, o.ends)
	}
	l, err := newLab(o)
	if err != nil {
		return err
	}
	defer l.close()
	printMachine(os.Stdout)
	var reports []report
	var failures []error
	for _, b := range benchmarks {
		if !o.chosen(b.name) {
			continue
		}
		r, err := b.do(ctx, l)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", b.name, err))
			continue
		}
		r.print(os.Stdout)
		reports = append(reports, r)
		failures = append(failures, r.failures()...)
	}
	printTargets(os.Stdout, reports)
	return errors.Join(failures...)
}

func (o options) chosen(name string) bool {
	return len(o.run) == 0 || slices.ContainsFunc(o.run, func(want string) bool { return strings.HasPrefix(name, want) })
}

func (l *lab) progress(format string, args ...any) {
	if l.verbose {
		fmt.Fprintf(os.Stderr, format+"\n", args...)
	}
}
