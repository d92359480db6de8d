package relay

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseRoute(t *testing.T) {
	tests := []struct {
		text string
		want Route
		err  string // a part of it
	}{
		{text: "sni:api.example=127.0.0.1:8443", want: Route{"sni", []string{"api.example"}, []string{"127.0.0.1:8443"}}},
		{text: "sni:*.Example.org,EXAMPLE.org=tls:x:443?pin=sha256:00", want: Route{"sni", []string{"*.example.org", "example.org"}, []string{"tls:x:443?pin=sha256:00"}}},
		{text: "alpn:h2,http/1.1=[::1]:80", want: Route{"alpn", []string{"h2", "http/1.1"}, []string{"[::1]:80"}}},
		{text: "alpn:H2=7070", want: Route{"alpn", []string{"H2"}, []string{"7070"}}},
		{text: "sni:2001:db8::1=7070", want: Route{"sni", []string{"2001:db8::1"}, []string{"7070"}}},
		{text: "", err: "write sni:NAME=ADDRESS"},
		{text: "api.example=7070", err: "write sni:NAME=ADDRESS"},
		{text: "host:api.example=7070", err: "write sni:NAME=ADDRESS"},
		{text: "sni:api.example", err: "write sni:NAME=ADDRESS"},
		{text: "sni:api.example=", err: "no address"},
		{text: "sni:=7070", err: "empty name"},
		{text: "sni:a,,b=7070", err: "empty name"},
		{text: "sni:api.example.=7070", err: "without the dot"},
		{text: "sni:*=7070", err: "a * stands for"},
		{text: "sni:a.*.example=7070", err: "a * stands for"},
		{text: "sni:*.*.example=7070", err: "a * stands for"},
		{text: "sni:https://a=7070", err: "no name of a server"},
		{text: "alpn:" + strings.Repeat("x", 256) + "=7070", err: "at most 255"},
	}
	for _, test := range tests {
		got, err := ParseRoute(test.text)
		switch {
		case test.err == "" && (err != nil || !reflect.DeepEqual(got, test.want)):
			t.Errorf("ParseRoute(%q) = %+v, %v", test.text, got, err)
		case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
			t.Errorf("ParseRoute(%q): error %v, want %s", test.text, err, test.err)
		}
	}
}

func TestRouteFits(t *testing.T) {
	tests := []struct {
		route, server string
		want          bool
	}{
		{"api.example", "api.example", true},
		{"api.example", "API.Example", true},
		{"api.example", "www.api.example", false},
		{"api.example", "example", false},
		{"api.example", "", false},
		{"*.example", "api.example", true},
		{"*.example", "API.EXAMPLE", true},
		{"*.example", "a.b.example", false},
		{"*.example", "example", false},
		{"*.example", ".example", false},
		{"*.0.0.1", "127.0.0.1", false},
		{"a.example,b.example", "b.example", true},
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"2001:db8::1", "2001:DB8:0::1", true},
		{"2001:db8::1", "2001:db8::2", false},
	}
	for _, test := range tests {
		route, err := ParseRoute("sni:" + test.route + "=7070")
		if err != nil {
			t.Fatal(err)
		}
		if got := route.fits(hello{server: test.server}); got != test.want {
			t.Errorf("%v fits %q: %v", route, test.server, got)
		}
	}
	offers := []string{"h2", "http/1.1"}
	for names, want := range map[string]bool{"h2": true, "http/1.1": true, "h3": false, "H2": false, "h3,h2": true} {
		route, err := ParseRoute("alpn:" + names + "=7070")
		if err != nil {
			t.Fatal(err)
		}
		if got := route.fits(hello{server: "h3", protocols: offers}); got != want {
			t.Errorf("%v fits %q: %v", route, offers, got)
		}
	}
}

func FuzzParseRoute(f *testing.F) {
	for _, text := range []string{"sni:api.example=7070", "alpn:h2,h3=host:80", "sni:*.x=tls:h:1?alpn=a", "sni:", "alpn:=", "sni:\xff=1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		route, err := ParseRoute(text)
		if err != nil {
			return
		}
		again, err := ParseRoute(route.String())
		if err != nil || !reflect.DeepEqual(again, route) {
			t.Errorf("%q is %+v, written %q, and that is %+v, %v", text, route, route, again, err)
		}
		if err := route.check(); err != nil {
			t.Error(err)
		}
		name := route.Names[0]
		if !route.fits(hello{server: strings.Replace(name, "*", "x", 1), protocols: []string{name}}) {
			t.Errorf("%v does not fit its own name", route)
		}
	})
}
