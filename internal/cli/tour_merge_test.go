package cli

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/transcript"
)

// told makes a transcript of one conversation, of lines such as "3 said client: hello" and "4 end server": the time in
// milliseconds, what happened, who spoke.
func told(t *testing.T, lines ...string) *telling {
	t.Helper()
	out := []transcript.Line{transcript.Opened{Call: 1, Ends: []transcript.End{{Role: "server", Addr: "127.0.0.1:7070"}}}}
	for _, line := range lines {
		var ms int
		var kind, role string
		head, text, _ := strings.Cut(line, ": ")
		if _, err := fmt.Sscan(head, &ms, &kind, &role); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		at := time.UnixMilli(int64(ms))
		switch kind {
		case "said", "heard", "part":
			out = append(out, transcript.Frame{
				Time: at, Call: 1, Role: role, Heard: kind != "said", Part: kind == "part",
				Data: []byte(text), Bytes: int64(len(text) + 1), End: "line",
			})
		case "end":
			out = append(out, transcript.HalfClosed{Time: at, Call: 1, Role: role})
		case "closed":
			out = append(out, transcript.Closed{Time: at, Call: 1, Role: role, How: text})
		default:
			t.Fatalf("%q: what is %q?", line, kind)
		}
	}
	return tellings(out)[0]
}

// words tells arrows as "client hello" and "server end", with what is wrong behind.
func words(all []arrow) (out []string) {
	for _, a := range all {
		text := a.from + " " + string(a.text)
		if a.end {
			text = a.from + " end"
		}
		if why := a.loss(); why != "" {
			text += " (" + why + ")"
		}
		out = append(out, text)
	}
	return out
}

func TestTourMergesTwoTellings(t *testing.T) {
	tests := []struct {
		name           string
		client, server []string
		want           []string
	}{
		{
			"said before heard",
			[]string{"1 said client: ask", "4 heard server: reply"},
			[]string{"2 heard client: ask", "3 said server: reply"},
			[]string{"client ask", "server reply"},
		},
		{
			"the hearer was quicker to tell than the speaker",
			[]string{"5 said client: ask", "6 heard server: reply"},
			[]string{"2 heard client: ask", "4 said server: reply"},
			[]string{"client ask", "server reply"},
		},
		{
			"a clock too coarse to tell before from after",
			[]string{"1 said client: a", "1 heard server: A", "1 said client: b", "1 heard server: B", "1 end server"},
			[]string{"1 heard client: a", "1 said server: A", "1 heard client: b", "1 said server: B", "1 end server"},
			[]string{"client a", "server A", "client b", "server B", "server end"},
		},
		{
			"a server that speaks first, by a coarse clock",
			[]string{"1 heard server: welcome", "1 said client: thanks"},
			[]string{"1 said server: welcome", "1 heard client: thanks"},
			[]string{"server welcome", "client thanks"},
		},
		{
			"a message that ends with the close is heard after the end",
			[]string{"3 end server", "4 heard server: time", "5 end client"},
			[]string{"1 said server: time", "2 end server", "6 end client"},
			[]string{"server time", "server end", "client end"},
		},
		{
			"both speak at once",
			[]string{"1 said client: a", "4 heard server: A"},
			[]string{"2 said server: A", "3 heard client: a"},
			[]string{"client a", "server A"},
		},
		{
			"a clock set back in the middle",
			[]string{"9 said client: a", "2 said client: b"},
			[]string{"9 heard client: a", "3 heard client: b"},
			[]string{"client a", "client b"},
		},
		{
			"an end that only the close said",
			[]string{"1 said client: a"},
			[]string{"2 heard client: a", "3 end client"},
			[]string{"client a", "client end"},
		},
		{
			"lost",
			[]string{"1 said client: a", "2 said client: b", "3 end client"},
			[]string{"2 heard client: a"},
			[]string{"client a", "client b (was said, but not heard)", "client end (was said, but not heard)"},
		},
		{
			"heard in part",
			[]string{"1 said client: hello"},
			[]string{"2 part client: hel"},
			[]string{"client hello (was said, but not heard)"},
		},
		{
			"heard from nowhere",
			[]string{"2 heard server: b"},
			nil,
			[]string{"server b (was heard, but not said)"},
		},
		{
			"changed on the way",
			[]string{"1 said client: a"},
			[]string{"2 heard client: b"},
			[]string{"client a (was heard otherwise than it was said)"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := words(arrows(0, told(t, tt.client...), told(t, tt.server...)))
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n %s\nwant\n %s", strings.Join(got, "\n "), strings.Join(tt.want, "\n "))
			}
		})
	}
}

