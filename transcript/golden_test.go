package transcript

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

func at(clock string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05.999999", "2026-03-01 "+clock)
	if err != nil {
		panic(err)
	}
	return t
}

// golden is what testdata/lines.jsonl holds, line by line.
var golden = []Line{
	Hello{Time: at("10:12:06"), Program: "parley 0.4", Verb: "relay", Address: []string{"2525", "mail:25"}},
	Opened{
		Time: at("10:12:07.113"), Call: 17,
		Ends: []End{
			{Role: "client", Addr: "10.0.0.7:51234"},
			{Role: "server", Addr: "mail:25", PID: 17334, Name: "smtpd"},
		},
		Formats: map[string]string{"client": "crlf", "server": "crlf"}, Script: "smtp.parley",
	},
	Frame{
		Time: at("10:12:07.200001"), Call: 17, N: 2, Role: "client", Bytes: 23,
		Data: []byte("EHLO sender.example.net"), Part: true,
	},
	Frame{
		Time: at("10:12:07.20045"), Call: 17, N: 2, Role: "client", Bytes: 25,
		Data: []byte("EHLO sender.example.net"), End: "crlf", Line: 16,
	},
	Frame{
		Heard: true, Time: at("10:12:07.204"), Call: 17, N: 3, Role: "server", Bytes: 10,
		Data: []byte(`250 "hi"`), End: "crlf",
	},
	Frame{
		Time: at("10:12:08"), Call: 17, N: 9, Role: "client", Bytes: 1048576, Clipped: true,
		Data: []byte{0x00, 0xff, 0x10, 0x82}, End: "count", By: "page",
	},
	Frame{Time: at("10:12:08.0001"), Call: 17, N: 10, Role: "client"},
	Frame{
		Heard: true, Time: at("10:12:08.0002"), Call: 17, N: 11, Role: "server", Bytes: 37,
		Data: []byte("tab\tcr\rlf\n<&> \\ ü 日本 😀 \u2028\u2029"), End: "close",
	},
	HalfClosed{Time: at("10:12:09"), Call: 17, Role: "client"},
	Closed{Time: at("10:12:09.5"), Call: 17, Role: "server", How: HowReset, Untaken: 214},
	Lost{Time: at("10:12:10"), Call: 17, From: 4801, Count: 212, Bytes: 91220, Why: "queue full"},
	Verdict{
		Time: at("10:13:08"), Call: 17, Code: "BOTH LISTEN", Confidence: "certain", Since: at("10:12:07"),
		Says:  "Each waits for the other to speak.",
		Facts: json.RawMessage(`{"client":{"wants":"read","unread":0},"server":{"wants":"read","unread":0}}`),
	},
	Violation{
		Time: at("10:12:07.3"), Call: 17, N: 15, Role: "client",
		Allowed: []Allowed{{Line: 20, Text: "MAIL FROM:<…>"}, {Line: 43, Text: "RSET"}},
		Because: Because{N: 14, Line: 40},
	},
	Closed{Time: time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)},
}

func goldenText(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/lines.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	return lines[:len(lines)-1]
}

func TestGoldenWrite(t *testing.T) {
	want := goldenText(t)
	if len(want) != len(golden) {
		t.Fatalf("the file has %d lines, the test %d", len(want), len(golden))
	}
	for i, l := range golden {
		if got := written(t, l); got != want[i] {
			t.Errorf("line %d\n got %s\nwant %s", i+1, got, want[i])
		}
	}
}

func TestGoldenRead(t *testing.T) {
	lines, errs := readAll(strings.Join(goldenText(t), ""))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if len(lines) != len(golden) {
		t.Fatalf("read %d lines, want %d", len(lines), len(golden))
	}
	for i, got := range lines {
		if !reflect.DeepEqual(got, golden[i]) {
			t.Errorf("line %d\n got %#v\nwant %#v", i+1, got, golden[i])
		}
	}
}

// TestDocs keeps the examples of docs/transcript.md true: each is read, and written again byte for byte.
func TestDocs(t *testing.T) {
	doc, err := os.ReadFile("../docs/transcript.md")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for line := range strings.Lines(string(doc)) {
		if !strings.HasPrefix(line, `{"v":1,`) {
			continue
		}
		lines, errs := readAll(line)
		if len(errs) > 0 || len(lines) != 1 {
			t.Errorf("%s: read %d lines, errors %v", line, len(lines), errs)
			continue
		}
		if got := written(t, lines[0]); got != line {
			t.Errorf("the page says %swritten again   %s", line, got)
		}
		kinds[reflect.TypeOf(lines[0]).Name()] = true
	}
	for _, l := range golden {
		if name := reflect.TypeOf(l).Name(); !kinds[name] {
			t.Errorf("docs/transcript.md has no example of a %s line", name)
		}
	}
}

func written(t testing.TB, lines ...Line) string {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out)
	for _, l := range lines {
		if err := w.Write(l); err != nil {
			t.Fatalf("%#v: %v", l, err)
		}
	}
	return out.String()
}

func readAll(text string) (lines []Line, errs []error) {
	for l, err := range NewReader(strings.NewReader(text)).Lines() {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		lines = append(lines, l)
	}
	return lines, errs
}
