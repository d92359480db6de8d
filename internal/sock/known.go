package sock

import (
	"slices"
	"strings"
)

// CheckParams rejects what a scheme does not know, so that no param is dropped silently.
func CheckParams(scheme string, known []Param, given Params) error {
	for name := range given {
		if !slices.ContainsFunc(known, func(p Param) bool { return p.Name == name }) {
			return Mistake("unknown param %q; %s addresses know %s", name, scheme, paramNames(known))
		}
	}
	return nil
}

func paramNames(known []Param) string {
	if len(known) == 0 {
		return "none"
	}
	var names []string
	for _, p := range known {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
