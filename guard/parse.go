package guard

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
)

// What files of rules may hold: more is an error, as a file that is no file of rules might be given by mistake.
const (
	MaxLine  = 4096    // bytes of one line
	MaxLines = 100_000 // lines, those without a rule included; and names in all of them
)

// The verbs that rules begin with.
const allowing, denying = "allow", "deny"

// A RuleError, found with errors.As, says what is wrong with the text of a rule, and what would have worked.
type RuleError struct {
	Name string // of the file; empty for a rule that comes from none
	Line int    // in the file, from 1
	Text string // of the rule, or of the line
	Why  string
}

// Error names file and line, quotes the text and says why.
func (e *RuleError) Error() string {
	text := fmt.Sprintf("%.100q: %s", e.Text, e.Why)
	if e.Name == "" {
		return text
	}
	return fmt.Sprintf("%s:%d: %s", e.Name, e.Line, text)
}

// ReadRules reads rules from r, a line for each:
//
//	# who may call
//	allow 10.0.0.0/8, fe80::/10
//	deny  10.6.6.6          # the one that floods
//	allow gateway.example
//
// What follows allow or deny is as for NewRules. Empty lines, and what follows a #, mean nothing. name is what errors and
// logs call the file. The error is a *RuleError, or of r.
func ReadRules(name string, r io.Reader) (*Rules, error) {
	var list []*rule
	in := bufio.NewReaderSize(r, MaxLine)
	for n := 1; ; n++ {
		line, err := in.ReadSlice('\n')
		if err != nil && err != io.EOF && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, fmt.Errorf("%s:%d: cannot read: %w", name, n, err)
		}
		text := strings.TrimRight(string(line), "\r\n")
		more, why := parseLine(name, n, text)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			why = fmt.Sprintf("the line is longer than %d bytes; write several", MaxLine)
		case len(list)+len(more) > MaxLines, n > MaxLines && (err == nil || text != ""):
			why = fmt.Sprintf("the file has more than %d lines or names; name networks rather than addresses", MaxLines)
		}
		if why != "" {
			return nil, &RuleError{name, n, text, why}
		}
		list = append(list, more...)
		if err == io.EOF {
			return newRules(list, nil), nil
		}
	}
}

// parseLine reads one line of a file; why is empty if it is well.
func parseLine(name string, n int, line string) (list []*rule, why string) {
	line, _, _ = strings.Cut(line, "#")
	verb, targets, _ := strings.Cut(strings.TrimSpace(strings.ReplaceAll(line, "\t", " ")), " ")
	switch verb {
	case "":
		return nil, ""
	case allowing, denying:
		return parseTargets(verb, fmt.Sprintf("%s:%d: ", name, n), targets)
	}
	return nil, `it begins with neither allow nor deny; write it as "allow 10.0.0.0/8" or "deny 192.0.2.1"`
}

// parseTargets reads names with commas between them. from comes before the texts of the rules.
func parseTargets(verb, from, targets string) (list []*rule, why string) {
	for target := range strings.SplitSeq(targets, ",") {
		target = strings.TrimSpace(target)
		r, why := parseTarget(target)
		if why != "" {
			return nil, why
		}
		r.deny = verb == denying
		r.text = from + verb + " " + target
		list = append(list, r)
	}
	return list, ""
}

var all = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}

func parseTarget(s string) (*rule, string) {
	if s == "" {
		return nil, "nobody is named: " + anyTarget
	}
	if strings.ContainsAny(s, " \t") {
		return nil, fmt.Sprintf("%.100q is more than one name; write commas between them", s)
	}
	if strings.EqualFold(s, "all") {
		return &rule{nets: all}, ""
	}
	if ip, err := netip.ParseAddr(s); err == nil {
		if ip = ip.Unmap(); ip.Zone() != "" {
			return &rule{zone: ip}, ""
		}
		return &rule{nets: []netip.Prefix{netip.PrefixFrom(ip, ip.BitLen())}}, ""
	}
	if strings.Contains(s, "/") {
		return parseNetwork(s)
	}
	if host, ok := hostName(s); ok {
		return &rule{host: host}, ""
	}
	return nil, notATarget(s)
}

const anyTarget = `write an address (192.0.2.1, fe80::1), a network (10.0.0.0/8, fe80::/10), a host name or "all"`

func parseNetwork(s string) (*rule, string) {
	n, err := netip.ParsePrefix(s)
	if err != nil {
		return nil, fmt.Sprintf("%.100q is no network; write its first address, a slash and the number of its bits, as 10.0.0.0/8 or fe80::/10", s)
	}
	if n != n.Masked() {
		return nil, fmt.Sprintf("%.100q is an address in a network; write %s for the network, or %s for the one address", s, n.Masked(), n.Addr())
	}
	if n.Addr().Is4In6() { // of at least 96 bits, as it equals its Masked
		n = netip.PrefixFrom(n.Addr().Unmap(), n.Bits()-96)
	}
	return &rule{nets: []netip.Prefix{n}}, ""
}

// notATarget says what is wrong with s, for the mistakes that people make.
func notATarget(s string) string {
	host, _, err := net.SplitHostPort(s)
	bare := cmp.Or(host, strings.Trim(s, "[]"))
	if _, isHost := hostName(bare); bare != s && (isHost || isAddress(bare)) {
		if err == nil {
			return fmt.Sprintf("%.100q has a port, and rules are for all ports; write %s", s, bare)
		}
		return fmt.Sprintf("%.100q has brackets; write %s", s, bare)
	}
	if strings.ContainsAny(s, "*?") || strings.HasPrefix(s, ".") {
		return fmt.Sprintf("%.100q is a pattern, and names are looked up one by one; %s", s, anyTarget)
	}
	return fmt.Sprintf("%.100q is none of these: %s", s, anyTarget)
}

func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

// hostName returns s as it is looked up, and whether it can be a host name (RFC 1123, section 2.1; the underscore is not in
// it, but in use). What ends in a number is a mistyped address.
func hostName(s string) (string, bool) {
	s = strings.ToLower(strings.TrimSuffix(s, "."))
	if len(s) > 253 {
		return "", false
	}
	last := ""
	for label := range strings.SplitSeq(s, ".") {
		if !isLabel(label) {
			return "", false
		}
		last = label
	}
	return s, strings.Trim(last, "0123456789") != ""
}

func isLabel(s string) bool {
	if len(s) == 0 || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}
