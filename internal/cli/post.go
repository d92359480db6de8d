package cli

import (
	"context"
	"net"
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
	address, err := s.withIdle(p.address)
	if err != nil {
		return usageError{err}
	}
	cfg := &parley.Config{Frame: p.say, HearFrame: p.hear, MaxFrame: s.limit(), Observe: s.observe(p)}
	if p.ln, err = cfg.Listen(ctx, address); err != nil {
		return err
	}
	s.meter.Listening(p.service, p.ln.Address())
	if p.amplifies && keepsEdges(p.ln.Addr()) && !isLocal(p.ln.Addr()) && !s.rules.namesWhoMay() {
		return usagef("%s at %s would answer whoever forges a sender's address, and flood its owner: name who may call with --allow, or listen on this machine only",
			p.service, p.address)
	}
	return nil
}

// observe counts frames and logs conversations, where somebody wants to know.
func (s *serving) observe(p *post) func(parley.Event) {
	counts, logs := s.metricsAt != "" || s.stats, s.journal.logs
	if !counts && !logs {
		return nil
	}
	count, log := s.meter.Observe(p.service), s.journal.observe(p.service)
	return func(e parley.Event) {
		if counts {
			count(e)
		}
		if logs {
			log(e)
		}
	}
}

// withIdle has --idle decide when a sender of datagrams has ended, where the address itself does not.
func (s *serving) withIdle(address string) (string, error) {
	a, err := parley.ParseAddr(address)
	if err != nil || s.idle <= 0 {
		return address, err
	}
	if _, own := a.Params["idle"]; own || !strings.HasPrefix(a.Scheme, "udp") && a.Params["type"] != "datagram" {
		return address, nil
	}
	if a.Params == nil {
		a.Params = map[string]string{}
	}
	a.Params["idle"] = s.idle.String()
	return a.String(), nil
}

func keepsEdges(a net.Addr) bool {
	return strings.HasPrefix(a.Network(), "udp") || a.Network() == "unixgram"
}

// isLocal reports whether only this machine reaches a.
func isLocal(a net.Addr) bool {
	u, ok := a.(*net.UDPAddr)
	return !ok || u.IP.IsLoopback()
}

func closeAll(posts []*post) {
	for _, p := range posts {
		if p.ln != nil {
			p.ln.Close()
		}
	}
}
