package relay

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"parley"
)

// A Route sends callers to other targets by what they say in their TLS ClientHello: the name of the server that they want
// (SNI, RFC 6066, section 3), or the protocols that they offer (ALPN, RFC 7301). Where TLS ends here, it goes by the protocol
// that both have agreed on.
type Route struct {
	By      string   // "sni" or "alpn"
	Names   []string // any of them; of sni *.example.org is every name that has one label more
	Targets []string // addresses, as Relay.Targets
}

// ParseRoute reads a route to one target: sni:api.example=ADDRESS, sni:*.example,example=ADDRESS or
// alpn:h2,http/1.1=ADDRESS. Server names, in whatever case, are kept in lower case. It does not look at the address.
func ParseRoute(text string) (Route, error) {
	by, rest, ok := strings.Cut(text, ":")
	names, address, named := strings.Cut(rest, "=")
	if !ok || !named || by != "sni" && by != "alpn" {
		return Route{}, fmt.Errorf("route %q: write sni:NAME=ADDRESS or alpn:PROTOCOL=ADDRESS", text)
	}
	if address == "" {
		return Route{}, fmt.Errorf("route %q: no address after the =", text)
	}
	route := Route{By: by, Targets: []string{address}}
	for name := range strings.SplitSeq(names, ",") {
		if err := checkName(by, name); err != nil {
			return Route{}, fmt.Errorf("route %q: %w", text, err)
		}
		if by == "sni" {
			name = strings.ToLower(name)
		}
		route.Names = append(route.Names, name)
	}
	return route, nil
}

// checkName refuses names that could never fit.
func checkName(by, name string) error {
	switch {
	case name == "":
		return fmt.Errorf("an empty name; write %s:NAME=ADDRESS", by)
	case by == "alpn" && len(name) > 255:
		return fmt.Errorf("the name of a protocol has at most 255 bytes, not %d", len(name))
	case by == "alpn":
		return nil
	case strings.ContainsAny(name, " \t\r\n/[]"):
		return fmt.Errorf("%q is no name of a server", name)
	case strings.HasSuffix(name, "."):
		return fmt.Errorf("%q: callers say names without the dot at the end", name)
	case strings.Contains(strings.TrimPrefix(name, "*."), "*"):
		return fmt.Errorf("%q: a * stands for one whole label, the first: *.example.org", name)
	}
	return nil
}

// String returns the form that ParseRoute reads, with all targets.
func (route Route) String() string {
	return route.By + ":" + strings.Join(route.Names, ",") + "=" + strings.Join(route.Targets, ",")
}

// fits reports whether the route is for a caller that has said hello.
func (route Route) fits(h hello) bool {
	if route.By == "alpn" {
		return slices.ContainsFunc(route.Names, func(name string) bool { return slices.Contains(h.protocols, name) })
	}
	return h.server != "" && slices.ContainsFunc(route.Names, func(name string) bool { return fitsServer(name, h.server) })
}

// fitsServer reports whether server, as a caller has said it, is name or, if that begins with *., has one label more. An IP
// address, which RFC 6066 does not want there but some say, fits however it is written.
func fitsServer(name, server string) bool {
	if strings.EqualFold(name, server) {
		return true
	}
	if rest, isWild := strings.CutPrefix(name, "*."); isWild {
		label, parent, ok := strings.Cut(server, ".")
		return ok && label != "" && strings.EqualFold(rest, parent) && net.ParseIP(server) == nil
	}
	ip, err := netip.ParseAddr(name)
	if err != nil {
		return false
	}
	said, err := netip.ParseAddr(server)
	return err == nil && ip.Unmap() == said.Unmap()
}

// choose returns the targets for a caller.
func (r *Relay) choose(ctx context.Context, p *pair) (*group, error) {
	h, first, err := r.hear(ctx, p.caller)
	if err != nil {
		return nil, err
	}
	p.first = first
	i := slices.IndexFunc(r.Routes, func(route Route) bool { return route.fits(h) })
	g := r.main
	if i >= 0 {
		g = r.byRoute[i]
	}
	if len(g.targets) == 0 {
		return nil, fmt.Errorf("%w: it %s", ErrNoRoute, h)
	}
	return g, nil
}

// hear returns what the caller says when it begins TLS, and what was heard of it that its target must hear too. Where TLS
// ends here it must have begun, routes or not: strangers who cannot are nobody to call a target for. Else nothing is heard
// if there are no routes.
func (r *Relay) hear(ctx context.Context, c *parley.Conn) (hello, []byte, error) {
	tc, isTLS := c.NetConn().(*tls.Conn)
	switch {
	case isTLS:
		h, err := r.shake(ctx, tc)
		return h, nil, err
	case len(r.Routes) == 0:
		return hello{not: "was not asked"}, nil, nil
	case c.KeepsEdges():
		return hello{not: "talks in datagrams"}, nil, nil
	}
	return r.sniff(ctx, c)
}
