package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A contender is one way of doing the work of a benchmark.
type contender struct {
	name  string
	setup func(context.Context) error            // build or find it; nil means nothing to do
	run   func(context.Context) (float64, error) // do the work once and return the figure
	keep  func()                                 // the last figure counts, so keep what was noted besides it; nil means nothing was
	limit time.Duration                          // how long a run may take; 0 means patience
}

// A series is the figures of one contender, one for each counted round.
type series struct {
	name      string
	figures   []float64
	disturbed int   // how many of them were taken on a busy machine
	problem   error // why there are no figures
}

func (s *series) add(figure float64, disturbed bool) {
	s.figures = append(s.figures, figure)
	if disturbed {
		s.disturbed++
	}
}

// interleave lets the contenders do the work in turn, A B C A B C and so on,
// so that a slow minute of the machine hits all of them. The first round warms
// up and is not counted. A contender that fails is left out from then on, with
// its problem; the others go on.
func (l *lab) interleave(ctx context.Context, contenders []contender) ([]series, error) {
	all := make([]series, len(contenders))
	for i, c := range contenders {
		all[i].name = c.name
		if c.setup != nil {
			all[i].problem = c.setup(ctx)
		}
	}
	for round := range l.rounds + 1 {
		for i, c := range contenders {
			if all[i].problem != nil {
				continue
			}
			figure, disturbed, err := undisturbed(ctx, c)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				all[i].problem = err
			} else if round > 0 {
				all[i].add(figure, disturbed)
				if c.keep != nil {
					c.keep()
				}
			}
			l.progress("round %d of %d: %s %.4g", round, l.rounds, c.name, figure)
		}
	}
	return all, nil
}

func once(ctx context.Context, c contender) (float64, error) {
	limit := cmp.Or(c.limit, patience)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("%s took longer than %v", c.name, limit))
	defer cancel()
	figure, err := c.run(ctx)
	err = errors.Join(err, awaitOrphans(ctx))
	if err != nil && ctx.Err() != nil {
		return 0, errors.Join(context.Cause(ctx), err)
	}
	return figure, err
}

// ok says whether s has a figure for every round.
func (s series) ok() bool { return s.problem == nil && len(s.figures) > 0 }

// find returns the series called name.
func find(all []series, name string) series {
	for _, s := range all {
		if s.name == name {
			return s
		}
	}
	return series{name: name, problem: fmt.Errorf("%s did not take part", name)}
}

// best returns the series with the highest median among those whose names
// begin with prefix: a peer that can be set up in several ways is judged by
// the one that suits it.
func best(all []series, prefix string) series {
	return pick(all, prefix, func(median, chosen float64) bool { return median > chosen })
}

// cheapest is best where the figures are costs.
func cheapest(all []series, prefix string) series {
	return pick(all, prefix, func(median, chosen float64) bool { return median < chosen })
}

func pick(all []series, prefix string, better func(median, chosen float64) bool) series {
	chosen := series{name: prefix, problem: fmt.Errorf("no %s took part", prefix)}
	for _, s := range all {
		switch {
		case !strings.HasPrefix(s.name, prefix):
		case !s.ok() && !chosen.ok():
			chosen.problem = s.problem // says more than that nobody took part
		case s.ok() && (!chosen.ok() || better(spreadOf(s.figures).Median, spreadOf(chosen.figures).Median)):
			chosen = s
		}
	}
	return chosen
}

// A spread is what several rounds came to.
type spread struct {
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

func spreadOf(figures []float64) spread {
	sorted := slices.Sorted(slices.Values(figures))
	n := len(sorted)
	return spread{sorted[0], (sorted[(n-1)/2] + sorted[n/2]) / 2, sorted[n-1]}
}

// ratioOf is the spread of a's figures over b's, round by round.
func ratioOf(a, b series) spread {
	ratios := make([]float64, len(a.figures))
	for i := range ratios {
		ratios[i] = a.figures[i] / b.figures[i]
	}
	return spreadOf(ratios)
}
