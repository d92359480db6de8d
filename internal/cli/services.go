package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"parley"
	"parley/internal/sandbox"
	"parley/service"
)

// A serviceKind is a service that serve knows by name.
type serviceKind struct {
	name, summary string
	address       string   // without a scheme, if none is given
	datagrams     bool     // on tcp and udp
	amplifies     bool     // see post
	params        []string // name=what, as help shows them
	make          func(s *serveVerb, w *wanted) (parley.Handler, error)
}

// A wanted is a service as the command line asks for it: NAME[?PARAMS][=ADDRESS], and for files the word after it.
type wanted struct {
	kind    *serviceKind
	params  map[string]string
	address string
	dir     string
}

func plain(h parley.Handler) func(*serveVerb, *wanted) (parley.Handler, error) {
	return func(*serveVerb, *wanted) (parley.Handler, error) { return h, nil }
}

var serviceKinds = []serviceKind{
	{name: "echo", summary: "says back what it hears (RFC 862)", address: "7", datagrams: true, amplifies: true, make: plain(service.Echo)},
	{name: "discard", summary: "hears, and says nothing (RFC 863)", address: "9", datagrams: true, make: plain(service.Discard)},
	{name: "daytime", summary: "says the date and time in words (RFC 867)", address: "13", datagrams: true, params: []string{"format=nist"}, make: makeDaytime},
	{name: "qotd", summary: "says a quotation (RFC 865)", address: "17", datagrams: true, amplifies: true, params: []string{"file=FORTUNES"}, make: makeQuotes},
	{name: "chargen", summary: "says characters without end (RFC 864)", address: "19", datagrams: true, amplifies: true, make: plain(service.Chargen)},
	{name: "time", summary: "says the time as a number (RFC 868)", address: "37", datagrams: true, make: plain(service.Time)},
	{name: "chat", summary: "lets callers talk with each other, in rooms", address: "7070", amplifies: true, make: makeChat},
	{name: "files", summary: "a directory's files over HTTP, read-only: files DIR", address: "8080", make: makeFiles},
	{name: "exec", summary: "a process of COMMAND for each caller: exec=ADDRESS -- COMMAND", amplifies: true, make: makeExec},
}

func findService(name string) (*serviceKind, error) {
	var names []string
	for i, k := range serviceKinds {
		if k.name == name {
			return &serviceKinds[i], nil
		}
		names = append(names, k.name)
	}
	return nil, usagef("there is no service %q; there are %s", name, strings.Join(names, ", "))
}

// parseServices reads the words of the command line.
func parseServices(words []string) ([]*wanted, error) {
	var all []*wanted
	for len(words) > 0 {
		w, err := parseService(words[0])
		if err != nil {
			return nil, err
		}
		words = words[1:]
		if w.kind.name == "files" {
			if len(words) == 0 {
				return nil, usagef("files needs a directory: parley serve files DIR")
			}
			w.dir, words = words[0], words[1:]
		}
		all = append(all, w)
	}
	return all, nil
}

// parseService reads NAME[?KEY=VALUE[&KEY=VALUE...]][=ADDRESS].
func parseService(word string) (*wanted, error) {
	end := strings.IndexAny(word, "?=")
	if end < 0 {
		end = len(word)
	}
	kind, err := findService(word[:end])
	if err != nil {
		return nil, err
	}
	w := &wanted{kind: kind, params: map[string]string{}}
	rest := word[end:]
	for strings.HasPrefix(rest, "?") || strings.HasPrefix(rest, "&") {
		key, value, _ := strings.Cut(rest[1:], "=")
		stop := strings.IndexAny(value, "&=")
		if stop < 0 {
			stop = len(value)
		}
		if err := kind.knows(key); err != nil {
			return nil, err
		}
		w.params[key], rest = value[:stop], value[stop:]
	}
	w.address = strings.TrimPrefix(rest, "=")
	if rest == "=" {
		return nil, usagef("%s: no address after the =", word)
	}
	if w.address == "" {
		w.address = kind.address
	}
	if w.address == "" {
		return nil, usagef("%s needs an address: %s=ADDRESS", kind.name, kind.name)
	}
	return w, kind.fits(w.address)
}

// fits finds addresses that cannot be meant for k.
func (k *serviceKind) fits(address string) error {
	if k.name == "files" && isDatagram(address) {
		return usagef("files=%s: files are served over streams, and these are datagrams", address)
	}
	target, query, _ := strings.Cut(address, "?")
	if name, _, _ := strings.Cut(query, "="); name != "" && k.knows(name) == nil {
		return usagef("%s=%s: what is for the service comes before the address: %s?%s=%s", k.name, address, k.name, query, target)
	}
	return nil
}

