package sock

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// A hostPort is the target of an address of the Internet families.
type hostPort struct {
	host string // a name or an IP address, perhaps with a zone; empty if local or every
	port int
	kind hostKind
}

type hostKind int

const (
	named hostKind = iota // host says which
	local                 // this machine only: 7070
	every                 // every interface: :7070 or *:7070
)

// loopback are the addresses that "this machine only" stands for, the likelier first.
var loopback = [...]string{"127.0.0.1", "::1"}

// String returns the form that package net takes.
func (hp hostPort) String() string {
	return net.JoinHostPort(hp.host, strconv.Itoa(hp.port))
}

// parseHostPort parses 7070, :7070, *:7070, host:7070, host:service, host:service(port) and [ip]:any of these.
func parseHostPort(ctx context.Context, network, target string) (hostPort, error) {
	host, service, err := splitHostPort(target)
	if err != nil {
		return hostPort{}, err
	}
	hp := hostPort{host: host}
	switch {
	case !strings.Contains(target, ":"):
		hp.kind = local
	case host == "" || host == "*":
		hp.host, hp.kind = "", every
	}
	hp.port, err = lookupPort(ctx, network, service)
	return hp, err
}

func splitHostPort(target string) (host, service string, err error) {
	if target == "" {
		return "", "", Mistake("empty host and port; write 7070, host:7070 or [::1]:7070")
	}
	if strings.HasPrefix(target, "[") {
		end := strings.Index(target, "]:")
		if end < 0 {
			return "", "", Mistake("no port in %q; write %s:7070", target, strings.TrimSuffix(target, ":"))
		}
		if service = target[end+2:]; service == "" {
			return "", "", Mistake("no port after the colon of %q", target)
		}
		return checkIPv6(target[1:end], service)
	}
	host, service, ok := strings.Cut(target, ":")
	switch {
	case !ok && isNumeric(target):
		return "", target, nil
	case !ok:
		return "", "", Mistake("no port in %q; write %s:7070, or localhost:%s if that is a service", target, target, target)
	case strings.Contains(service, ":"):
		return "", "", Mistake("too many colons in %q; an IPv6 address goes in brackets: [::1]:7070", target)
	case service == "":
		return "", "", Mistake("no port after the colon of %q", target)
	case strings.ContainsAny(host, "[]"):
		return "", "", Mistake("a bracket too many or too few in %q; an IPv6 address is written [::1]:7070", target)
	}
	return host, service, nil
}

func checkIPv6(host, service string) (string, string, error) {
	ip, err := netip.ParseAddr(host)
	if err != nil || !ip.Is6() || strings.ContainsAny(ip.Zone(), "[]") {
		return "", "", Mistake("%q is no IPv6 address; only those go in brackets", host)
	}
	return host, service, nil
}

// isNumeric reports whether s is a port or service(port), which need no host.
func isNumeric(s string) bool {
	return s[0] >= '0' && s[0] <= '9' || strings.HasSuffix(s, ")")
}

// lookupPort turns 7070, daytime, or daytime(13) into a port. A number before the bracket wins; the number in the
// bracket is for machines that do not know the name.
func lookupPort(ctx context.Context, network, service string) (int, error) {
	name, fallback, bracket := strings.Cut(service, "(")
	if bracket {
		if !strings.HasSuffix(fallback, ")") {
			return 0, Mistake("missing ) in %q; write for example daytime(13)", service)
		}
		fallback = strings.TrimSuffix(fallback, ")")
	}
	if name != "" && strings.Trim(name, "0123456789") == "" {
		return parsePort(name)
	}
	if port, err := net.DefaultResolver.LookupPort(ctx, network, name); err == nil && name != "" {
		return port, nil
	}
	if port, ok := services[strings.ToLower(name)]; ok {
		return port, nil
	}
	if bracket {
		return parsePort(fallback)
	}
	return 0, Mistake("unknown service %q; write its port number, or %s(number)", name, name)
}

func parsePort(s string) (int, error) {
	port, err := strconv.ParseUint(s, 10, 16)
	if errors.Is(err, strconv.ErrRange) {
		return 0, Mistake("port %s is out of range; ports are 0 to 65535", s)
	}
	if err != nil {
		return 0, Mistake("%q is no port number", s)
	}
	return int(port), nil
}

// services are those that parley itself speaks or often meets, for machines without /etc/services. The numbers are
// those of the IANA service name and port number registry.
var services = map[string]int{
	"echo": 7, "discard": 9, "daytime": 13, "qotd": 17, "chargen": 19, "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25,
	"time": 37, "whois": 43, "domain": 53, "gopher": 70, "finger": 79, "http": 80, "pop3": 110, "ident": 113,
	"nntp": 119, "ntp": 123, "imap": 143, "snmp": 161, "irc": 194, "ldap": 389, "https": 443, "submissions": 465,
	"syslog": 514, "submission": 587, "ldaps": 636, "domain-s": 853, "imaps": 993, "pop3s": 995, "mqtt": 1883,
	"mysql": 3306, "postgresql": 5432, "redis": 6379, "memcache": 11211,
}
