package parley_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"parley"
)

func TestParseAddr(t *testing.T) {
	type params = map[string]string
	for _, test := range []struct {
		text string
		want parley.Addr
		full string // as String writes it
	}{
		{"7070", parley.Addr{Scheme: "tcp", Target: "7070"}, "tcp:7070"},
		{":7070", parley.Addr{Scheme: "tcp", Target: ":7070"}, "tcp::7070"},
		{"*:7070", parley.Addr{Scheme: "tcp", Target: "*:7070"}, "tcp:*:7070"},
		{"host:7070", parley.Addr{Scheme: "tcp", Target: "host:7070"}, "tcp:host:7070"},
		{"host:daytime", parley.Addr{Scheme: "tcp", Target: "host:daytime"}, "tcp:host:daytime"},
		{"host:daytime(13)", parley.Addr{Scheme: "tcp", Target: "host:daytime(13)"}, "tcp:host:daytime(13)"},
		{"[::1]:7070", parley.Addr{Scheme: "tcp", Target: "[::1]:7070"}, "tcp:[::1]:7070"},
		{"[fe80::1%eth0]:7070", parley.Addr{Scheme: "tcp", Target: "[fe80::1%eth0]:7070"}, "tcp:[fe80::1%25eth0]:7070"},
		{"[fe80::1%25eth0]:7070", parley.Addr{Scheme: "tcp", Target: "[fe80::1%eth0]:7070"}, "tcp:[fe80::1%25eth0]:7070"},
		{"/path", parley.Addr{Scheme: "unix", Target: "/path"}, "unix:/path"},
		{"./path", parley.Addr{Scheme: "unix", Target: "./path"}, "unix:./path"},
		{"../path", parley.Addr{Scheme: "unix", Target: "../path"}, "unix:../path"},
		{"//path", parley.Addr{Scheme: "unix", Target: "//path"}, "unix:////path"},
		{"@name", parley.Addr{Scheme: "unix", Target: "@name"}, "unix:@name"},
		{"-", parley.Addr{Scheme: "stdio"}, "-"},

		{"tcp://host:7070", parley.Addr{Scheme: "tcp", Target: "host:7070"}, "tcp:host:7070"},
		{"tcp:host:7070", parley.Addr{Scheme: "tcp", Target: "host:7070"}, "tcp:host:7070"},
		{"tcp6:7070", parley.Addr{Scheme: "tcp6", Target: "7070"}, "tcp6:7070"},
		{"udp::7070", parley.Addr{Scheme: "udp", Target: ":7070"}, "udp::7070"},
		{"unix:name", parley.Addr{Scheme: "unix", Target: "name"}, "unix:name"},
		{"unix:///path", parley.Addr{Scheme: "unix", Target: "/path"}, "unix:/path"},
		{"tls://[::1]:443", parley.Addr{Scheme: "tls", Target: "[::1]:443"}, "tls:[::1]:443"},

		{"7070?ttl=3&nodelay", parley.Addr{Scheme: "tcp", Target: "7070", Params: params{"ttl": "3", "nodelay": ""}}, "tcp:7070?nodelay&ttl=3"},
		{"tls:h:1?alpn=a,b", parley.Addr{Scheme: "tls", Target: "h:1", Params: params{"alpn": "a,b"}}, "tls:h:1?alpn=a,b"},
		{"/p?mode=600", parley.Addr{Scheme: "unix", Target: "/p", Params: params{"mode": "600"}}, "unix:/p?mode=600"},
		{"h:1?x=a=b?", parley.Addr{Scheme: "tcp", Target: "h:1", Params: params{"x": "a=b?"}}, "tcp:h:1?x=a=b%3F"},
		{"h:1?x=", parley.Addr{Scheme: "tcp", Target: "h:1", Params: params{"x": ""}}, "tcp:h:1?x"},

		{"/what%3F", parley.Addr{Scheme: "unix", Target: "/what?"}, "unix:/what%3F"},
		{"/what%3f", parley.Addr{Scheme: "unix", Target: "/what?"}, "unix:/what%3F"},
		{"/a%26b&c", parley.Addr{Scheme: "unix", Target: "/a&b&c"}, "unix:/a%26b%26c"},
		{"/100%", parley.Addr{Scheme: "unix", Target: "/100%"}, "unix:/100%25"},
		{"/%253F", parley.Addr{Scheme: "unix", Target: "/%3F"}, "unix:/%253F"},
		{"/s?from=/a%26b", parley.Addr{Scheme: "unix", Target: "/s", Params: params{"from": "/a&b"}}, "unix:/s?from=/a%26b"},
	} {
		got, err := parley.ParseAddr(test.text)
		if err != nil || !sameAddr(got, test.want) {
			t.Errorf("%q: %#v, %v, want %#v", test.text, got, err, test.want)
		}
		if got.String() != test.full {
			t.Errorf("%q is written %q, want %q", test.text, got, test.full)
		}
		if again, err := parley.ParseAddr(got.String()); err != nil || !sameAddr(again, got) {
			t.Errorf("%q, written %q, is read as %#v, %v", test.text, got, again, err)
		}
	}
}

