package main

import (
	"context"
	"fmt"
	"os"
	"strings"
)

// haproxyConfig relays bytes and checks, logs and counts nothing. The four
// servers are one, called from four addresses: haproxy says its end to it
// first, and one address has too few ports for that many conversations.
const haproxyConfig = `global
    maxconn 4000
    THREADS
defaults
    mode tcp
    timeout connect 10s
    timeout client 1m
    timeout server 1m
listen echo
    bind 127.0.0.1:PORT
    server s1 127.0.0.1:BEHIND source 127.0.1.1
    server s2 127.0.0.1:BEHIND source 127.0.1.2
    server s3 127.0.0.1:BEHIND source 127.0.1.3
    server s4 127.0.0.1:BEHIND source 127.0.1.4
`

// haproxies relay to the C echo server: with as many threads as haproxy
// chooses, one for each processor, and with one.
func haproxies(l *lab) []*server {
	haproxy := func(name, threads string) *server {
		s := &server{name: name, program: "haproxy", args: []string{"-db", "-f", l.path("haproxy-PORT.cfg")}}
		s.prepare = func(ctx context.Context, port, cpu string) (*process, error) {
			return l.prepareHaproxy(ctx, port, cpu, threads)
		}
		return s
	}
	return []*server{haproxy("haproxy", ""), haproxy("haproxy, nbthread 1", "nbthread 1")}
}

// prepareHaproxy starts the C echo server and writes the file that makes
// haproxy listen on port and relay to it.
func (l *lab) prepareHaproxy(ctx context.Context, port, cpu, threads string) (*process, error) {
	echo, err := l.buildC(ctx, "echo_server")
	if err != nil {
		return nil, err
	}
	behind, err := l.freePort()
	if err != nil {
		return nil, err
	}
	config := strings.NewReplacer("THREADS", threads, "PORT", port, "BEHIND", behind).Replace(haproxyConfig)
	if err := os.WriteFile(l.path(fmt.Sprintf("haproxy-%s.cfg", port)), []byte(config), 0o600); err != nil {
		return nil, err
	}
	return listen(ctx, command{argv: []string{echo, behind}, cpu: cpu}, behind)
}
