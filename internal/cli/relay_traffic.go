package cli

import (
	"os"
	"sync"

	"parley"
)

// traffic is what a relay has passed on so far, for a person who watches.
type traffic struct {
	mu       sync.Mutex
	open     map[*parley.Conn]*parley.Conn // targets by their callers
	up, down int64                         // of conversations that are over
}

func (t *traffic) begin(caller, target *parley.Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == nil {
		t.open = map[*parley.Conn]*parley.Conn{}
	}
	t.open[caller] = target
}

func (t *traffic) end(caller *parley.Conn, up, down int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, caller)
	t.up += up
	t.down += down
}

// so far, with those that are under way. What the kernel moves from or to a file is counted at the other end only.
func (t *traffic) soFar() (up, down int64, open int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	up, down = t.up, t.down
	for caller, target := range t.open {
		toCaller, fromCaller := caller.Bytes()
		toTarget, fromTarget := target.Bytes()
		up += max(fromCaller, toTarget)
		down += max(fromTarget, toCaller)
	}
	return up, down, len(t.open)
}

// showProgress shows what passes to a person at a terminal, until stop. It would be in the way of one who types, or reads
// what is said.
func (v *relayVerb) showProgress() (stop func()) {
	typed := schemeOf(v.a) == "stdio" || schemeOf(v.b) == "stdio"
	if v.noProgress || typed && (v.u.inTerm || v.u.outTerm) || v.tap.show != "" {
		return func() {}
	}
	size := sizeOf(v.a, v.u.in)
	p := newProgress(v.u, func() progressFacts {
		up, down, open := v.traffic.soFar()
		return progressFacts{up: up, down: down, open: open, total: size}
	})
	p.start()
	return p.stop
}

// sizeOf is how much an address has to say, 0 if that is not known.
func sizeOf(address string, stdin *os.File) int64 {
	a, err := parley.ParseAddr(address)
	if err != nil {
		return 0
	}
	var info os.FileInfo
	switch _, follow := a.Params["follow"]; {
	case a.Scheme == "stdio":
		info, err = stdin.Stat()
	case a.Scheme == "file" && !follow:
		info, err = os.Stat(a.Target)
	default:
		return 0
	}
	if err != nil || !info.Mode().IsRegular() {
		return 0
	}
	return info.Size()
}
