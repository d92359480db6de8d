package service

import (
	"strings"
	"testing"
)

func TestCheckName(t *testing.T) {
	tests := []struct{ name, why string }{
		{"ann", ""}, {"Ann-2_b", ""}, {"Zoë", ""}, {"Łukasz", ""}, {"Анна", ""}, {"Ελένη", ""}, {"伊藤", ""}, {"サーバー", ""}, {"ひろ美", ""},
		{"김철수", ""}, {"नेहा", ""}, {"ณัฐ", ""}, {"مريم", ""}, {"שרה", ""}, {strings.Repeat("é", 24), ""},
		{"", "is empty"},
		{strings.Repeat("é", 25), "has 25 characters"},
		{"3", "does not begin with a letter"}, {"-a", "does not begin with a letter"}, {"_", "does not begin with a letter"},
		{"a b", "a space"}, {"a]", "contains ]"}, {"[a", "contains ["}, {"a\tb", `contains \x09`}, {"a\r", `contains \x0d`}, {"a\n", `contains \x0a`},
		{"a\x1b[31m", `contains \x1b`}, {"a\x7f", `contains \x7f`}, {"a\u0085", `contains \u0085`}, {"a\xff", `contains \xff`}, {"a\ufffd", "contains \ufffd"},
		{"a\u200b", `contains \u200b`}, {"a\u202eb", `contains \u202e`}, {"a\ufe0f", `contains \ufe0f`}, {"a\u00a0b", `contains`},
		{"e\u0301", `contains \u0301`}, {"a\u115f", `contains`}, {"\u3164", "contains"}, {"\uff41nn", "contains \uff41"}, {"𝐚𝐧𝐧", "contains 𝐚"}, {"a²", "contains ²"}, {"a٣", "contains ٣"},
		{"🙂", "contains 🙂"}, {"a\u034f", `contains \u034f`}, {"к\u0456\u200dт", `contains \u200d`},
		{"аnn", "mixes letters of two scripts, Cyrillic and Latin"}, {"αnn", "Greek and Latin"}, {"ann伊", "Latin and Han"},
	}
	for _, tt := range tests {
		err := checkName(tt.name)
		if tt.why == "" && err != nil || tt.why != "" && (err == nil || !strings.Contains(err.Error(), tt.why)) {
			t.Errorf("checkName(%q): %v, want %q", tt.name, err, tt.why)
		}
	}
}

func TestCheckOwnName(t *testing.T) {
	tests := []struct{ name, why string }{
		{"guest7", ""}, {"gues", ""}, {"guy", ""},
		{"guest8", "guest's"}, {"GUEST7", "guest's"}, {"Guest", "guest's"}, {"guest-7", "guest's"},
		{"server", "reserved"}, {"5erver", "begin"}, {"R00T", "reserved"}, {"adm1n", "reserved"}, {"YOU", "reserved"},
	}
	for _, tt := range tests {
		err := checkOwnName(tt.name, 7)
		if tt.why == "" && err != nil || tt.why != "" && (err == nil || !strings.Contains(err.Error(), tt.why)) {
			t.Errorf("checkOwnName(%q): %v, want %q", tt.name, err, tt.why)
		}
	}
}

func TestLookalike(t *testing.T) {
	tests := []struct {
		a, b string
		same bool
	}{
		{"ann", "ANN", true}, {"Zoë", "ZOË", true}, {"bill", "b1Il", true}, {"Oslo", "0slo", true}, {"асе", "ace", true}, {"Нора", "hopa", true},
		{"ſam", "sam", true}, {"ann", "anna", false}, {"Анна", "anna", false}, {"bob", "rob", false},
	}
	for _, tt := range tests {
		if got := lookalike(tt.a) == lookalike(tt.b); got != tt.same {
			t.Errorf("%q and %q look alike: %t", tt.a, tt.b, got)
		}
	}
}

func TestNearest(t *testing.T) {
	for name, want := range map[string]string{"nmae": "name", "n": "name", "whoo": "who", "exit": "quit", "shutdown": "", "": "", "jion": "join", "hlep": "help"} {
		if got := nearest(name); got != want {
			t.Errorf("nearest(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestChatList(t *testing.T) {
	if got := wrap("in x: ", nil); got != nil {
		t.Errorf("a list of nothing is %q", got)
	}
	var items []string
	for range 100 {
		items = append(items, strings.Repeat("y", 50))
	}
	lines, n := wrap("in x: ", items), 0
	for _, l := range lines {
		n += strings.Count(l, strings.Repeat("y", 50))
		if len(l) > 400 || !strings.HasPrefix(l, "in x: y") {
			t.Errorf("a line of %d bytes: %q", len(l), l)
		}
	}
	if n != 100 || len(lines) > 20 {
		t.Errorf("%d items in %d lines", n, len(lines))
	}
}

// Names are checked before they are shown, so whatever is allowed must be shown as it is.
func FuzzCheckName(f *testing.F) {
	for _, name := range []string{"ann", "a\x1b[2J", "a] hi", "Zoë", "サーバー", "\u3164", "a\u0301"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		err := checkName(name)
		if err == nil && (chatEscape(name) != name || strings.ContainsAny(name, " []*/\t")) {
			t.Errorf("allowed %q", name)
		}
		if err != nil && chatEscape(err.Error()) != err.Error() {
			t.Errorf("checkName(%q) is not fit to be shown: %q", name, err)
		}
		if err == nil && checkName(foldName(name)) == nil && lookalike(name) != lookalike(foldName(name)) {
			t.Errorf("%q and its lower case do not look alike", name)
		}
	})
}
