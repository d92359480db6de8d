package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"parley"
	"parley/frame"
	"parley/internal/sock"
	"parley/relay"
)

// prepare makes the Relay that the flags ask for.
func (v *relayVerb) prepare(cmd *cobra.Command) error {
	balance, err := relay.ParseBalance(v.balance)
	if err != nil {
		return usageError{fmt.Errorf("--balance: %w", err)}
	}
	for _, d := range []struct {
		flag     string
		negative bool
	}{
		{"--connect-timeout", v.connectTimeout < 0}, {"--retry-for", v.retryFor < 0}, {"--probe-every", v.probeEvery < 0},
		{"--max-frame", v.maxFrame < 0}, {"--patience", v.patience < 0},
	} {
		if d.negative {
			return usagef("%s: it must be 0 or more", d.flag)
		}
	}
	if v.sniffWithin <= 0 {
		return usagef("--sniff-within: it must be more than 0")
	}
	v.relay = &relay.Relay{
		Targets: splitTargets(v.b), Balance: balance, Dial: v.dialTarget, RetryFor: v.retryFor, ProbeEvery: v.probeEvery,
		SniffWithin: v.sniffWithin, Joined: v.joined, Ended: v.ended,
		DialTimeout: v.connectTimeout,
	}
	if v.connectTimeout == 0 {
		v.relay.DialTimeout = -1
	}
	v.targets = slices.Clone(v.relay.Targets)
	for _, text := range v.routes {
		route, err := relay.ParseRoute(text)
		if err != nil {
			return usageError{fmt.Errorf("--%w", err)}
		}
		v.relay.Routes = append(v.relay.Routes, route)
		v.targets = append(v.targets, route.Targets...)
	}
	if _, err := parley.ParseAddr(v.a); err != nil {
		return usageError{err}
	}
	for _, address := range v.targets {
		if err := v.checkTarget(address); err != nil {
			return usageError{fmt.Errorf("dial %s: %w", address, err)}
		}
	}
	v.runsCommands = slices.ContainsFunc(v.targets, func(b string) bool { return schemeOf(b) == "exec" })
	if err := v.readFormats(); err != nil {
		return err
	}
	v.configs = map[string]*parley.Config{}
	for _, address := range v.targets {
		_, f := v.formats(address)
		v.configs[address] = &parley.Config{Frame: f.say, HearFrame: f.hear, MaxFrame: v.limit()}
	}
	return v.readFaults(cmd)
}

// checkTarget finds mistakes in an address before anybody is sent there.
func (v *relayVerb) checkTarget(address string) error {
	a, err := parley.ParseAddr(address)
	if err != nil {
		return err
	}
	all := parley.Schemes()
	i := slices.IndexFunc(all, func(s parley.Scheme) bool { return s.Name == a.Scheme })
	if i < 0 {
		return nil // the dial will tell what there is
	}
	port, isNumber := portOfTarget(a.Target)
	switch s := all[i]; {
	case s.Dial == nil:
		return fmt.Errorf("%s addresses cannot be called", s.Name)
	case a.Target == "" && s.Name == "exec":
		return errors.New("which command? write exec:COMMAND ARGS")
	case s.Syntax == "HOST:PORT" && isNumber && port == 0:
		return errors.New("port 0 can be listened on, not called")
	case a.Scheme == "stdio" && schemeOf(v.a) == "stdio":
		return errors.New("standard input is a conversation's already: the other end")
	case v.reads(a):
		return errors.New("that is the file that is read; write another")
	case s.Syntax == "HOST:PORT":
		if err := checkPlace(a); err != nil {
			return err
		}
		fallthrough
	default:
		return sock.CheckParams(s.Name, s.Params, a.Params)
	}
}

// reads reports whether A is the very file, or named pipe, of another address: it would hear what is said to it, and never end.
func (v *relayVerb) reads(b parley.Addr) bool {
	if b.Scheme != "file" && b.Scheme != "pipe" {
		return false
	}
	there, err := os.Stat(b.Target)
	if err != nil {
		return false
	}
	a, err := parley.ParseAddr(v.a)
	if err != nil {
		return false
	}
	var here os.FileInfo
	switch a.Scheme {
	case "stdio":
		here, err = v.u.in.Stat()
	case "file", "pipe":
		here, err = os.Stat(a.Target)
	default:
		return false
	}
	return err == nil && os.SameFile(here, there)
}

// checkPlace finds what can be no host and port. A name that is not known, or not soon, may be so later.
func checkPlace(a parley.Addr) error {
	ctx, cancel := context.WithTimeout(context.Background(), lookupPatience)
	defer cancel()
	network := a.Scheme
	if network == "tls" {
		network = "tcp"
	}
	_, err := sock.Places(ctx, network, a.Target)
	if mistake := (*parley.AddressError)(nil); errors.As(err, &mistake) {
		return err
	}
	return nil
}

