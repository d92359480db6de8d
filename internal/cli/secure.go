package cli

import (
	"errors"
	"net"
	"os"
	"strings"

	"parley"
	"parley/internal/sandbox"
)

// secure gives up what parley no longer needs once all addresses are open: rights to files and ports, and then those of
// root, as another user may not even find what is to be kept.
func (s *serving) secure(posts []*post) error {
	if err := s.restrict(posts); err != nil || s.becomeUser == nil {
		return err
	}
	if err := s.becomeUser(); err != nil {
		return &localError{"--user", err}
	}
	if s.rulesFile != "" {
		if _, err := readLimited(s.rulesFile, maxRulesFile); err != nil {
			return &localError{"--rules could not be read again as " + s.become, err}
		}
	}
	return nil
}

// restrict is the sandbox. Commands would inherit it, and may need anything (qmail-smtpd, for one, runs a program that
// belongs to another user), so with them there is none.
func (s *serving) restrict(posts []*post) error {
	if s.noSandbox || s.runsCommands {
		return nil
	}
	rights, err := s.rightsFor(posts)
	net.DefaultResolver.PreferGo = true // that of the C library needs rights nobody knows
	if err == nil {
		err = sandbox.Restrict(rights)
	}
	if errors.Is(err, errors.ErrUnsupported) {
		s.u.note("no sandbox: %v", err)
		return nil
	}
	if err != nil {
		return &localError{"the sandbox (--no-sandbox goes without)", err}
	}
	return nil
}

// rightsFor are what is still needed: what may have to be read again, and Unix sockets to be removed at the end.
func (s *serving) rightsFor(posts []*post) (sandbox.Rights, error) {
	r := s.rights
	var files []string
	if s.rulesFile != "" {
		files = append(files, s.rulesFile)
		r = r.And(sandbox.ForLookups()) // there may be host names in it later
	} else if len(s.rules.current().Hosts()) > 0 {
		r = r.And(sandbox.ForLookups())
	}
	for _, p := range posts {
		a, err := parley.ParseAddr(p.address)
		if err != nil {
			return r, err
		}
		for _, name := range []string{"cert", "key", "ca"} {
			if file := a.Params[name]; file != "" {
				files = append(files, file)
			}
		}
		if a.Scheme == "unix" {
			r = r.And(sandbox.ForSocket(a.Target))
		}
		if a.Params["type"] == "datagram" {
			r.Call = append(r.Call, "/", "@") // senders are answered where they are
		}
	}
	if notify := os.Getenv("NOTIFY_SOCKET"); strings.HasPrefix(notify, "@") {
		r.Call = append(r.Call, "@")
	} else if notify != "" {
		r.Call = append(r.Call, notify)
	}
	dirs, err := sandbox.Replaced(files...)
	return r.And(sandbox.Rights{Read: dirs}), err
}
