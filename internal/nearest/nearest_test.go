package nearest

import "testing"

func TestWord(t *testing.T) {
	known := []string{"backlog", "from", "keepalive", "linger", "nodelay", "ttl"}
	for given, want := range map[string]string{
		"nodealy": "nodelay", "tll": "ttl", "t": "", "keepaliv": "keepalive", "form": "from", "lingre": "linger",
		"backlogs": "backlog", "verify": "", "": "", "ttl": "ttl", "kepalvie": "keepalive",
	} {
		if got := Word(given, known); got != want {
			t.Errorf("%q: got %q, want %q", given, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "nul", 3}, {"line", "line", 0}, {"lien", "line", 1}, {"clrf", "crlf", 1}, {"null", "nul", 1}, {"u8", "u16", 2}} {
		if got := distance(test.a, test.b); got != test.want {
			t.Errorf("distance(%q, %q) = %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
