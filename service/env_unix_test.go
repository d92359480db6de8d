//go:build unix

package service_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"parley"
)

const showVariables = `env | grep -E '^(PROTO|TCP|UDP|IPC|PARLEY_(SCHEME|LOCAL|REMOTE|TLS))' | sort`

func TestEnvironment(t *testing.T) {
	t.Setenv("TCPREMOTEINFO", "another's")
	t.Setenv("PARLEY_TLS_PEER", "another's")
	path := filepath.Join(t.TempDir(), "s")
	for network, address := range map[string]string{"tcp": "tcp:127.0.0.1:0", "udp": "udp:127.0.0.1:0", "unix": "unix:" + path, "tls": "tls:127.0.0.1:0"} {
		cmd, _ := shell(showVariables)
		if network == "udp" {
			cmd, _ = shell("read x; " + showVariables)
		}
		cmd.Env = []string{"PARLEY_SCHEME=mine"}
		c := calls(t, answering(t, address, parley.Config{}, cmd.Exec), parley.Config{})
		got := ""
		if network == "udp" {
			reply, err := c.Ask(inTime(t), []byte("go\n"))
			if err != nil {
				t.Fatal(err)
			}
			got = string(reply)
		} else {
			got = hears(t, c)
		}
		if want := wantVariables(network, c, path); got != want {
			t.Errorf("%s: the variables are\n%swant\n%s", network, got, want)
		}
	}
}

// wantVariables is what a process is told of the conversation that c is the other end of.
func wantVariables(network string, c *parley.Conn, path string) string {
	local, remote := c.RemoteAddr(), c.LocalAddr()
	var want []string
	add := func(format string, args ...any) { want = append(want, fmt.Sprintf(format, args...)) }
	switch network {
	case "unix":
		add("PROTO=IPC")
		add("IPCLOCALPATH=%s", path)
		if runtime.GOOS == "linux" {
			add("IPCREMOTEEUID=%d", os.Geteuid())
			add("IPCREMOTEEGID=%d", os.Getegid())
		}
		add("PARLEY_LOCAL_ADDR=%s", path)
		add("PARLEY_LOCAL_HOST=%s", path)
	default:
		proto := map[string]string{"tcp": "TCP", "tls": "TCP", "udp": "UDP"}[network]
		add("PROTO=%s", proto)
		for end, a := range map[string]net.Addr{"LOCAL": local, "REMOTE": remote} {
			host, port, _ := net.SplitHostPort(a.String())
			add("%s%sIP=%s", proto, end, host)
			add("%s%sPORT=%s", proto, end, port)
			add("PARLEY_%s_ADDR=%s", end, a)
			add("PARLEY_%s_HOST=%s", end, host)
			add("PARLEY_%s_PORT=%s", end, port)
		}
	}
	add("PARLEY_SCHEME=%s", network)
	slices.Sort(want)
	return strings.Join(want, "\n") + "\n"
}

// A verified caller is named, and so is the name that he asked for.
func TestEnvironmentTLS(t *testing.T) {
	cert := identity(t, "a caller")
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	cmd, _ := shell(`echo "$PARLEY_TLS_SERVER_NAME, $PARLEY_TLS_PEER, $PROTO"`)
	for auth, want := range map[tls.ClientAuthType]string{
		tls.RequireAndVerifyClientCert: "parley.example, CN=a caller, TCP\n",
		tls.RequireAnyClientCert:       "parley.example, , TCP\n", // anybody could have made that one
	} {
		server := &tls.Config{Certificates: []tls.Certificate{cert}, ClientCAs: pool, ClientAuth: auth}
		client := &tls.Config{Certificates: []tls.Certificate{cert}, RootCAs: pool, ServerName: "parley.example"}
		address := answering(t, "tls:127.0.0.1:0", parley.Config{TLS: server}, cmd.Exec)
		if text := hears(t, calls(t, address, parley.Config{TLS: client})); text != want {
			t.Errorf("%v: heard %q, want %q", auth, text, want)
		}
	}
}
