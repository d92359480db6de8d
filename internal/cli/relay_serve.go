package cli

import (
	"cmp"
	"context"
	"crypto/x509"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"parley"
	"parley/internal/sandbox"
	"parley/relay"
)

// asOneFlag lets --idle be called as it is in other verbs.
func asOneFlag(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	if name == "idle-timeout" {
		name = "idle"
	}
	return pflag.NormalizedName(name)
}

// serveCallers relays until ctx ends.
func (v *relayVerb) serveCallers(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	hear, _ := v.formats(v.targets[0])
	p := &post{service: "relay", address: v.a, handler: v.relay.Handle, say: hear.say, hear: hear.hear, amplifies: true}
	if v.once {
		v.single = oneCaller{ctx: ctx, post: p, handle: v.relay.Handle, done: cancel}
		p.handler = v.single.hold
		v.grace = 0
	}
	v.relay.Changed = v.changed
	v.relay.Options.Note = func(text string) { v.journal.Info(text) } // for each caller anew, so in the log only
	v.opened = v.checkLoops
	rights, err := v.rightsForTargets()
	if err != nil {
		return err
	}
	v.rights = rights
	var probing sync.WaitGroup
	probing.Go(func() { _ = v.relay.Run(ctx) })
	err = v.serving.run(ctx, []*post{p})
	cancel()
	probing.Wait()
	return cmp.Or(v.single.outcome(), err)
}

// keptFiles are the descriptors that are not conversations': listeners, logs, pipes, callers that are being refused.
const keptFiles = 128

// fitFiles lowers the limit of conversations, which take two descriptors each here, to what this process can have: who is
// refused hears so at once, and who is let in finds a target.
func (v *relayVerb) fitFiles() {
	if n, known := openFiles(); known && n < 2*defaultMaxConns+keptFiles {
		v.maxConns = max(1, (int(n)-keptFiles)/2)
	}
}

// checkLoops is called when it listens.
func (v *relayVerb) checkLoops(posts []*post) error {
	if err := v.relay.Check(posts[0].ln.Addr()); err != nil {
		return usageError{err}
	}
	return nil
}

// A oneCaller holds the one conversation of --once.
type oneCaller struct {
	ctx    context.Context // of the program
	post   *post
	handle parley.Handler
	done   func()

	mu    sync.Mutex
	taken bool
	err   error
}

// hold is a handler. Who comes after the first is not let in.
func (o *oneCaller) hold(_ context.Context, c *parley.Conn) error {
	o.mu.Lock()
	late := o.taken
	o.taken = true
	o.mu.Unlock()
	if late {
		return nil
	}
	defer o.done()
	o.post.ln.Close()
	err := o.handle(o.ctx, c)
	o.mu.Lock()
	o.err = because(o.ctx, err)
	o.mu.Unlock()
	return nil
}

func (o *oneCaller) outcome() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// dialTarget calls a target.
func (v *relayVerb) dialTarget(ctx context.Context, address string) (*parley.Conn, error) {
	c, err := v.configs[address].Dial(ctx, address)
	if end, limited := ctx.Deadline(); err != nil && limited && !time.Now().Before(end) {
		return nil, &limitError{"--connect-timeout", v.connectTimeout, "no answer from " + address, ""}
	}
	return c, err
}

func (v *relayVerb) joined(caller, target *parley.Conn) {
	v.traffic.begin(caller, target)
	if v.journal.logs {
		v.journal.Info("joined", "caller", addrText(caller.RemoteAddr()), "target", addrText(target.RemoteAddr()))
	}
}

func (v *relayVerb) ended(caller *parley.Conn, _ string, s relay.Stats, err error) {
	v.traffic.end(caller, s.AtoB.Bytes, s.BtoA.Bytes)
	if v.journal.logs {
		v.journal.Info("parted", "caller", addrText(caller.RemoteAddr()), "up", s.AtoB.Bytes, "down", s.BtoA.Bytes)
	}
}

func (v *relayVerb) changed(target string, up bool, why error) {
	if up {
		v.journal.Warn("target is up again", "target", target)
		return
	}
	v.journal.Warn("target is down", "target", target, "err", why)
}

// rightsForTargets are what calling the targets needs. Where that cannot be said there is no sandbox.
func (v *relayVerb) rightsForTargets() (r sandbox.Rights, err error) {
	for _, address := range v.targets {
		a, err := parley.ParseAddr(address)
		if err != nil {
			return r, usageError{err}
		}
		for _, name := range []string{"cert", "key", "ca"} {
			if file := a.Params[name]; file != "" {
				dirs, err := sandbox.Replaced(file)
				if err != nil {
					return r, usageError{err}
				}
				r.Read = append(r.Read, dirs...)
			}
		}
		switch a.Scheme {
		case "tcp", "tcp4", "tcp6", "tls":
			port, ok := portOfTarget(a.Target)
			if !ok {
				v.noSandbox = true
			}
			r = r.And(sandbox.ForLookups(), sandbox.Rights{Connect: []uint16{port}})
			_, _ = x509.SystemCertPool() // read now, it needs no right later
		case "udp", "udp4", "udp6":
			r = r.And(sandbox.ForLookups())
		case "unix":
			v.noSandbox = v.noSandbox || a.Params["type"] == "datagram"
			r.Call = append(r.Call, socketDir(a.Target)) // it may come later, or again
		case "stdio", "fd":
		case "file":
			r.Make = append(r.Make, filepath.Dir(a.Target))
			if to := a.Params["to"]; to != "" {
				r.Make = append(r.Make, filepath.Dir(to))
			}
		default:
			v.noSandbox = true // commands, terminals and named pipes may need any right
		}
	}
	return r, nil
}

// socketDir is what the right to call a Unix socket is a right to.
func socketDir(path string) string {
	if strings.HasPrefix(path, "@") {
		return "@"
	}
	return filepath.Dir(path)
}

func portOfTarget(target string) (uint16, bool) {
	_, port, err := net.SplitHostPort(target)
	if err != nil {
		port = target
	}
	if n, err := strconv.ParseUint(port, 10, 16); err == nil {
		return uint16(n), true
	}
	n, err := net.LookupPort("tcp", port)
	return uint16(n), err == nil
}