func sameAddr(a, b parley.Addr) bool {
	return a.Scheme == b.Scheme && a.Target == b.Target && maps.Equal(a.Params, b.Params) && (a.Params == nil) == (b.Params == nil)
}

// Every mistake quotes the text in question, and names what would have worked.
func TestAddressMistakes(t *testing.T) {
	for _, test := range []struct {
		text string
		says []string
	}{
		{"", []string{"empty address", "7070", "host:7070", "/path"}},
		{"htpt://host:80", []string{`unknown scheme "htpt"`, "tcp", "tls", "udp", "unix"}},
		{"-", []string{`unknown scheme "stdio"`, "tcp", "unix"}},
		{"7070?", []string{"param without a name", "name=value"}},
		{"7070?ttl=1&&tos=1", []string{`param without a name in "ttl=1&&tos=1"`, "name=value"}},
		{"7070?=1", []string{`param without a name in "=1"`}},
		{"7070?ttl=1&ttl=2", []string{`param "ttl" is there twice`}},
		{"7070?tll=1", []string{`unknown param "tll"`, "tcp addresses know", "ttl", "nodelay"}},
		{"/path?ttl=1", []string{`unknown param "ttl"`, "unix addresses know", "mode", "type"}},
		{"udp:h:1?nodelay", []string{`unknown param "nodelay"`, "udp addresses know", "broadcast"}},

		{"tcp:", []string{"empty host and port", "host:7070"}},
		{"unix:", []string{"empty path", "/path", "@name"}},
		{"localhost", []string{`no port in "localhost"`, "localhost:7070"}},
		{"localhost:", []string{`no port after the colon of "localhost:"`}},
		{"::1:7070", []string{`too many colons in "::1:7070"`, "[::1]:7070"}},
		{"[::1]", []string{`no port in "[::1]"`, "[::1]:7070"}},
		{"[::1", []string{`no port in "[::1"`}},
		{"[127.0.0.1]:80", []string{`"127.0.0.1" is no IPv6 address`}},
		{"localhost:unheardof", []string{`unknown service "unheardof"`, "unheardof(number)"}},
		{"localhost:unheardof(13", []string{`missing ) in "unheardof(13"`, "daytime(13)"}},
		{"localhost:unheardof(x)", []string{`"x" is no port number`}},
		{"localhost:65536", []string{"port 65536 is out of range", "0 to 65535"}},
		{"localhost:unheardof(70000)", []string{"port 70000 is out of range"}},

		{"7070?ttl=many", []string{"param ttl=many", "not a number"}},
		{"7070?ttl=-1", []string{"param ttl=-1", "not a number"}},
		{"7070?nodelay=maybe", []string{"param nodelay=maybe", "yes or no"}},
		{"7070?keepalive=x", []string{"param keepalive=x"}},
		{"7070?linger=x", []string{"param linger=x"}},
		{"/p?type=raw", []string{"param type=raw", "stream, datagram and seqpacket"}},
		{"tls:7070?pin=abc", []string{"param pin=abc", "64 hexadecimal digits"}},
	} {
		_, err := parley.Listen(soon(t), test.text)
		isMistake(t, "listen on "+test.text, err, "listen", test.text, test.says)
		_, err = parley.Dial(soon(t), test.text)
		isMistake(t, "dial "+test.text, err, "dial", test.text, test.says)
		if _, err := parley.ParseAddr(test.text); err != nil {
			isMistake(t, "parse "+test.text, err, "parse", test.text, test.says)
		}
	}
	_, err := parley.Listen(soon(t), "7070?backlog=few")
	isMistake(t, "backlog", err, "listen", "7070?backlog=few", []string{"param backlog=few"})
	_, err = parley.Listen(soon(t), socketPath(t)+"?mode=rw")
	isMistake(t, "mode", err, "listen", "", []string{"param mode=rw", "octal", "600"})
	_, err = parley.Dial(soon(t), "127.0.0.1:0")
	isMistake(t, "dial port 0", err, "dial", "127.0.0.1:0", []string{"port 0", "listened on"})
	_, err = parley.Dial(soon(t), "7070?from=nowhere")
	isMistake(t, "from", err, "dial", "7070?from=nowhere", []string{"param from=nowhere", `no port in "nowhere"`})
	_, err = parley.Dial(soon(t), "udp:7070?eof=fin")
	isMistake(t, "eof", err, "dial", "udp:7070?eof=fin", []string{"param eof=fin", "eof=empty"})
	_, err = parley.ListenPacket(soon(t), "udp:0?eof=empty")
	isMistake(t, "eof of a listener", err, "listen", "udp:0?eof=empty", []string{"param eof", "for calling"})
}

