package cli

import (
	"context"
	"net"
	"strconv"
	"strings"

	"parley"
	"parley/frame"
)

// A post is one service at one address.
type post struct {
	service   string
	address   string
	handler   parley.Handler
	say, hear frame.Format // nil: what suits the transport
	amplifies bool         // on datagrams, whoever forges a sender's address can use it against the owner

	ln *parley.Listener
}

// listen opens the address of p.
func (s *serving) listen(ctx context.Context, p *post) error {
	address, err := s.withLimits(p.address)
	if err != nil {
		return usageError{err}
	}
	cfg := &parley.Config{Frame: p.say, HearFrame: p.hear, MaxFrame: s.limit(), Observe: s.observe(p)}
	if p.ln, err = cfg.Listen(ctx, address); err != nil {
		return err
	}
	s.meter.Listening(p.service, p.ln.Address())
	if p.isOpen() && !s.rules.current().HasAllow() {
		return usagef("%s at %s would answer whoever forges a sender's address, and flood its owner: name who may call with --allow, listen on this machine only, or on tcp: only",
			p.service, p.address)
	}
	return nil
}

// observe counts frames and logs conversations, where somebody wants to know; datagrams that are thrown away always.
func (s *serving) observe(p *post) func(parley.Event) {
	count, log := s.meter.Observe(p.service), s.journal.observe(p.service)
	switch counts := s.metricsAt != "" || s.stats; {
	case counts && s.journal.logs:
		return func(e parley.Event) { count(e); log(e) }
	case counts:
		return func(e parley.Event) {
			count(e)
			if e.Kind == parley.Dropped {
				log(e)
			}
		}
	case s.journal.logs:
		return log
	case isDatagram(p.address), strings.HasPrefix(p.address, "systemd:"):
		return func(e parley.Event) {
			if e.Kind == parley.Dropped {
				log(e)
			}
		}
	}
	return nil
}

// maxProcesses is how many senders of datagrams have a process at once, if the address does not say. Anybody can forge a
// sender.
const maxProcesses = 100

// withLimits has the flags decide when a sender of datagrams has ended, and how many there may be, where the address does
// not.
func (s *serving) withLimits(address string) (string, error) {
	a, err := parley.ParseAddr(address)
	if err != nil || !isDatagram(address) {
		return address, err
	}
	if a.Params == nil {
		a.Params = map[string]string{}
	}
	if _, own := a.Params["idle"]; !own && s.idle > 0 {
		a.Params["idle"] = s.idle.String()
	}
	if _, own := a.Params["senders"]; !own && s.runsCommands {
		a.Params["senders"] = strconv.Itoa(maxProcesses)
	}
	return a.String(), nil
}

// isDatagram reports whether an address is one of datagrams.
func isDatagram(address string) bool {
	a, err := parley.ParseAddr(address)
	return err == nil && (strings.HasPrefix(a.Scheme, "udp") || a.Params["type"] == "datagram")
}

// isOpen reports whether p could be used against others by anybody who reaches it, unless rules say who may.
func (p *post) isOpen() bool { return p.amplifies && keepsEdges(p.ln.Addr()) && !isLocal(p.ln.Addr()) }

func keepsEdges(a net.Addr) bool {
	return strings.HasPrefix(a.Network(), "udp") || a.Network() == "unixgram"
}

// isLocal reports whether only this machine reaches a.
func isLocal(a net.Addr) bool {
	u, ok := a.(*net.UDPAddr)
	return !ok || u.IP.IsLoopback()
}

// announce says where the posts are and what to type to call them.
func (s *serving) announce(posts []*post) {
	for _, p := range posts {
		if p.service == "files" {
			s.u.note("files on %s; to see them: %s", where(p.ln.Addr()), urlOf(p.ln.Address()))
			continue
		}
		s.u.note("%s on %s; to call it: parley call %s", p.service, where(p.ln.Addr()), shellQuote(short(p.ln.Address())))
	}
}

// urlOf is what a browser takes, or else the address.
func urlOf(address string) string {
	rest, isTLS := strings.CutPrefix(address, "tls:")
	target, _, _ := strings.Cut(rest, "?")
	switch _, _, err := net.SplitHostPort(target); {
	case err != nil:
		return "parley call " + shellQuote(short(address))
	case isTLS:
		return "https://" + target + "/"
	}
	return "http://" + target + "/"
}

func addressesOf(posts []*post) (addresses []string) {
	for _, p := range posts {
		addresses = append(addresses, p.ln.Address())
	}
	return addresses
}

func closeAll(posts []*post) {
	for _, p := range posts {
		if p.ln != nil {
			p.ln.Close()
		}
	}
}
