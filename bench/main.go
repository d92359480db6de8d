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

// A benchmark measures one work.
type benchmark struct {
	name string
	do   func(context.Context, *lab) (report, error)
}

// benchmarks are all of them, in the order in which they run.
func benchmarks() []benchmark {
	return []benchmark{
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
		{"relay-bulk-up", benchRelayBulk(false)},
		{"relay-bulk-down", benchRelayBulk(true)},
		{"relay-latency-1", benchRelayLatency(1)},
		{"relay-latency-100", benchRelayLatency(100)},
		{"relay-latency-1000", benchRelayLatency(1000)},
		{"relay-conversations", benchRelayConversations},
		{"relay-idle", benchRelayIdle},
		{"relay-tap", benchRelayTap},
		{"relay-tls-up", benchRelayTLS("up")},
		{"relay-tls-down", benchRelayTLS("down")},
	}
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
	relayIdle     int
	tlsMiB        int
	settle        time.Duration
	parley        string
	goSocat       string
	results       string
	show          string
	tmp           string
	verbose       bool
}

func parseFlags() options {
	var o options
	which := flag.String("run", "", "comma-separated benchmarks, by the beginning of their names; empty means all")
	flag.IntVar(&o.rounds, "rounds", 5, "counted rounds; one more comes first, to warm up")
	flag.IntVar(&o.seconds, "seconds", 2, "length of one run of echo, serve-echo, serve-exec, answer-keep, conversations, stall, relay-bulk, -tap, -latency, -conversations")
	flag.IntVar(&o.mib, "mib", 4096, "bytes: MiB that a quick pair carries")
	flag.IntVar(&o.slowMiB, "slow-mib", 1024, "bytes: MiB that a slow pair carries")
	flag.IntVar(&o.pipe, "pipe", 0, "bytes: size of the two pipes in bytes; 0 means as a shell makes them, 64 KiB")
	flag.StringVar(&o.ends, "ends", "copy", "bytes: how the generator and the sink work: copy, as most programs do, or splice, which costs next to nothing")
	flag.IntVar(&o.lines, "lines", 4_000_000, "lines, frames: how many the 4 callers send together")
	flag.IntVar(&o.conversations, "conversations", 100, "echo, stall: conversations at the same time: try 10, 100, 1000")
	flag.IntVar(&o.idle, "idle", 9000, "idle: conversations; must be below ulimit -n")
	flag.IntVar(&o.serveIdle, "serve-idle", 15000, "serve-idle: conversations; must be below ulimit -Hn")
	flag.IntVar(&o.relayIdle, "relay-idle", 5000, "relay-idle: conversations; twice as many must be below ulimit -Hn")
	flag.IntVar(&o.tlsMiB, "tls-mib", 512, "relay-tls: MiB that each of the 4 conversations carries; the load needs memory for all of them")
	flag.DurationVar(&o.settle, "settle", 5*time.Second, "serve-idle, relay-idle: how long the memory must stay the same; Go's collector comes by itself after 2 minutes, so try 150s")
	flag.StringVar(&o.parley, "parley", "", "path of the parley to measure; empty means the one of this checkout, built for it")
	flag.StringVar(&o.goSocat, "go-socat", "", "path of a github.com/oittaa/socat to measure beside; empty means it is left out")
	flag.StringVar(&o.results, "results", "results", "directory of latest.json and latest.svg, in which the works of this run replace their older selves; empty means nothing is kept")
	flag.StringVar(&o.show, "show", "", "run nothing: print what -results holds of the works in -run, as text or markdown, and draw the chart anew")
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
	o, do := parseFlags(), bench
	if o.show != "" {
		do = show
	}
	if err := do(ctx, o); err != nil {
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
	versions := printMachine(ctx, os.Stdout, l)
	var works []work
	var failures []error
	for _, b := range benchmarks() {
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
		works = append(works, newWork(b.name, r, o, versions))
		failures = append(failures, r.failures()...)
	}
	printTable(os.Stdout, works)
	if o.results != "" {
		failures = append(failures, keep(o.results, works))
	}
	return errors.Join(failures...)
}

// keep puts the works into the results in dir, if they have any figures:
// parley that does not work is no reason to forget how it worked.
func keep(dir string, works []work) error {
	kept, err := load(dir)
	if err != nil {
		return err
	}
	works = slices.DeleteFunc(works, func(w work) bool {
		return !slices.ContainsFunc(w.Rows, func(r row) bool { return r.Verdict != notMeasured })
	})
	if kept.Machine != "" && kept.Machine != machine() {
		fmt.Fprintf(os.Stderr, "bench: the figures in %s are forgotten, as they are of another machine: %s\n", dir, kept.Machine)
	}
	return kept.merge(machine(), works).save(dir)
}

// show prints the results as they were kept, those that -run chooses.
func show(_ context.Context, o options) error {
	all, err := load(o.results)
	if err != nil {
		return err
	}
	kept := results{Machine: all.Machine}
	for _, w := range all.Works {
		if o.chosen(w.Name) {
			kept.Works = append(kept.Works, w)
		}
	}
	switch o.show {
	case "text":
		fmt.Println(kept.Machine)
		printTable(os.Stdout, kept.Works)
		fmt.Printf("\n%s\n", strings.Join(runsOf(kept.Works), "\n"))
	case "markdown":
		printMarkdown(os.Stdout, kept)
	default:
		return fmt.Errorf("-show %s: show what is kept as text or markdown", o.show)
	}
	return all.save(o.results)
}

// chosen says whether -run asks for a benchmark. The whole name of one is no
// beginning of others.
func (o options) chosen(name string) bool {
	return len(o.run) == 0 || slices.ContainsFunc(o.run, func(want string) bool {
		return name == want || place(want) < 0 && strings.HasPrefix(name, want)
	})
}

func (l *lab) progress(format string, args ...any) {
	if l.verbose {
		fmt.Fprintf(os.Stderr, format+"\n", args...)
	}
}