// splitTargets takes the addresses apart. Those of commands and of files have commas of their own.
func splitTargets(b string) []string {
	if isLocalScheme(schemeOf(b)) {
		return []string{b}
	}
	var targets []string
	for piece := range strings.SplitSeq(b, ",") {
		if n := len(targets); n > 0 && !beginsAddress(targets[n-1], piece) {
			targets[n-1] += "," + piece
			continue
		}
		targets = append(targets, piece)
	}
	return targets
}

// beginsAddress reports whether what follows a comma is an address of its own, and not the rest of a param or of a path. After
// a param only what begins with a scheme is one: values have colons too, as pins do.
func beginsAddress(before, piece string) bool {
	name, _, hasColon := strings.Cut(piece, ":")
	isScheme := hasColon && slices.ContainsFunc(parley.Schemes(), func(s parley.Scheme) bool { return s.Name == name })
	switch {
	case isScheme || piece == "":
		return true
	case strings.Contains(before, "?") || isLocalScheme(schemeOf(before)):
		return false
	}
	return hasColon || strings.ContainsAny(piece[:1], "/.@") || strings.Trim(piece, "0123456789") == ""
}

func schemeOf(address string) string {
	a, err := parley.ParseAddr(address)
	if err != nil {
		return ""
	}
	return a.Scheme
}

func isLocalScheme(name string) bool {
	return slices.Contains([]string{"stdio", "file", "fd", "exec", "pty", "pipe"}, name)
}

// listens reports whether A has callers.
func (v *relayVerb) listens() bool {
	if v.call {
		return false
	}
	name := schemeOf(v.a)
	return !slices.ContainsFunc(parley.Schemes(), func(s parley.Scheme) bool { return s.Name == name && s.Listen == nil })
}

// readFaults parses --fault; a seed that nobody has chosen is told, so that the faults can be had again.
func (v *relayVerb) readFaults(cmd *cobra.Command) (err error) {
	if len(v.faults) == 0 {
		if cmd.Flags().Changed("seed") {
			return usagef("--seed is for --fault, and there is none")
		}
		return nil
	}
	chosen := cmd.Flags().Changed("seed")
	if !chosen {
		v.seed = uint64(time.Now().UnixNano()) % 1_000_000
	}
	o := &v.relay.Options
	if o.AtoB, o.BtoA, err = relay.ParseFaults(strings.Join(v.faults, ";"), v.seed); err != nil {
		return usageError{fmt.Errorf("--fault: %w", err)}
	}
	frames := o.Frames || isDatagram(v.a) && slices.ContainsFunc(v.targets, isDatagram)
	if err := cmp.Or(o.AtoB.Check(frames), o.BtoA.Check(frames)); err != nil {
		return usageError{fmt.Errorf("--fault: %w; --frame makes frames of bytes", err)}
	}
	if !chosen {
		v.u.note("the faults can be had again with --seed %d", v.seed)
	}
	return nil
}

// framesOf are the formats of one end.
type framesOf struct{ say, hear frame.Format }

// readFormats parses --frame and --frame-b. Where they are not given messages matter only between datagrams and streams.
func (v *relayVerb) readFormats() error {
	for _, f := range []struct{ flag, text string }{{"--frame", v.frame}, {"--frame-b", v.frameB}} {
		if f.text == "" {
			continue
		}
		if _, err := frame.Parse(f.text); err != nil {
			return usageError{fmt.Errorf("%s: %w", f.flag, err)}
		}
		v.framed = true
	}
	v.relay.Options.Frames = v.framed
	if isDatagram(v.a) && len(v.routes) > 0 {
		return usagef("--route looks at what TLS callers say first, and %s has datagrams", v.a)
	}
	if v.framed && len(v.routes) > 0 {
		return usagef("--route looks at bytes that cannot be passed on as messages afterwards: leave out --frame or --route")
	}
	return nil
}

// formatOf returns how the messages of one end are said and heard; flag is the format asked for it. nil is what suits the
// transport. Between a stream and datagrams each line of a datagram is a line of the stream, and each line of the stream a
// datagram without its end.
func (v *relayVerb) formatOf(flag string, datagrams, others bool) framesOf {
	if datagrams && others && !v.framed {
		return framesOf{}
	}
	f, _ := frame.Parse(cmp.Or(flag, v.frame, "line")) // readFormats has found mistakes
	if !datagrams || others || flag != "" {
		return framesOf{f, f}
	}
	if slices.Contains([]frame.Format{frame.Line(), frame.LF(), frame.CRLF(), frame.NUL()}, f) {
		return framesOf{frame.Packet(), f}
	}
	return framesOf{frame.Packet(), frame.Packet()}
}

// formatsOfTap are how the messages end that the tap is given whole; without --frame it is given bytes.
func (v *relayVerb) formatsOfTap() (f [2]frame.Format) {
	if v.framed {
		a, b := v.formats(v.targets[0])
		f = [2]frame.Format{a.hear, b.hear}
	}
	return f
}

// formats returns those of A, and of a target.
func (v *relayVerb) formats(target string) (ofA, ofB framesOf) {
	a, b := isDatagram(v.a), isDatagram(target)
	return v.formatOf("", a, b), v.formatOf(v.frameB, b, a)
}
