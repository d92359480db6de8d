//go:build linux

package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	library "parley" // the tests call the program parley
	"parley/guard"
	"parley/parleytest"
	"parley/service"
)

// TestChaos has callers that misbehave in every way we know, at random, beside some who behave and check each reply. Not one
// frame of theirs may be lost, mixed or answered to another, and in the end goroutines, descriptors and processes are as they
// were. It lasts 3 s, or as PARLEY_CHAOS says; PARLEY_CHAOS_SEED repeats the choices of a run, if not their timing.
//
// It counts what the process has, so it must not run in parallel with others.
func TestChaos(t *testing.T) {
	warmUp(t)
	parleytest.Leaks(t)
	descriptors, processes := countDescriptors(t), countChildren(t)
	ch := newChaos(t)
	ends := ch.serveAll()
	ch.run()
	ends()
	ch.report()
	for what, count := range map[string]struct {
		before int
		now    func(*testing.T) int
	}{"descriptors": {descriptors, countDescriptors}, "processes": {processes, countChildren}} {
		if !poll(func() bool { return count.now(t) <= count.before }) {
			t.Errorf("%d %s, before it were %d", count.now(t), what, count.before)
		}
	}
}

const (
	chaosMaxFrame = 64 << 10
	chaosGood     = 2  // callers of each post who behave
	chaosBad      = 12 // callers of any who do not: if there were more, the machine would starve those who behave, and not parley
)

// A chaos is one run.
type chaos struct {
	t     *testing.T
	seed  uint64
	until time.Time
	posts []*chaosPost
	cert  certificate
}

// A chaosPost is one service at one address.
type chaosPost struct {
	name    string
	scheme  string
	service string
	handler library.Handler
	address net.Addr
	reply   func(text string) string // to a line

	good, bad atomic.Int64 // frames answered as they should be, conversations of those who misbehave
	lost      atomic.Int64 // datagrams
	dropped   atomic.Int64 // datagrams that parley says it has thrown away
}

