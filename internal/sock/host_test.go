package sock

import (
	"context"
	"errors"
	"net"
	"testing"
)

func TestParseHostPort(t *testing.T) {
	for _, test := range []struct {
		target string
		want   hostPort
	}{
		{"7070", hostPort{"", 7070, local}},
		{"0", hostPort{"", 0, local}},
		{"65535", hostPort{"", 65535, local}},
		{"daytime(13)", hostPort{"", 13, local}},
		{"unheardof(99)", hostPort{"", 99, local}},
		{":7070", hostPort{"", 7070, every}},
		{"*:7070", hostPort{"", 7070, every}},
		{":daytime", hostPort{"", 13, every}},
		{"host:7070", hostPort{"host", 7070, named}},
		{"127.0.0.1:0", hostPort{"127.0.0.1", 0, named}},
		{"[::1]:7070", hostPort{"::1", 7070, named}},
		{"[::]:7070", hostPort{"::", 7070, named}},
		{"[fe80::1%eth0]:7070", hostPort{"fe80::1%eth0", 7070, named}},
		{"[::1]:daytime(13)", hostPort{"::1", 13, named}},

		// A number before the bracket wins; a name is looked up; the bracket is for who does not know it.
		{"host:80(8080)", hostPort{"host", 80, named}},
		{"host:http(8080)", hostPort{"host", 80, named}},
		{"host:HTTP", hostPort{"host", 80, named}},
		{"host:unheardof(8080)", hostPort{"host", 8080, named}},
		{"host:(8080)", hostPort{"host", 8080, named}},
		{"host:domain-s(1)", hostPort{"host", 853, named}},
		{"host:memcache", hostPort{"host", 11211, named}},
	} {
		got, err := parseHostPort(t.Context(), "tcp", test.target)
		if got != test.want || err != nil {
			t.Errorf("%s: %+v, %v, want %+v", test.target, got, err, test.want)
		}
	}
}

func TestHostPortMistakes(t *testing.T) {
	for target, words := range map[string][]string{
		"":                  {"empty host and port", "7070", "host:7070", "[::1]:7070"},
		"host":              {`no port in "host"`, "host:7070", "localhost:host"},
		"host:":             {`no port after the colon of "host:"`},
		":":                 {`no port after the colon of ":"`},
		"::1":               {`too many colons in "::1"`, "[::1]:7070"},
		"::1:80":            {`too many colons in "::1:80"`, "[::1]:7070"},
		"[::1]":             {`no port in "[::1]"`, "[::1]:7070"},
		"[::1]:":            {`no port after the colon of "[::1]:"`},
		"[::1:80":           {`no port in "[::1:80"`},
		"::1]:80":           {`too many colons in "::1]:80"`},
		"]:80":              {`a bracket too many or too few in "]:80"`, "[::1]:7070"},
		"[::1%a]b]:80":      {`"::1%a]b" is no IPv6 address`},
		"[host]:80":         {`"host" is no IPv6 address`},
		"[1.2.3.4]:80":      {`"1.2.3.4" is no IPv6 address`, "brackets"},
		"host:65536":        {"port 65536 is out of range", "0 to 65535"},
		"host:99999999999":  {"port 99999999999 is out of range"},
		"70000":             {"port 70000 is out of range"},
		"host:unheardof":    {`unknown service "unheardof"`, "unheardof(number)"},
		"host:x(70000)":     {"port 70000 is out of range"},
		"host:x(y)":         {`"y" is no port number`},
		"host:x()":          {`"" is no port number`},
		"host:x(13":         {`missing ) in "x(13"`, "daytime(13)"},
		"host:-1":           {`unknown service "-1"`},
		"7070x":             {`unknown service "7070x"`},
		"host:daytime(13)x": {`missing ) in "daytime(13)x"`},
	} {
		got, err := parseHostPort(t.Context(), "tcp", target)
		says(t, target, err, words...)
		var mistake *AddressError
		if !errors.As(err, &mistake) {
			t.Errorf("%q: %+v, %v, which is no AddressError", target, got, err)
		}
	}
}

