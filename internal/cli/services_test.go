package cli

import (
	"strings"
	"testing"
)

func TestParseServices(t *testing.T) {
	for _, test := range []struct {
		words string
		want  string // name?params=address[ dir], one after the other, or the error
	}{
		{"echo", "echo=7"},
		{"echo=7007", "echo=7007"},
		{"echo=tcp:7007 chat", "echo=tcp:7007; chat=7070"},
		{"daytime?format=nist", "daytime?format=nist=13"},
		{"daytime?format=nist=7013", "daytime?format=nist=7013"},
		{"qotd?file=/usr/share/games/fortunes/it=udp:7017?idle=3s", "qotd?file=/usr/share/games/fortunes/it=udp:7017?idle=3s"},
		{"chat=tls::7070?cert=a.pem&key=b.pem", "chat=tls::7070?cert=a.pem&key=b.pem"},
		{"files=8080 ./public echo=1", "files=8080 ./public; echo=1"},
		{"files .", "files=8080 ."},
		{"exec=/run/x.sock", "exec=/run/x.sock"},

		{"ecko=7007", `there is no service "ecko"; there are echo, discard,`},
		{"", `there is no service ""`},
		{"exec", "exec needs an address: exec=ADDRESS"},
		{"echo=", "no address after the ="},
		{"files=8080", "files needs a directory"},
		{"echo?loud=1", `echo: unknown param "loud"; it has none`},
		{"daytime?zone=utc", `daytime: unknown param "zone"; there is format=nist`},
	} {
		all, err := parseServices(strings.Split(test.words, " "))
		var got []string
		for _, w := range all {
			got = append(got, w.text())
		}
		if err != nil {
			got = []string{err.Error()}
		}
		if text := strings.Join(got, "; "); err == nil && text != test.want || err != nil && !strings.Contains(text, test.want) {
			t.Errorf("%s: %s, want %s", test.words, text, test.want)
		}
	}
}

// text writes w as a command line would.
func (w *wanted) text() string {
	text := w.kind.name
	sep := "?"
	for name, value := range w.params {
		text += sep + name + "=" + value
		sep = "&"
	}
	text += "=" + w.address
	if w.dir != "" {
		text += " " + w.dir
	}
	return text
}

func FuzzParseServices(f *testing.F) {
	for _, s := range []string{"echo", "daytime?format=nist=7013", "qotd?file=a&file=b=c", "files=1 d", "exec=x", "?=", "echo?&=", "chat=="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, words string) {
		all, err := parseServices(strings.Split(words, " "))
		if err == nil && len(all) == 0 || err != nil && all != nil {
			t.Errorf("%q: %d services, %v", words, len(all), err)
		}
		for _, w := range all {
			if w.kind == nil || w.address == "" {
				t.Errorf("%q: %+v", words, w)
			}
		}
	})
}

// TestPosts: where a service is served if the address leaves that open.
func TestPosts(t *testing.T) {
	for _, test := range []struct{ word, want string }{
		{"echo", "tcp:7 udp:7"},
		{"echo=:7007", "tcp::7007 udp::7007"},
		{"echo=localhost:7007", "tcp:localhost:7007 udp:localhost:7007"},
		{"echo=tcp:7007", "tcp:7007"},
		{"echo=udp:7007", "udp:7007"},
		{"echo=tcp6:7007", "tcp6:7007"},
		{"echo=/run/echo", "/run/echo"},
		{"echo=tls:7007", "tls:7007"},
		{"chat", "7070"},
		{"exec=7070", "7070"},
	} {
		w, err := parseService(test.word)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range w.posts(nil) {
			got = append(got, p.address)
		}
		if text := strings.Join(got, " "); text != test.want {
			t.Errorf("%s: %s, want %s", test.word, text, test.want)
		}
	}
}
