package relay

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"parley"
)

// Run probes the targets until ctx ends, and returns nil then: it calls each of them at once, then every ProbeEvery, sooner
// or later by up to a tenth so that several relays do not call together, and closes at once. No target is called while an
// earlier probe of it still waits.
//
// Not probed are targets for which a call is more than a call, or tells nothing: those of the schemes stdio, file, exec, fd,
// pty and pipe, and those of datagrams. Callers find out about them.
func (r *Relay) Run(ctx context.Context) error {
	r.once.Do(r.setup)
	if r.ProbeEvery > 0 {
		r.countProbing(1)
		defer r.countProbing(-1)
		var probes sync.WaitGroup
		for _, t := range r.all {
			if t.probed {
				probes.Go(func() { r.probeLoop(ctx, t) })
			}
		}
		probes.Wait()
	}
	<-ctx.Done()
	return nil
}

func (r *Relay) countProbing(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.probing += n
}

func (r *Relay) probeLoop(ctx context.Context, t *target) {
	for {
		r.probe(ctx, t)
		tenth := int64(r.ProbeEvery / 10)
		select {
		case <-time.After(r.ProbeEvery + time.Duration(rand.Int64N(2*tenth+1)-tenth)):
		case <-ctx.Done():
			return
		}
	}
}

// probe calls t once.
func (r *Relay) probe(ctx context.Context, t *target) {
	c, err := r.dial(ctx, t.address)
	if err == nil {
		c.Close()
	}
	if err != nil && isOurs(ctx, err) {
		return
	}
	r.change(t, err)
}

// change notes that t is up, or why it is down, and tells that if it is news.
func (r *Relay) change(t *target, why error) {
	r.telling.Lock() // so that Changed hears the changes in the order in which they were noted
	defer r.telling.Unlock()
	if r.noted(t, why != nil) && r.Changed != nil {
		r.Changed(t.address, why == nil, why)
	}
}

// noted reports whether it is news that t is down, or up.
func (r *Relay) noted(t *target, down bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	news := t.down != down
	switch t.down = down; {
	case !down && news:
		close(r.upAgain)
		r.upAgain = make(chan struct{})
	case down && news:
		t.pause, t.paused = firstPause, time.Now()
	case down && time.Since(t.paused) >= t.pause: // or many who fail at once would make it long
		t.pause, t.paused = min(2*t.pause, longestPause), time.Now()
	}
	return news
}

// upSignal returns what is closed when a target is up again.
func (r *Relay) upSignal() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.upAgain
}

// isProbed reports whether a call of address that says nothing shows whether it is up, and does nothing else.
func isProbed(address string, parsed parley.Addr) bool {
	scheme, _, _ := strings.Cut(address, ":")
	switch scheme {
	case "-", "stdio", "file", "exec", "fd", "pty", "pipe":
		return false
	}
	return !strings.HasPrefix(parsed.Scheme, "udp") && parsed.Params["type"] != "datagram"
}
