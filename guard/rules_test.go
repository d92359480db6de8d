package guard

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
)

// tcp is the address of a caller from ip, which may have a zone.
func tcp(ip string) net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(ip), 40000))
}

// A namedAddr is one of a transport that no rules are for, or that hides its IP address in a text.
type namedAddr string

func (a namedAddr) Network() string { return "named" }
func (a namedAddr) String() string  { return string(a) }

func read(t *testing.T, text string) *Rules {
	t.Helper()
	r, err := ReadRules("rules", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAllows(t *testing.T) {
	for _, test := range []struct {
		rules  string
		caller net.Addr
		want   bool
		rule   string
	}{
		{"", tcp("192.0.2.1"), true, ""},
		{"# nothing but a comment\n\n \t\r\n", tcp("192.0.2.1"), true, ""},
		{"allow 192.0.2.1", tcp("192.0.2.1"), true, "rules:1: allow 192.0.2.1"},
		{"allow 192.0.2.1", tcp("192.0.2.2"), false, "no rule allows it"},
		{"allow 192.0.2.1", tcp("2001:db8::1"), false, "no rule allows it"},
		{"deny 192.0.2.1", tcp("192.0.2.1"), false, "rules:1: deny 192.0.2.1"},
		{"deny 192.0.2.1", tcp("192.0.2.2"), true, ""},
		{"deny all", tcp("192.0.2.1"), false, "rules:1: deny all"},
		{"deny ALL", tcp("2001:db8::1"), false, "rules:1: deny ALL"},

		// The most specific decides, whatever the order.
		{"allow 10.0.0.0/8\ndeny 10.1.0.0/16\nallow 10.1.2.3", tcp("10.2.0.1"), true, "rules:1: allow 10.0.0.0/8"},
		{"allow 10.0.0.0/8\ndeny 10.1.0.0/16\nallow 10.1.2.3", tcp("10.1.0.1"), false, "rules:2: deny 10.1.0.0/16"},
		{"allow 10.1.2.3\ndeny 10.1.0.0/16\nallow 10.0.0.0/8", tcp("10.1.2.3"), true, "rules:1: allow 10.1.2.3"},
		{"deny all\nallow fe80::/10", tcp("fe80::1%eth0"), true, "rules:2: allow fe80::/10"},
		{"deny all\nallow fe80::/10", tcp("fec0::1"), false, "rules:1: deny all"},
		{"allow all\ndeny 2001:db8::/32", tcp("2001:db8:1::1"), false, "rules:2: deny 2001:db8::/32"},

		// Of two equally specific rules the one that denies decides.
		{"allow 10.0.0.1\ndeny 10.0.0.1", tcp("10.0.0.1"), false, "rules:2: deny 10.0.0.1"},
		{"deny 10.0.0.1\nallow 10.0.0.1", tcp("10.0.0.1"), false, "rules:1: deny 10.0.0.1"},
		{"deny 0.0.0.0/0\nallow all", tcp("10.0.0.1"), false, "rules:1: deny 0.0.0.0/0"},
		{"deny 0.0.0.0/0\nallow all", tcp("2001:db8::1"), true, "rules:2: allow all"},

		// IPv4 written as IPv6 is IPv4.
		{"deny 192.0.2.1", tcp("::ffff:192.0.2.1"), false, "rules:1: deny 192.0.2.1"},
		{"deny ::ffff:192.0.2.1", tcp("192.0.2.1"), false, "rules:1: deny ::ffff:192.0.2.1"},
		{"deny ::ffff:192.0.2.0/120", tcp("192.0.2.1"), false, "rules:1: deny ::ffff:192.0.2.0/120"},
		{"deny ::/0", tcp("192.0.2.1"), true, ""},
		{"deny 0.0.0.0/0", tcp("2001:db8::1"), true, ""},

		// Zones.
		{"deny fe80::1", tcp("fe80::1%eth0"), false, "rules:1: deny fe80::1"},
		{"deny fe80::1%eth0", tcp("fe80::1%eth0"), false, "rules:1: deny fe80::1%eth0"},
		{"deny fe80::1%eth0", tcp("fe80::1%eth1"), true, ""},
		{"deny fe80::1%eth0\nallow fe80::1", tcp("fe80::1%eth0"), false, "rules:1: deny fe80::1%eth0"},
		{"deny fe80::1%eth0\nallow fe80::1", tcp("fe80::1%eth1"), true, "rules:2: allow fe80::1"},
		{"allow fe80::1%eth0\ndeny fe80::1", tcp("fe80::1%eth0"), true, "rules:1: allow fe80::1%eth0"},

		// Several in a line, comments, blanks.
		{"allow 10.0.0.1, 10.0.0.2,10.0.0.3 # three", tcp("10.0.0.3"), true, "rules:1: allow 10.0.0.3"},
		{"\n\n\tdeny\t10.0.0.1\t# tabs\r\n", tcp("10.0.0.1"), false, "rules:3: deny 10.0.0.1"},
		{"deny 10.0.0.1#no blank", tcp("10.0.0.1"), false, "rules:1: deny 10.0.0.1"},

		// A name that nobody has looked up is nobody's.
		{"deny host.example", tcp("10.0.0.1"), true, ""},
		{"allow host.example", tcp("10.0.0.1"), false, "no rule allows it"},

		// Other kinds of address.
		{"deny 10.0.0.1", &net.UDPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 7}, false, "rules:1: deny 10.0.0.1"},
		{"deny 10.0.0.1", &net.IPAddr{IP: net.IPv4(10, 0, 0, 1)}, false, "rules:1: deny 10.0.0.1"},
		{"deny 10.0.0.1", namedAddr("10.0.0.1"), false, "rules:1: deny 10.0.0.1"},
		{"deny 10.0.0.1", namedAddr("10.0.0.1:80"), false, "rules:1: deny 10.0.0.1"},
		{"deny fe80::1", namedAddr("[fe80::1]:80"), false, "rules:1: deny fe80::1"},
		{"deny all", namedAddr("a name"), true, ""},
		{"deny all", &net.UnixAddr{Net: "unix", Name: "@"}, true, ""},
		{"deny 10.0.0.1\nallow all", &net.UnixAddr{Net: "unix", Name: "10.0.0.1"}, true, ""},

		// Strangers without the address that they ought to have.
		{"allow all", nil, false, "no rule allows it"},
		{"allow all", &net.TCPAddr{}, false, "no rule allows it"},
		{"allow all", (*net.TCPAddr)(nil), false, "no rule allows it"},
		{"deny 10.0.0.1", nil, true, ""},
	} {
		ok, rule := read(t, test.rules).Allows(test.caller)
		if ok != test.want || rule != test.rule {
			t.Errorf("%q for %v: got %v, %q; want %v, %q", test.rules, test.caller, ok, rule, test.want, test.rule)
		}
	}
}

func TestNoRules(t *testing.T) {
	for name, r := range map[string]*Rules{"nil": nil, "zero": {}, "joined": (*Rules)(nil).Join(nil, new(Rules))} {
		if ok, rule := r.Allows(tcp("192.0.2.1")); !ok || rule != "" {
			t.Errorf("%s: got %v, %q; want everybody to be let in", name, ok, rule)
		}
		if hosts := r.Hosts(); len(hosts) > 0 {
			t.Errorf("%s has the hosts %v", name, hosts)
		}
		if err := r.Resolve(t.Context(), nil); err != nil {
			t.Errorf("%s: Resolve: %v", name, err)
		}
		r.TakeAddresses(new(Rules))
	}
}

func TestNewRules(t *testing.T) {
	r, err := NewRules([]string{"10.0.0.0/8,192.168.0.0/16", "fe80::/10"}, []string{"10.6.6.6"})
	if err != nil {
		t.Fatal(err)
	}
	for caller, want := range map[string]string{
		"10.1.1.1": "allow 10.0.0.0/8", "192.168.1.1": "allow 192.168.0.0/16", "fe80::1": "allow fe80::/10",
		"10.6.6.6": "deny 10.6.6.6", "172.16.0.1": "no rule allows it",
	} {
		if _, rule := r.Allows(tcp(caller)); rule != want {
			t.Errorf("%s was decided by %q, want %q", caller, rule, want)
		}
	}
}

func TestBadTargets(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "nobody is named",
		"10.0.0.1,,10.0.0.2":      "nobody is named",
		"10.0.0.1,":               "nobody is named",
		"10.0.0.0/33":             `"10.0.0.0/33" is no network`,
		"10.0.0.0/255.0.0.0":      "number of its bits",
		"10.1.2.3/8":              "write 10.0.0.0/8 for the network, or 10.1.2.3",
		"::ffff:10.0.0.0/90":      "is an address in a network",
		"10.0.0.1:80":             "has a port, and rules are for all ports; write 10.0.0.1",
		"gate.example:80":         "write gate.example",
		"[::1]:80":                "has a port, and rules are for all ports; write ::1",
		"[::1]":                   "has brackets; write ::1",
		"10.0.0":                  "none of these",
		"10.0.0.256":              "none of these",
		"*.example.com":           "is a pattern",
		".example.com":            "is a pattern",
		"10.0.*":                  "is a pattern",
		"10.0.0.1 10.0.0.2":       "write commas",
		"a host":                  "write commas",
		"-host.example":           "none of these",
		"host..example":           "none of these",
		"bücher.example":          "none of these",
		strings.Repeat("a", 64):   "none of these",
		strings.Repeat("a.", 130): "none of these",
		"fe80::/10%eth0":          "no network",
		"host\x00.example":        "none of these",
	} {
		_, err := NewRules(nil, []string{text})
		var e *RuleError
		if !errors.As(err, &e) || !strings.Contains(e.Why, want) || e.Text != "deny "+text || e.Name != "" {
			t.Errorf("%q: got %v, want a *RuleError with %q", text, err, want)
		}
	}
}

