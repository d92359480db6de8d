//go:build unix

package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"parley"
	"parley/scheme/systemd"
)

// onSignals reads rules and certificates again on SIGHUP, which ends other verbs, and prints the status on SIGUSR1.
func (s *serving) onSignals(posts []*post) (stop func()) {
	signal.Reset(syscall.SIGHUP)
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGUSR1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for sig := range signals {
			if sig == syscall.SIGUSR1 {
				s.u.lines(s.meter.Status())
				continue
			}
			s.reload(posts)
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
		<-done
	}
}

func hasCertificate(address string) bool {
	a, err := parley.ParseAddr(address)
	return err == nil && a.Params["cert"] != ""
}

// reload reads again what may have changed; what cannot be read stays as it was.
func (s *serving) reload(posts []*post) {
	_ = systemd.Reloading()
	s.rules.reread(context.Background(), true)
	read := 0
	for _, p := range posts {
		if err := p.ln.Reload(); err != nil {
			s.journal.Warn("the certificate stays as it was", "service", p.service, "err", err)
		} else if hasCertificate(p.address) {
			read++
		}
	}
	if read > 0 {
		s.journal.Warn("certificates have been read again", "number", read)
	}
	_ = systemd.Ready()
}