func TestTourMergeWithoutOneEnd(t *testing.T) {
	got := words(arrows(0, told(t, "1 said client: a", "2 heard server: b"), nil))
	want := []string{"client a (was said, but not heard)", "server b (was heard, but not said)"}
	if !slices.Equal(got, want) {
		t.Errorf("without the server: got %q, want %q", got, want)
	}
	got = words(arrows(0, nil, told(t, "1 heard client: a", "2 said server: b")))
	want = []string{"client a (was heard, but not said)", "server b (was said, but not heard)"}
	if !slices.Equal(got, want) {
		t.Errorf("without the client: got %q, want %q", got, want)
	}
}

func TestTourPairsConversationsByWhatIsSaid(t *testing.T) {
	anna := told(t, "1 said client: anna", "2 said client: bye")
	ben := told(t, "1 said client: ben", "2 said client: bye")
	lost := told(t, "1 said client: cleo")
	heardBen := told(t, "1 heard client: ben", "2 heard client: bye")
	heardAnna := told(t, "1 heard client: anna", "2 heard client: bye")
	other := told(t, "1 heard client: who?")
	tests := []struct {
		name             string
		clients, servers []*telling
		want             []*telling
		strangers        int
	}{
		{"in another order", []*telling{anna, ben}, []*telling{heardBen, heardAnna}, []*telling{heardAnna, heardBen}, 0},
		{"one is left over at either end", []*telling{lost, anna}, []*telling{heardAnna, other}, []*telling{other, heardAnna}, 0},
		{"nobody heard it", []*telling{anna}, nil, []*telling{nil}, 0},
		{"a stranger", []*telling{anna}, []*telling{other, heardAnna}, []*telling{heardAnna}, 1},
	}
	for _, tt := range tests {
		pairs, strangers := pair(tt.clients, tt.servers)
		if !slices.Equal(pairs, tt.want) || strangers != tt.strangers {
			t.Errorf("%s: got %v and %d strangers, want %v and %d", tt.name, pairs, strangers, tt.want, tt.strangers)
		}
	}
}

func TestTourNoticesLosses(t *testing.T) {
	c := &classic{callers: []part{{}}}
	good := told(t, "1 said client: a", "2 closed client: clean")
	tests := []struct {
		name   string
		client *telling
		server *telling
		want   string // empty: nothing is lost
	}{
		{"nothing", good, told(t, "1 heard client: a", "2 closed server: clean"), ""},
		{"a datagram has no close", good, told(t, "1 heard client: a"), ""},
		{"a message", good, told(t, "2 closed server: clean"), `the client's message "a" was said, but not heard`},
		{"the end of the server", good, told(t, "1 heard client: a", "2 closed server: reset"), "ended as reset"},
	}
	for _, tt := range tests {
		p := &picture{talks: []talk{{}}, arrows: arrows(0, tt.client, tt.server)}
		err := p.losses(c, []*telling{tt.client, tt.server}, 0)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
	if err := new(picture).losses(c, nil, 0); err == nil {
		t.Error("a caller that tells nothing is not noticed")
	}
	if err := (&picture{talks: []talk{{}}}).losses(c, nil, 1); err == nil {
		t.Error("a stranger is not noticed")
	}
}

func TestTourDrawsWhatWasOnTheWire(t *testing.T) {
	tests := []struct {
		text, format string
		bytes        int64
		want         string
	}{
		{"GET / HTTP/1.0", "crlf blank line", 18, "GET / HTTP/1.0\r\n\r\n"},
		{"a\nb", `end "END"`, 8, "a\nb\nEND\n"},
		{"a\nb", `end "END"`, 99, "a\nb"}, // not what the transcript says: no end mark is made up
		{"a", "line", 2, "a\n"},
		{"a", "no such format", 2, "a"},
		{"a\r\n", "until close", 3, "a\r\n"},
	}
	for _, tt := range tests {
		if got := wireOf(transcript.Frame{Data: []byte(tt.text), End: tt.format, Bytes: tt.bytes}); string(got) != tt.want {
			t.Errorf("%q as %s: got %q, want %q", tt.text, tt.format, got, tt.want)
		}
	}
}