// The system's table comes first, and ours says nothing else where both know a name.
func TestServices(t *testing.T) {
	known := 0
	for name, port := range services {
		if got, err := parseHostPort(t.Context(), "tcp", "host:"+name); err != nil || got.port != port {
			t.Errorf("%s is port %d, %v, want %d", name, got.port, err, port)
		}
		if system, err := net.DefaultResolver.LookupPort(t.Context(), "tcp", name); err == nil {
			known++
			if system != port {
				t.Errorf("%s is port %d in the system's table, %d in ours", name, system, port)
			}
		}
	}
	if known == 0 {
		t.Error("the system's table knows none of ours, not even http")
	}
	for _, name := range []string{"tftp", "rsync", "kerberos"} { // not ours
		system, err := net.DefaultResolver.LookupPort(t.Context(), "tcp", name)
		if err != nil {
			continue
		}
		if got, err := parseHostPort(t.Context(), "tcp", "host:"+name+"(1)"); err != nil || got.port != system {
			t.Errorf("%s is port %d, %v, want the system's %d", name, got.port, err, system)
		}
	}
}

func TestHostPort(t *testing.T) {
	for _, test := range []struct {
		addr           net.Addr
		host, callable string
		port           int
	}{
		{nil, "", "", 0},
		{&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 7}, "127.0.0.1", "127.0.0.1:7", 7},
		{&net.TCPAddr{IP: net.ParseIP("::ffff:1.2.3.4"), Port: 7}, "1.2.3.4", "1.2.3.4:7", 7},
		{&net.UDPAddr{IP: net.IPv6loopback, Port: 7}, "::1", "[::1]:7", 7},
		{&net.UDPAddr{IP: net.ParseIP("fe80::1"), Zone: "eth0", Port: 7}, "fe80::1%eth0", "[fe80::1%eth0]:7", 7},
		{&net.TCPAddr{IP: net.IPv6unspecified, Port: 7}, "::", "localhost:7", 7},
		{&net.TCPAddr{IP: net.IPv4zero, Port: 7}, "0.0.0.0", "localhost:7", 7},
		{&net.UnixAddr{Name: "/path", Net: "unix"}, "/path", "/path", 0},
		{&net.UnixAddr{Name: "@abstract", Net: "unix"}, "@abstract", "@abstract", 0},
		{&net.UnixAddr{Name: "@", Net: "unix"}, "", "", 0}, // without a name
		{&net.UnixAddr{Net: "unix"}, "", "", 0},
	} {
		host, port := HostPort(test.addr)
		if host != test.host || port != test.port {
			t.Errorf("%v: %q, %d, want %q, %d", test.addr, host, port, test.host, test.port)
		}
		if got := callableTarget(test.addr); got != test.callable {
			t.Errorf("%v is called at %q, want %q", test.addr, got, test.callable)
		}
	}
}

func FuzzHostPort(f *testing.F) {
	for _, s := range []string{"7070", ":7070", "*:http", "host:daytime(13)", "[::1%25]:7070", "[::1", "x(1)(2)", "host:+80", "a:b:c", "[]:1", "(1)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, target string) {
		hp, err := parseHostPort(context.Background(), "tcp", target)
		var mistake *AddressError
		if err != nil {
			if !errors.As(err, &mistake) {
				t.Fatalf("%q: %v is no AddressError", target, err)
			}
			return
		}
		if hp.port < 0 || hp.port > 65535 || (hp.kind == named) != (hp.host != "") {
			t.Fatalf("%q: %+v", target, hp)
		}
		host, _, err := net.SplitHostPort(hp.String())
		if err != nil || host != hp.host {
			t.Fatalf("%q is written %q, which is %q, %v", target, hp, host, err)
		}
	})
}