func TestReadRulesErrors(t *testing.T) {
	for text, want := range map[string]string{
		"allow 10.0.0.1\npermit 10.0.0.2": `rules:2: "permit 10.0.0.2": it begins with neither allow nor deny`,
		"allow":                           `rules:1: "allow": nobody is named`,
		"deny # nobody":                   `rules:1: "deny # nobody": nobody is named`,
		"10.0.0.1":                        `rules:1: "10.0.0.1": it begins with neither`,
		"allow 10.1.2.3/8 \r\n":           `rules:1: "allow 10.1.2.3/8 ": "10.1.2.3/8" is an address in a network`,
		"allow from 10.0.0.0/8":           "write commas",
		"\x00\x01\x02":                    `rules:1: "\x00\x01\x02": it begins with neither`,

		"#" + strings.Repeat("x", MaxLine):                 "rules:1: \"#xxx",
		"\n" + "allow " + strings.Repeat("1.1.1.1,", 1000): "longer than 4096 bytes",
		strings.Repeat("\n", MaxLines+1):                   "rules:100001: \"\": the file has more than 100000 lines",
		strings.Repeat("\n", MaxLines) + "deny all":        "the file has more than 100000 lines",
		strings.Repeat("deny 1.1.1.1,1.1.1.1\n", 50_001):   "rules:50001: ",
	} {
		_, err := ReadRules("rules", strings.NewReader(text))
		var e *RuleError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: got %v, want a *RuleError with %q", text, err, want)
		}
	}
}