func isMistake(t *testing.T, what string, err error, op, address string, words []string) {
	t.Helper()
	says(t, what, err, words...)
	var e *parley.Error
	if !errors.As(err, &e) || e.Op != op || address != "" && e.Addr != address {
		t.Errorf("%s: %#v, want an *Error of %s on %q", what, err, op, address)
	}
	var mistake *parley.AddressError
	if !errors.As(err, &mistake) {
		t.Errorf("%s: %v is no AddressError", what, err)
	}
}

// What a scheme cannot do is said by name, and found by errors.Is.
func TestUnsupportedByScheme(t *testing.T) {
	_, packetErr := parley.ListenPacket(soon(t), "0")
	_, streamErr := parley.ListenPacket(soon(t), "/p")
	bare := parley.Config{Schemes: []parley.Scheme{{Name: "bare"}}}
	_, dialErr := bare.Dial(soon(t), "bare:x")
	_, listenErr := bare.Listen(soon(t), "bare:x")
	for _, test := range []struct {
		err  error
		says []string
	}{
		{listenErr, []string{"listen bare:x: bare addresses have no callers"}},
		{packetErr, []string{"listen 0: tcp addresses carry no datagrams"}},
		{streamErr, []string{"add ?type=datagram"}},
		{dialErr, []string{"dial bare:x: bare addresses cannot be called"}},
	} {
		says(t, "unsupported", test.err, test.says...)
		wants(t, "unsupported", test.err, errors.ErrUnsupported)
	}
}

// Config.Schemes is an allow-list: what is registered and not on it can neither be dialled nor taken for something else.
func TestSchemesAreAllowed(t *testing.T) {
	onlyTCP := parley.Config{Schemes: schemesNamed("tcp")}
	ln := listen(t, &onlyTCP, "0")
	dial(t, &onlyTCP, ln.Address())
	for _, address := range []string{"unix:/tmp/x", "/tmp/x", "udp:127.0.0.1:9", "udp://127.0.0.1:9", "tls:localhost:443", "tcp4:7070", "udp:7070"} {
		_, err := onlyTCP.Dial(soon(t), address)
		scheme, _, ok := strings.Cut(address, ":")
		if !ok {
			scheme = "unix"
		}
		says(t, "dial "+address, err, fmt.Sprintf("scheme %q", scheme), "there are tcp")
	}
	onlyUnix := parley.Config{Schemes: schemesNamed("unix")}
	_, err := onlyUnix.Listen(soon(t), "7070")
	says(t, "listen on 7070", err, `scheme "tcp"`, "there are unix")
	none := parley.Config{Schemes: []parley.Scheme{}}
	if _, err := none.Dial(soon(t), ln.Address()); err == nil {
		t.Error("an empty list, which is not nil, allows tcp")
	}
}

func schemesNamed(names ...string) (some []parley.Scheme) {
	for _, s := range parley.Schemes() {
		for _, name := range names {
			if s.Name == name {
				some = append(some, s)
			}
		}
	}
	return some
}

func TestRegister(t *testing.T) {
	names := ""
	for _, s := range parley.Schemes() {
		if s.Syntax == "" || s.Summary == "" {
			t.Errorf("%s has no help: %+v", s.Name, s)
		}
		names += s.Name + " "
	}
	if names != "tcp tcp4 tcp6 tls udp udp4 udp6 unix " {
		t.Errorf("registered, in order: %s", names)
	}
	parley.Schemes()[0].Name = "changed"
	if parley.Schemes()[0].Name != "tcp" {
		t.Error("the caller's slice is the registry's")
	}
	for _, name := range []string{"", "tcp"} {
		func() {
			defer func() {
				if p := fmt.Sprint(recover()); !strings.Contains(p, fmt.Sprintf("scheme %q", name)) {
					t.Errorf("registered %q: panic %v", name, p)
				}
			}()
			parley.Register(parley.Scheme{Name: name})
		}()
	}
}

func FuzzParseAddr(f *testing.F) {
	for _, s := range []string{
		"7070", ":7070", "host:daytime(13)", "[::1%25eth0]:7070", "//path", "@name", "-", "tcp:////x", "udp://h:1?ttl=1&x",
		"unix:%3F%26%25?a=%26=?&b", "-?a", "stdio:x",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := parley.ParseAddr(s)
		if err != nil {
			var e *parley.Error
			if !errors.As(err, &e) || e.Op != "parse" || e.Addr != s {
				t.Fatalf("%q: %#v", s, err)
			}
			return
		}
		again, err := parley.ParseAddr(a.String())
		if err != nil || !sameAddr(again, a) {
			t.Fatalf("%q is %#v, written %q, which is %#v, %v", s, a, a, again, err)
		}
	})
}
