package parley

import (
	"maps"
	"slices"
	"strings"

	"parley/internal/sock"
)

// An Addr is a parsed address: scheme://target?params.
type Addr struct {
	Scheme string
	Target string            // as the scheme's Syntax says
	Params map[string]string // nil if there are none
}

// ParseAddr parses an address or one of its short forms, by the registered schemes. It does not look up names.
func ParseAddr(s string) (Addr, error) {
	a, err := parseAddr(s, Schemes())
	if err != nil {
		return Addr{}, &Error{"parse", s, err}
	}
	return a, nil
}

// String returns the address in the form that ParseAddr understands: scheme:target?params.
func (a Addr) String() string {
	var b strings.Builder
	switch {
	case a.Scheme == "stdio" && a.Target == "":
		b.WriteString("-") // which is understood where the scheme is not registered, too
	case strings.HasPrefix(a.Target, "//"):
		b.WriteString(a.Scheme + "://" + escaper.Replace(a.Target))
	default:
		b.WriteString(a.Scheme + ":" + escaper.Replace(a.Target))
	}
	sep := "?"
	for _, name := range slices.Sorted(maps.Keys(a.Params)) {
		b.WriteString(sep + name)
		if v := a.Params[name]; v != "" {
			b.WriteString("=" + escaper.Replace(v))
		}
		sep = "&"
	}
	return b.String()
}

func parseAddr(s string, schemes []Scheme) (Addr, error) {
	if s == "" {
		return Addr{}, sock.Mistake("empty address; write for example 7070, host:7070, /path or tls:host:443")
	}
	a := Addr{}
	rest, query, hasQuery := strings.Cut(s, "?")
	switch name, target, ok := cutScheme(rest, schemes); {
	case ok:
		a.Scheme, a.Target = name, target
	case strings.Contains(rest, "://"):
		return Addr{}, sock.Mistake("unknown scheme %q; there are %s", rest[:strings.Index(rest, "://")], schemeNames(schemes))
	case rest == "-":
		a.Scheme, a.Target = "stdio", ""
	case rest != "" && strings.ContainsRune("/.@", rune(rest[0])):
		a.Scheme, a.Target = "unix", rest
	default:
		a.Scheme, a.Target = "tcp", rest
	}
	a.Target = unescaper.Replace(a.Target)
	var err error
	if hasQuery {
		a.Params, err = parseParams(query)
	}
	return a, err
}

// cutScheme takes a known scheme's name off the front: "tcp://x" and "tcp:x" alike. One that is registered but not among
// those allowed is known too, or udp:7070 would be port 7070 of a host called udp.
func cutScheme(s string, schemes []Scheme) (name, target string, ok bool) {
	name, target, ok = strings.Cut(s, ":")
	named := func(k Scheme) bool { return k.Name == name }
	if !ok || !slices.ContainsFunc(schemes, named) && !slices.ContainsFunc(Schemes(), named) {
		return "", "", false
	}
	return name, strings.TrimPrefix(target, "//"), true
}

func parseParams(query string) (map[string]string, error) {
	params := map[string]string{}
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name == "" {
			return nil, sock.Mistake("param without a name in %q; write ?name=value&name=value", query)
		}
		if _, twice := params[name]; twice {
			return nil, sock.Mistake("param %q is there twice", name)
		}
		params[name] = unescaper.Replace(value)
	}
	return params, nil
}

// escapes are the characters that would end a target or a value. Other percent signs stand for themselves: an IPv6 zone
// is written fe80::1%eth0, or %25eth0 as RFC 6874 has it.
var (
	escaper   = strings.NewReplacer("%", "%25", "?", "%3F", "&", "%26")
	unescaper = strings.NewReplacer("%25", "%", "%3F", "?", "%3f", "?", "%26", "&")
)
