package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
)

// lookupsAtOnce is how many host names are looked up at the same time.
const lookupsAtOnce = 8

// Hosts returns the host names in the rules, each once, in their order.
func (r *Rules) Hosts() []string {
	if r == nil {
		return nil
	}
	var hosts []string
	seen := map[string]bool{"": true}
	for _, rl := range r.list {
		if !seen[rl.host] {
			seen[rl.host] = true
			hosts = append(hosts, rl.host)
		}
	}
	return hosts
}

// Resolve looks up all host names anew, with lookup; nil means that of net.DefaultResolver. Names that cannot be looked up
// keep the addresses they had. The error, of errors.Join, says which these are, and warns of those that have none yet: they
// are nobody's, so that a rule that denies one denies nobody. Allows can be called meanwhile, and sees the new addresses when
// Resolve returns.
func (r *Rules) Resolve(ctx context.Context, lookup func(ctx context.Context, host string) ([]netip.Addr, error)) error {
	hosts := r.Hosts()
	if len(hosts) == 0 {
		return nil
	}
	if lookup == nil {
		lookup = lookupIP
	}
	r.resolving.Lock()
	defer r.resolving.Unlock()
	addrs, errs := lookupAll(ctx, hosts, lookup)
	found := map[string][]netip.Addr{}
	for i, host := range hosts {
		if found[host] = addrs[i]; errs[i] != nil {
			found[host] = r.known()[host]
			errs[i] = r.notFound(host, errs[i])
		}
	}
	r.table.Store(newTable(r.list, found))
	return errors.Join(errs...)
}

// known is what has been found for host names so far.
func (r *Rules) known() map[string][]netip.Addr {
	if t := r.table.Load(); t != nil {
		return t.found
	}
	return nil
}

// TakeAddresses gives the host names in r that have no addresses those that old has found for them, so that rules that have
// been read anew lose none if the names cannot be looked up just then. old may be nil.
func (r *Rules) TakeAddresses(old *Rules) {
	if r == nil || old == nil || r == old {
		return
	}
	r.resolving.Lock()
	defer r.resolving.Unlock()
	found := map[string][]netip.Addr{}
	for _, host := range r.Hosts() {
		if found[host] = r.known()[host]; len(found[host]) == 0 {
			found[host] = old.known()[host]
		}
	}
	r.table.Store(newTable(r.list, found))
}

func lookupIP(ctx context.Context, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

func lookupAll(ctx context.Context, hosts []string, lookup func(context.Context, string) ([]netip.Addr, error)) ([][]netip.Addr, []error) {
	addrs, errs := make([][]netip.Addr, len(hosts)), make([]error, len(hosts))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(lookupsAtOnce, len(hosts)) {
		workers.Go(func() {
			for i := range next {
				addrs[i], errs[i] = lookupOne(ctx, hosts[i], lookup)
			}
		})
	}
	for i := range hosts {
		next <- i
	}
	close(next)
	workers.Wait()
	return addrs, errs
}

func lookupOne(ctx context.Context, host string, lookup func(context.Context, string) ([]netip.Addr, error)) ([]netip.Addr, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	found, err := lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	addrs := make([]netip.Addr, 0, len(found))
	for _, a := range found {
		if a.IsValid() {
			addrs = append(addrs, a.Unmap())
		}
	}
	if len(addrs) == 0 {
		return nil, errors.New("it has no addresses")
	}
	return addrs, nil
}

// notFound says which rule has a name that cannot be looked up, and what that means.
func (r *Rules) notFound(host string, err error) error {
	i := slices.IndexFunc(r.list, func(rl *rule) bool { return rl.host == host })
	if known := r.known()[host]; len(known) > 0 {
		return fmt.Errorf("%s: cannot look up %s, which keeps the addresses %v: %w", r.list[i].text, host, known, err)
	}
	return fmt.Errorf("%s: cannot look up %s, so the rule is for nobody yet: %w", r.list[i].text, host, err)
}
