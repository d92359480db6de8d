package parley

import "parley/internal/sock"

// An Addr is a parsed address: Scheme, Target (as the scheme's Syntax says) and Params by name. Its String is understood
// by ParseAddr.
type Addr = sock.Addr

// ParseAddr parses an address or one of its short forms, by the registered schemes. It does not look up names.
func ParseAddr(s string) (Addr, error) {
	a, err := parseAddr(s, Schemes())
	if err != nil {
		return Addr{}, &Error{"parse", s, err}
	}
	return a, nil
}

func parseAddr(s string, allowed []Scheme) (Addr, error) {
	return sock.ParseAddr(s, schemeNames(Schemes()), schemeNames(allowed))
}
