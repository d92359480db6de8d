package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"
)

// A pair is a caller and a listener of one program, as command lines in which
// PORT stands for the port.
type pair struct {
	name, program string
	listener      []string
	caller        []string
	slow          bool // gets -slow-mib instead of -mib
}

var bytePairs = []pair{
	{name: "parley", program: "parley",
		listener: []string{"listen", "--once", "127.0.0.1:PORT"},
		caller:   []string{"call", "127.0.0.1:PORT"}},
	{name: "nc", program: "nc", slow: true,
		listener: []string{"-l", "127.0.0.1", "PORT"},
		caller:   []string{"-N", "127.0.0.1", "PORT"}},
	{name: "ncat", program: "ncat", slow: true,
		listener: []string{"-l", "127.0.0.1", "PORT"},
		caller:   []string{"127.0.0.1", "PORT"}},
	{name: "socat", program: "socat", slow: true,
		listener: []string{"-u", "TCP-LISTEN:PORT,bind=127.0.0.1", "-"},
		caller:   []string{"-u", "-", "TCP:127.0.0.1:PORT"}},
	{name: "socat -b1048576", program: "socat",
		listener: []string{"-b1048576", "-u", "TCP-LISTEN:PORT,bind=127.0.0.1", "-"},
		caller:   []string{"-b1048576", "-u", "-", "TCP:127.0.0.1:PORT"}},
}

// benchBytes measures zeros | CALLER → loopback → LISTENER | count.
func benchBytes(ctx context.Context, l *lab) (report, error) {
	zeros, err := l.buildC(ctx, "zeros")
	if err != nil {
		return report{}, err
	}
	count, err := l.buildC(ctx, "count")
	if err != nil {
		return report{}, err
	}
	var contenders []contender
	for _, p := range bytePairs {
		way := &throughput{lab: l, zeros: zeros, count: count, pair: p, size: l.mib << 20}
		if p.slow {
			way.size = l.slowMiB << 20
		}
		contenders = append(contenders, contender{name: p.name, setup: way.setup, run: way.run})
	}
	alone := &throughput{lab: l, zeros: zeros, count: count, pair: pair{name: "the ends alone"}, size: l.mib << 20}
	contenders = append(contenders, contender{name: alone.name, run: alone.runAlone})
	all, err := l.interleave(ctx, contenders)
	ours := find(all, "parley")
	return report{
		title: "bytes: from a pipe through a caller and a listener to a pipe",
		unit:  "GB/s",
		all:   all,
		rows: []row{
			against("bytes", "GB/s", ours, find(all, "nc"), atLeast(3)),
			against("bytes", "GB/s", ours, find(all, "ncat"), atLeast(3)),
			against("bytes", "GB/s", ours, find(all, "socat -b1048576"), atLeast(1)),
		},
	}, err
}

// A throughput is one pair at work.
type throughput struct {
	*lab
	pair
	zeros, count string // the generator and the sink
	path         string // of the pair's program
	size         int    // bytes to send
}

func (t *throughput) setup(ctx context.Context) (err error) {
	t.path, err = t.find(ctx, t.program)
	return err
}

// run returns GB/s, from the first byte asked for to the last one counted.
func (t *throughput) run(ctx context.Context) (float64, error) {
	port, err := t.freePort()
	if err != nil {
		return 0, err
	}
	sink, listener, err := t.startHearing(ctx, port)
	if err != nil {
		return 0, err
	}
	defer sink.stop()
	defer listener.stop()

	began := time.Now()
	generator, caller, err := t.startSaying(ctx, port)
	if err != nil {
		return 0, err
	}
	defer generator.stop()
	defer caller.stop()
	figure, err := t.await(sink, began)
	if err != nil {
		return 0, err
	}
	return figure, caller.wait()
}

// startHearing starts LISTENER | count.
func (t *throughput) startHearing(ctx context.Context, port string) (sink, listener *process, err error) {
	return pipe(
		func(out *os.File) (*process, error) {
			argv := withPort(t.path, t.pair.listener, port)
			return listen(ctx, command{argv: argv, stdout: out}, port)
		},
		func(in *os.File) (*process, error) {
			return start(ctx, command{argv: t.countCommand(), stdin: in})
		})
}

// startSaying starts zeros | CALLER.
func (t *throughput) startSaying(ctx context.Context, port string) (generator, caller *process, err error) {
	caller, generator, err = pipe(
		func(out *os.File) (*process, error) {
			return start(ctx, command{argv: t.zerosCommand(), stdout: out})
		},
		func(in *os.File) (*process, error) {
			return start(ctx, command{argv: withPort(t.path, t.pair.caller, port), stdin: in})
		})
	return generator, caller, err
}

func (t *throughput) zerosCommand() []string {
	return []string{t.zeros, strconv.Itoa(t.size), strconv.Itoa(t.lab.pipe), t.ends}
}

func (t *throughput) countCommand() []string {
	return []string{t.count, strconv.Itoa(t.lab.pipe), t.ends}
}

// runAlone returns GB/s of zeros | count: what the ends themselves can do, with
// nothing between them. Where a contender comes near, the ends are measured.
func (t *throughput) runAlone(ctx context.Context) (float64, error) {
	began := time.Now()
	sink, generator, err := pipe(
		func(out *os.File) (*process, error) {
			return start(ctx, command{argv: t.zerosCommand(), stdout: out})
		},
		func(in *os.File) (*process, error) {
			return start(ctx, command{argv: t.countCommand(), stdin: in})
		})
	if err != nil {
		return 0, err
	}
	defer sink.stop()
	defer generator.stop()
	return t.await(sink, began)
}

// await returns GB/s since began once sink has counted all the bytes.
func (t *throughput) await(sink *process, began time.Time) (float64, error) {
	counted, err := sink.line()
	elapsed := time.Since(began)
	if err != nil {
		return 0, err
	}
	if counted != strconv.Itoa(t.size) {
		return 0, fmt.Errorf("%s delivered %s of %d bytes", t.name, counted, t.size)
	}
	return float64(t.size) / 1e9 / elapsed.Seconds(), nil
}

// pipe starts two programs with a pipe between them, as a shell does for
// `writer | reader`.
func pipe(writer, reader func(*os.File) (*process, error)) (read, written *process, err error) {
	in, out, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer in.Close() // the programs have copies of their own
	defer out.Close()
	if written, err = writer(out); err != nil {
		return nil, nil, err
	}
	if read, err = reader(in); err != nil {
		written.stop()
		return nil, nil, err
	}
	return read, written, nil
}