// As many lines as there may be, and one as long as it may be, are well.
func TestReadRulesFull(t *testing.T) {
	long := "deny 10.0.0.1 #" + strings.Repeat("x", MaxLine-16) + "\n"
	read(t, long+strings.Repeat("deny 10.0.0.2\n", MaxLines-1))
}

func TestReadRulesReadError(t *testing.T) {
	broken := errors.New("the disk is broken")
	_, err := ReadRules("rules", iotest.ErrReader(broken))
	if !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "rules:1: ") {
		t.Errorf("got %v, want the error of the reader, with its place", err)
	}
}

func TestJoin(t *testing.T) {
	flags, err := NewRules([]string{"10.0.0.0/8"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	both := flags.Join(nil, read(t, "deny 10.0.0.1"))
	if _, rule := both.Allows(tcp("10.0.0.1")); rule != "rules:1: deny 10.0.0.1" {
		t.Errorf("a rule of the second decided as %q", rule)
	}
	if _, rule := both.Allows(tcp("10.0.0.2")); rule != "allow 10.0.0.0/8" {
		t.Errorf("a rule of the first decided as %q", rule)
	}
	if ok, _ := flags.Allows(tcp("10.0.0.1")); !ok {
		t.Error("Join has changed the first")
	}
}

// naive is what Allows should do, written as the documentation says it.
func naive(r *Rules, ip netip.Addr) (ok bool, decided bool) {
	best, deny := -1, false
	consider := func(rl *rule, specific int) {
		if specific > best {
			best, deny = specific, rl.deny
		} else if specific == best {
			deny = deny || rl.deny
		}
	}
	for _, rl := range r.list {
		if rl.zone.IsValid() && rl.zone == ip {
			consider(rl, 129)
		}
		for _, n := range rl.nets {
			if n.Contains(ip.WithZone("")) {
				consider(rl, n.Bits())
			}
		}
		for _, a := range r.known()[rl.host] {
			if a == ip.WithZone("") {
				consider(rl, a.BitLen())
			}
		}
	}
	return !deny, best >= 0
}

func FuzzReadRules(f *testing.F) {
	f.Add("allow 10.0.0.0/8\ndeny 10.0.0.1,10.0.0.2 # two\nallow host.example\n", "10.0.0.1")
	f.Add("deny fe80::1%eth0\nallow fe80::/10", "fe80::1%eth0")
	f.Add("deny ::ffff:10.0.0.0/104\nallow all", "::ffff:10.1.1.1")
	f.Add("deny 10.0.0.1/8", "10.1.1.1")
	f.Add("allow [::1]:70\n\xff", "::1")
	f.Fuzz(func(t *testing.T, text, caller string) {
		r, err := ReadRules("rules", strings.NewReader(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "rules:") {
				t.Fatalf("the error does not say where: %v", err)
			}
			return
		}
		ip, err := netip.ParseAddr(caller)
		if err != nil {
			return
		}
		ip = ip.Unmap()
		if err := r.Resolve(t.Context(), everywhere(ip)); err != nil {
			t.Fatal(err)
		}
		ok, rule := r.Allows(net.TCPAddrFromAddrPort(netip.AddrPortFrom(ip, 1)))
		want, decided := naive(r, ip)
		if !decided {
			want = !r.allows
		}
		if ok != want {
			t.Fatalf("%q for %v: got %v by %q, want %v", text, ip, ok, rule, want)
		}
		if decided && !strings.HasPrefix(rule, "rules:") {
			t.Fatalf("decided by %q, which names no rule", rule)
		}
	})
}

func BenchmarkAllows(b *testing.B) {
	var text strings.Builder
	for i := range 10_000 {
		bits := 16 + i%12
		ip := netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0})
		n, _ := ip.Prefix(bits)
		fmt.Fprintf(&text, "deny %v\n", n)
	}
	r, err := ReadRules("rules", strings.NewReader(text.String()+"allow all"))
	if err != nil {
		b.Fatal(err)
	}
	for _, caller := range []string{"10.39.15.7", "192.0.2.1"} {
		b.Run(caller, func(b *testing.B) {
			a := tcp(caller)
			b.ReportAllocs()
			for b.Loop() {
				r.Allows(a)
			}
		})
	}
}
