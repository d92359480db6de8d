package main

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

func figures(name string, all ...float64) series { return series{name: name, figures: all} }

func TestVerdict(t *testing.T) {
	ours, peer := figures("parley", 10, 30, 20), figures("haproxy", 10, 10, 10)
	for _, test := range []struct {
		name string
		row  row
		want string
	}{
		{"at least, reached", against("work", "GB/s", ours, peer, atLeast(2)), met},
		{"at least, missed", against("work", "GB/s", ours, peer, atLeast(2.1)), notMet},
		{"at most, reached", against("work", "s", ours, peer, atMost(2)), met},
		{"at most, missed", against("work", "s", ours, peer, atMost(1.9)), notMet},
		{"no target", against("work", "s", ours, peer, compared()), ""},
		{"a number, reached", absolute("work", "bytes", ours, atMost(20)), met},
		{"a number, missed", absolute("work", "bytes", ours, atMost(19)), notMet},
		{"no peer there", against("work", "s", ours, series{problem: missingError{"haproxy"}}, atMost(1)), notMeasured},
		{"parley fails", absolute("work", "bytes", series{problem: io.EOF}, atMost(1)), notMeasured},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.row.Verdict != test.want {
				t.Errorf("verdict %q, want %q, of %+v", test.row.Verdict, test.want, test.row)
			}
			if cells := test.row.cells("2026-11-21"); len(cells) != len(columns) {
				t.Errorf("%d cells for %d columns", len(cells), len(columns))
			}
		})
	}
}

func TestPick(t *testing.T) {
	all := []series{figures("parley", 9), figures("haproxy", 1, 2, 3), figures("haproxy, nbthread 1", 4, 5, 6)}
	if got := best(all, "haproxy").name; got != "haproxy, nbthread 1" {
		t.Errorf("the best is %s", got)
	}
	if got := cheapest(all, "haproxy").name; got != "haproxy" {
		t.Errorf("the cheapest is %s", got)
	}
	var missing missingError
	if got := best([]series{{name: "haproxy", problem: missingError{"haproxy"}}}, "haproxy"); !errors.As(got.problem, &missing) {
		t.Errorf("the best of a missing program has the problem %v", got.problem)
	}
}

func TestTookPart(t *testing.T) {
	for _, test := range []struct {
		program, contender string
		want               bool
	}{
		{"haproxy", "haproxy, nbthread 1", true},
		{"nc", "ncat", false},
		{"socat", "oittaa/socat", false},
		{"parley", "parley, after an exchange", true},
	} {
		if got := tookPart(test.program, test.contender); got != test.want {
			t.Errorf("%s took part as %q: %v", test.program, test.contender, got)
		}
	}
}

func TestMerge(t *testing.T) {
	kept := results{Machine: "this", Works: []work{{Name: "bytes", Date: "old"}, {Name: "stall", Date: "old"}}}
	fresh := []work{{Name: "relay-tap", Date: "new"}, {Name: "bytes", Date: "new"}}
	for machine, want := range map[string]string{
		"this":    "bytes new, stall old, relay-tap new",
		"another": "bytes new, relay-tap new",
	} {
		dir := t.TempDir()
		if err := kept.merge(machine, slices.Clone(fresh)).save(dir); err != nil {
			t.Fatal(err)
		}
		got, err := load(dir)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, w := range got.Works {
			names = append(names, w.Name+" "+w.Date)
		}
		if text := strings.Join(names, ", "); text != want {
			t.Errorf("on %s machine %s, want %s", machine, text, want)
		}
	}
}

// TestChart: the chart is XML whatever it shows, with a bar for each row that
// has a target and was measured.
func TestChart(t *testing.T) {
	ours, none := figures("parley", 3), figures("parley", 0)
	r := results{Machine: "a <machine> & more", Works: []work{{Name: "bytes", Rows: []row{
		against("work", "GB/s", ours, figures("<peer>", 1), atLeast(2)),
		against("work", "s/GB", ours, figures("peer", 2), atMost(1)),
		against("work", "s/GB", ours, figures("peer", 2), compared()),
		against("work", "s/GB", ours, series{problem: io.EOF}, atMost(1)),
		absolute("work", "bytes", ours, atMost(4)),
		absolute("broken", "lines", none, atMost(0)),
	}}}}
	text := chart(r)
	bars := 0
	for tokens := xml.NewDecoder(strings.NewReader(text)); ; {
		token, err := tokens.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		element, is := token.(xml.StartElement)
		if is && element.Name.Local == "rect" && slices.ContainsFunc(element.Attr, func(a xml.Attr) bool { return a.Name.Local == "class" }) {
			bars++
		}
	}
	if bars != 3 {
		t.Errorf("%d bars, want 3, in\n%s", bars, text)
	}
}

func TestReadIperf(t *testing.T) {
	bytes, seconds, err := readIperf(`{"end":{"sum_sent":{"bytes":9,"seconds":1},"sum_received":{"bytes":8,"seconds":2}}}`)
	if bytes != 8 || seconds != 2 || err != nil {
		t.Errorf("%v bytes, %v s, %v", bytes, seconds, err)
	}
	for _, said := range []string{`{"error":"unable to connect"}`, `{"end":{}}`, `iperf3: error`, ``} {
		if _, _, err := readIperf(said); err == nil {
			t.Errorf("%q is no error", said)
		}
	}
}