func newChaos(t *testing.T) *chaos {
	t.Helper()
	seed, lasts := uint64(time.Now().UnixNano()), 3*time.Second
	if text := os.Getenv("PARLEY_CHAOS_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	if text := os.Getenv("PARLEY_CHAOS"); text != "" {
		var err error
		if lasts, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("PARLEY_CHAOS_SEED=%d PARLEY_CHAOS=%v", seed, lasts)
	return &chaos{t: t, seed: seed, until: time.Now().Add(lasts), cert: certify(t, "localhost", nil)}
}

func (ch *chaos) over() bool { return !time.Now().Before(ch.until) }

// random returns a source of its own for each caller, the same in each run with the same seed.
func (ch *chaos) random(who string) *rand.Rand {
	n := uint64(14695981039346656037)
	for _, b := range []byte(who) {
		n = (n ^ uint64(b)) * 1099511628211
	}
	return rand.New(rand.NewPCG(ch.seed, n))
}

// serveAll serves every service on every transport, and returns how to end.
func (ch *chaos) serveAll() (ends func()) {
	same := func(text string) string { return text }
	shout := func(_ context.Context, request []byte) ([]byte, error) {
		return []byte(strings.ToUpper(string(request))), nil
	}
	cat := func() *service.Command { // which says that its caller is gone, as it should
		return &service.Command{Args: []string{"cat"}, Stderr: func(*library.Conn, []byte) {}}
	}
	carried := cat()
	carried.Carry = true
	services := []chaosPost{
		{service: "answer", handler: service.Answer(shout), reply: strings.ToUpper},
		{service: "echo", handler: service.Echo, reply: same},
		{service: "keep", handler: cat().Keep, reply: same},
		{service: "exec", handler: cat().Exec, reply: same},
		{service: "carry", handler: carried.Exec, reply: same},
		{service: "chat", handler: (&service.Chat{}).Handle},
	}
	ctx, cancel := context.WithCancel(context.Background())
	var served sync.WaitGroup
	for _, scheme := range []string{"tcp", "unix", "tls", "udp"} {
		for i := range services {
			if scheme == "udp" && services[i].service == "chat" {
				continue
			}
			p := &chaosPost{name: services[i].service + "/" + scheme, scheme: scheme, service: services[i].service,
				handler: services[i].handler, reply: services[i].reply}
			ch.posts = append(ch.posts, p)
			ch.serve(ctx, p, &served)
		}
	}
	return func() {
		cancel()
		served.Wait()
	}
}

// serve has limits that nobody reaches who behaves.
func (ch *chaos) serve(ctx context.Context, p *chaosPost, served *sync.WaitGroup) {
	ch.t.Helper()
	address := map[string]string{
		"tcp": "tcp:127.0.0.1:0", "udp": "udp:127.0.0.1:0?idle=1s",
		"tls": "tls:127.0.0.1:0?cert=" + ch.cert.file, "unix": "unix:" + socketDir(ch.t) + "/s",
	}[p.scheme]
	cfg := &library.Config{MaxFrame: chaosMaxFrame, Observe: func(e library.Event) {
		if e.Kind == library.Dropped {
			p.dropped.Add(1)
		}
	}}
	ln, err := cfg.Listen(ctx, address)
	if err != nil {
		ch.t.Fatal(err)
	}
	p.address = ln.Addr()
	g := &guard.Guard{MaxConns: 1000, FirstFrameWithin: time.Minute, MaxTime: time.Hour}
	s := &library.Server{Handler: g.Handler(p.handler), Idle: time.Minute, Grace: tooLong}
	served.Go(func() {
		if err := s.Serve(ctx, ln); err != nil {
			ch.t.Errorf("%s: %v", p.name, err)
		}
	})
}

// run has all callers at work until the time is over.
func (ch *chaos) run() {
	var callers sync.WaitGroup
	for _, p := range ch.posts {
		for n := range chaosGood {
			callers.Go(func() { ch.behave(p, n) })
		}
	}
	for n := range chaosBad {
		callers.Go(func() { ch.misbehave(n) })
	}
	callers.Wait()
}

// report fails the test where frames are missing, or where it has tested nothing.
func (ch *chaos) report() {
	frames, bad := int64(0), int64(0)
	for _, p := range ch.posts {
		frames, bad = frames+p.good.Load(), bad+p.bad.Load()
		if p.good.Load() == 0 || p.bad.Load() == 0 {
			ch.t.Errorf("%s: %d frames of those who behave, %d conversations of those who do not", p.name, p.good.Load(), p.bad.Load())
		}
		if lost, told := p.lost.Load(), p.dropped.Load(); lost > told {
			ch.t.Errorf("%s: %d datagrams lost, and only %d are known to be thrown away", p.name, lost, told)
		}
	}
	ch.t.Logf("%d frames answered, %d conversations with those who misbehave", frames, bad)
}

// dial calls p as programs do that know nothing of parley.
func (ch *chaos) dial(p *chaosPost) (net.Conn, error) {
	switch p.scheme {
	case "tls":
		return tls.Dial("tcp", p.address.String(), &tls.Config{InsecureSkipVerify: true})
	default:
		return net.Dial(p.scheme, p.address.String())
	}
}

// warmUp opens what a Go program keeps once it has used it.
func warmUp(t *testing.T) {
	t.Helper()
	if err := exec.Command("true").Run(); err != nil {
		t.Fatal(err)
	}
	for _, network := range []string{"tcp", "udp"} {
		if network == "udp" {
			pc, err := net.ListenPacket(network, "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			pc.Close()
			continue
		}
		nl, err := net.Listen(network, "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		nl.Close()
	}
}

func countDescriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// countChildren counts the processes of this one, those that nobody has waited for included.
func countChildren(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	count, ours := 0, fmt.Sprint(os.Getpid())
	for _, e := range entries {
		text, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue // it is no process, or has ended
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		if fields := strings.Fields(rest); len(fields) > 1 && fields[1] == ours {
			count++
		}
	}
	return count
}
