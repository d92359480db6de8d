package main

import (
	"errors"
	"fmt"
)

// A row is one comparison: parley in one work, beside one peer or beside a
// number. Rows are what the table and the chart show, and what is kept.
type row struct {
	Work     string  `json:"work"` // and in which respect, where there are several
	Unit     string  `json:"unit"`
	Parley   float64 `json:"parley"`         // median
	Peer     string  `json:"peer,omitempty"` // none: there is only the limit
	Theirs   float64 `json:"theirs,omitempty"`
	Measured spread  `json:"measured"` // parley's over the peer's, round by round; without a peer, parley's own
	Target   string  `json:"target"`   // least, most, or none: the peer is there for comparison
	Limit    float64 `json:"limit"`    // what Measured should reach or not exceed
	Verdict  string  `json:"verdict"`  // one of those below; empty without a target
	Problem  string  `json:"problem,omitempty"`
}

// A target says what a row's measured value should be. Missing one is a
// finding, not a failure: whoever reads the table judges.
type target struct {
	kind  string
	limit float64
}

const (
	least = "least"
	most  = "most"
	none  = "none"

	met         = "met"
	notMet      = "NOT MET"
	notMeasured = "not measured"
)

func atLeast(limit float64) target { return target{least, limit} }
func atMost(limit float64) target  { return target{most, limit} }

// compared is the target of those that are there for comparison only.
func compared() target { return target{kind: none} }

// against sets parley's series beside a peer's.
func against(work, unit string, ours, peer series, t target) row {
	r := row{Work: work, Unit: unit, Peer: peer.name}
	if err := errors.Join(ours.problem, peer.problem); err != nil {
		return r.missing(t, err)
	}
	r.Parley, r.Theirs = spreadOf(ours.figures).Median, spreadOf(peer.figures).Median
	return r.judged(t, ratioOf(ours, peer))
}

// absolute sets parley's series beside the number in the target.
func absolute(work, unit string, ours series, t target) row {
	r := row{Work: work, Unit: unit}
	if ours.problem != nil {
		return r.missing(t, ours.problem)
	}
	measured := spreadOf(ours.figures)
	r.Parley = measured.Median
	return r.judged(t, measured)
}

func (r row) missing(t target, err error) row {
	r.Target, r.Limit, r.Verdict, r.Problem = t.kind, t.limit, notMeasured, err.Error()
	return r
}

// judged judges by the median.
func (r row) judged(t target, measured spread) row {
	r.Target, r.Limit, r.Measured = t.kind, t.limit, measured
	switch {
	case t.kind == none:
	case t.kind == least && measured.Median >= t.limit, t.kind == most && measured.Median <= t.limit:
		r.Verdict = met
	default:
		r.Verdict = notMet
	}
	return r
}

// limitText says the target in a few characters.
func (r row) limitText() string {
	switch r.Target {
	case least:
		return "≥ " + number(r.Limit)
	case most:
		return "≤ " + number(r.Limit)
	}
	return ""
}

// cells are the row as the tables show it, in the order of columns.
func (r row) cells(date string) []string {
	parley, theirs, ratio := number(r.Parley), number(r.Theirs), fmt.Sprintf("%.2f (%.2f to %.2f)", r.Measured.Median, r.Measured.Min, r.Measured.Max)
	if r.Peer == "" {
		theirs, ratio = "", ""
	}
	if r.Verdict == notMeasured {
		parley, theirs, ratio = "-", "-", "-"
	}
	return []string{r.Work, r.Unit, parley, r.Peer, theirs, ratio, r.limitText(), r.Verdict, date}
}