func (k *serviceKind) knows(param string) error {
	for _, p := range k.params {
		if name, _, _ := strings.Cut(p, "="); name == param {
			return nil
		}
	}
	if len(k.params) == 0 {
		return usagef("%s: unknown param %q; it has none", k.name, param)
	}
	return usagef("%s: unknown param %q; there is %s", k.name, param, strings.Join(k.params, ", "))
}

// posts returns where w is served: on tcp and udp, if the service is for both and the address for neither.
func (w *wanted) posts(h parley.Handler) []*post {
	addresses := []string{w.address}
	if w.kind.datagrams && hasNoScheme(w.address) {
		addresses = []string{"tcp:" + w.address, "udp:" + w.address}
	}
	var posts []*post
	for _, address := range addresses {
		posts = append(posts, &post{service: w.kind.name, address: address, handler: h, amplifies: w.kind.amplifies})
	}
	return posts
}

// hasNoScheme reports whether an address is a short form that means TCP.
func hasNoScheme(address string) bool {
	a, err := parley.ParseAddr(address)
	return err == nil && a.Scheme == "tcp" && !strings.HasPrefix(address, "tcp:")
}

func makeDaytime(_ *serveVerb, w *wanted) (parley.Handler, error) {
	switch format, given := w.params["format"]; {
	case !given:
		return service.Daytime, nil
	case format == "nist":
		return service.NISTDaytime, nil
	default:
		return nil, usagef("daytime?format=%s: there is only nist", format)
	}
}

// maxQuotesFile is the longest file of quotations, in bytes.
const maxQuotesFile = 16 << 20

func makeQuotes(_ *serveVerb, w *wanted) (parley.Handler, error) {
	name, given := w.params["file"]
	if !given {
		return service.QOTD(nil), nil
	}
	text, err := readLimited(name, maxQuotesFile)
	if err != nil {
		return nil, &localError{"qotd", err}
	}
	quotes, err := service.ReadQuotes(strings.NewReader(string(text)))
	if err != nil {
		return nil, &localError{"qotd: " + name, err}
	}
	return service.QOTD(quotes), nil
}

func makeChat(s *serveVerb, _ *wanted) (parley.Handler, error) {
	out, lost := s.u.output(), 0
	var why error
	chat := &service.Chat{Seen: func(line service.ChatLine) {
		if _, err := fmt.Fprintln(out, line); err != nil {
			if lost == 0 {
				s.journal.Warn("the chat goes on, and cannot be shown", "err", err)
			}
			lost, why = lost+1, err
		}
	}}
	s.atEnd = append(s.atEnd, func() error {
		if lost == 0 {
			return nil
		}
		return &localError{fmt.Sprintf("standard output: %d lines of the chat are lost", lost), why}
	})
	return chat.Handle, nil
}

func makeFiles(s *serveVerb, w *wanted) (parley.Handler, error) {
	files, err := service.Files(w.dir)
	if err != nil {
		return nil, &localError{"files", err}
	}
	files.Log = s.journal.With("service", "files")
	s.rights = s.rights.And(sandbox.ForFiles(w.dir))
	s.atEnd = append(s.atEnd, files.Close)
	return files.Handle, nil
}

func makeExec(s *serveVerb, _ *wanted) (parley.Handler, error) {
	if len(s.command) == 0 {
		return nil, usagef("exec needs a command: parley serve exec=ADDRESS -- COMMAND")
	}
	cmd := &service.Command{Args: s.command, Pty: s.pty, Carry: s.counts()}
	if err := cmd.Check(); err != nil {
		return nil, usageError{err}
	}
	s.runsCommands = true
	return cmd.Exec, nil
}

func serviceNames() string {
	var names []string
	for _, k := range serviceKinds {
		names = append(names, k.name)
	}
	return strings.Join(names, ", ")
}

func completeServices(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, k := range serviceKinds {
		names = append(names, k.name+"\t"+k.summary)
	}
	return names, cobra.ShellCompDirectiveNoSpace
}

// serviceTable is for help.
func serviceTable() string {
	var b strings.Builder
	for _, k := range serviceKinds {
		name := k.name
		if len(k.params) > 0 {
			name += "[?" + strings.Join(k.params, "&") + "]"
		}
		fmt.Fprintf(&b, "  %-22s %5s  %s\n", name, k.address, k.summary)
	}
	return b.String()
}
