package sock

import (
	"slices"
	"strings"

	"parley/internal/nearest"
)

// CheckParams rejects what a scheme does not know, so that no param is dropped silently.
func CheckParams(scheme string, known []Param, given Params) error {
	for name := range given {
		if !slices.ContainsFunc(known, func(p Param) bool { return p.Name == name }) {
			return unknownParam(scheme, known, name)
		}
	}
	return nil
}

func unknownParam(scheme string, known []Param, name string) error {
	if len(known) == 0 {
		return Mistake("unknown param %q; %s addresses know none", name, scheme)
	}
	var names []string
	for _, p := range known {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	hint := ";"
	if like := nearest.Word(name, names); like != "" {
		hint = ", did you mean " + like + "?"
	}
	return Mistake("unknown param %q%s %s addresses know %s", name, hint, scheme, strings.Join(names, ", "))
}
