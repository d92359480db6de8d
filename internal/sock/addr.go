package sock

import (
	"maps"
	"slices"
	"strings"
)

// An Addr is a parsed address: scheme://target?params.
type Addr struct {
	Scheme string
	Target string            // as the scheme's Syntax says
	Params map[string]string // nil if there are none
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

// ParseAddr parses s, by the names of the schemes that are known and of those that are allowed.
func ParseAddr(s string, known, allowed []string) (Addr, error) {
	if s == "" {
		return Addr{}, Mistake("empty address; write for example 7070, host:7070, /path or tls:host:443")
	}
	a := Addr{}
	rest, query, hasQuery := strings.Cut(s, "?")
	switch name, target, ok := cutScheme(rest, known, allowed); {
	case ok:
		a.Scheme, a.Target = name, target
	case strings.Contains(rest, "://"):
		return Addr{}, Mistake("unknown scheme %q; there are %s", rest[:strings.Index(rest, "://")], strings.Join(allowed, ", "))
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

// cutScheme takes a scheme's name off the front: "tcp://x" and "tcp:x" alike. One that is known but not allowed is taken too,
// or udp:7070 would be port 7070 of a host called udp.
func cutScheme(s string, known, allowed []string) (name, target string, ok bool) {
	name, target, ok = strings.Cut(s, ":")
	if !ok || !slices.Contains(known, name) && !slices.Contains(allowed, name) {
		return "", "", false
	}
	return name, strings.TrimPrefix(target, "//"), true
}

func parseParams(query string) (map[string]string, error) {
	params := map[string]string{}
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name == "" {
			return nil, Mistake("param without a name in %q; write ?name=value&name=value", query)
		}
		if _, twice := params[name]; twice {
			return nil, Mistake("param %q is there twice", name)
		}
		params[name] = unescaper.Replace(value)
	}
	return params, nil
}

// What is escaped are the characters that would end a target or a value. Other percent signs stand for themselves: an IPv6 zone
// is written fe80::1%eth0, or %25eth0 as RFC 6874 has it.
var (
	escaper   = strings.NewReplacer("%", "%25", "?", "%3F", "&", "%26")
	unescaper = strings.NewReplacer("%25", "%", "%3F", "?", "%3f", "?", "%26", "&")
)
