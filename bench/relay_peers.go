package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func relayParley(l *lab, flags ...string) *relay {
	return &relay{lab: l, name: "parley", program: "parley",
		args: append([]string{"relay", "127.0.0.1:PORT", "127.0.0.1:BEHIND"}, flags...)}
}

// relayHaproxyConfig lets bytes through and checks, logs and counts nothing; where
// it can, the kernel moves them.
const relayHaproxyConfig = `global
    maxconn 6000
    MORE
defaults
    mode tcp
    option splice-auto
    timeout connect 10s
    timeout client 10m
    timeout server 10m
listen relay
    bind 127.0.0.1:PORT BIND
    server behind 127.0.0.1:BEHIND
`

func relayHaproxy(l *lab) *relay { return haproxyRelay(l, "haproxy", "", "") }

// oneThreadHaproxy is as a rule ahead where each request is little work.
func oneThreadHaproxy(l *lab) *relay {
	return haproxyRelay(l, "haproxy, nbthread 1", "nbthread 1", "")
}

// haproxyRelay is haproxy with more lines in its global section, and more
// words behind its bind.
func haproxyRelay(l *lab, name, more, bind string) *relay {
	config := strings.NewReplacer("MORE", more, "BIND", bind).Replace(relayHaproxyConfig)
	return &relay{lab: l, name: name, program: "haproxy", args: []string{"-db", "-f", "CONFIG"}, config: config}
}

// relayNginxConfig has as many workers as there are processors, and writes
// into the lab only.
const relayNginxConfig = `daemon off;
pid DIR/nginx-PORT.pid;
worker_processes auto;
worker_rlimit_nofile 15000;
MODULE
events { worker_connections 7000; }
stream {
    server {
        listen 127.0.0.1:PORT LISTEN backlog=4096;
        MORE
        proxy_pass 127.0.0.1:BEHIND;
    }
}
`

func relayNginx(l *lab) *relay { return nginxRelay(l, "", "") }

// nginxRelay is nginx with more words behind its listen, and more lines.
func nginxRelay(l *lab, listen, more string) *relay {
	r := &relay{lab: l, name: "nginx", program: "nginx", gentle: true, config: relayNginxConfig,
		args: []string{"-p", "DIR", "-e", "stderr", "-c", "CONFIG"}}
	r.find = func(context.Context) (string, error) {
		path, err := installed("nginx")
		if err != nil {
			return "", err
		}
		load, err := nginxStream(path)
		r.config = strings.NewReplacer("MODULE", load, "LISTEN", listen, "MORE", more).Replace(r.config)
		return path, err
	}
	return r
}

// nginxStream returns the line of nginx's configuration that loads its stream
// module, which is empty where it is built in.
func nginxStream(nginx string) (string, error) {
	built, _ := exec.Command(nginx, "-V").CombinedOutput() // tells nothing if it fails
	if strings.Contains(string(built), "--with-stream ") {
		return "", nil
	}
	for _, dir := range []string{"/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/share/nginx/modules"} {
		module := filepath.Join(dir, "ngx_stream_module.so")
		if _, err := os.Stat(module); err == nil {
			return "load_module " + module + ";", nil
		}
	}
	return "", missingError{"nginx's stream module (libnginx-mod-stream)"}
}

// relayCopy is a relay of a few lines of Go.
func relayCopy(l *lab) *relay {
	return &relay{lab: l, name: "io.Copy in Go", source: "peers/relaycopy", args: []string{"PORT", "127.0.0.1:BEHIND"}}
}

func relaySocat(l *lab) *relay {
	return &relay{lab: l, name: "socat", program: "socat",
		args: []string{"TCP-LISTEN:PORT,bind=127.0.0.1,backlog=4096,reuseaddr,fork", "TCP:127.0.0.1:BEHIND"}}
}

// relayGoSocat is github.com/oittaa/socat. Its module is not on the module
// proxy, so it takes part only where somebody has it.
func relayGoSocat(l *lab) *relay {
	r := &relay{lab: l, name: "oittaa/socat",
		args: []string{"TCP-LISTEN:PORT,bind=127.0.0.1,backlog=4096,reuseaddr,fork", "TCP:127.0.0.1:BEHIND"}}
	r.find = func(context.Context) (string, error) {
		if l.goSocat == "" {
			return "", missingError{"oittaa/socat (-go-socat)"}
		}
		path, err := filepath.Abs(l.goSocat)
		_, missing := os.Stat(path)
		return path, errors.Join(err, missing)
	}
	return r
}

// ofFour lets a relay call the server behind by its four addresses in turn.
// One address has too few ports to call it from for the conversations of a
// run. socat knows one target only, and is too slow to need more.
func ofFour(r *relay) *relay {
	switch {
	case r.program == "parley":
		r.args = []string{"relay", "127.0.0.1:PORT", strings.Join(fourTargets(), ","), "--balance", "round-robin"}
	case r.program == "haproxy":
		r.config = strings.ReplaceAll(r.config, "    server behind 127.0.0.1:BEHIND\n", "")
		for i, target := range fourTargets() {
			r.config += fmt.Sprintf("    server s%d %s\n", i, target)
		}
	case r.program == "nginx":
		upstream := "stream {\n    upstream behind {\n"
		for _, target := range fourTargets() {
			upstream += "        server " + target + ";\n"
		}
		r.config = strings.NewReplacer("127.0.0.1:BEHIND", "behind", "stream {\n", upstream+"    }\n").Replace(r.config)
	case r.source != "":
		r.args = append([]string{"PORT"}, fourTargets()...)
	}
	return r
}

func fourTargets() []string {
	return []string{"127.0.0.1:BEHIND", "127.0.0.2:BEHIND", "127.0.0.3:BEHIND", "127.0.0.4:BEHIND"}
}

// noRelay is the callers and the server without anything between them.
func noRelay(l *lab) *relay { return &relay{lab: l, name: "direct", direct: true} }
