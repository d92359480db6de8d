package service

import (
	"crypto/tls"
	"net"
	"slices"
	"strconv"
	"strings"

	"parley"
)

// conversationVariables are those that describe a conversation, by the tools that defined them. Inherited ones describe
// another one, and are taken away.
var conversationVariables = []string{
	"PROTO",
	"TCPLOCALIP", "TCPLOCALPORT", "TCPLOCALHOST", "TCPREMOTEIP", "TCPREMOTEPORT", "TCPREMOTEHOST", "TCPREMOTEINFO", // ucspi-tcp
	"UDPLOCALIP", "UDPLOCALPORT", "UDPREMOTEIP", "UDPREMOTEPORT",
	"IPCLOCALPATH", "IPCREMOTEPATH", "IPCREMOTEEUID", "IPCREMOTEEGID", "IPCCONNNUM", // s6
	"PARLEY_SCHEME",
	"PARLEY_LOCAL_ADDR", "PARLEY_LOCAL_HOST", "PARLEY_LOCAL_PORT",
	"PARLEY_REMOTE_ADDR", "PARLEY_REMOTE_HOST", "PARLEY_REMOTE_PORT",
	"PARLEY_TLS_SERVER_NAME", "PARLEY_TLS_PEER",
}

// managerVariables are those by which a service manager talks to this program (sd_notify(3), sd_listen_fds(3),
// sd_watchdog_enabled(3)). A process that had them could say that the service is ready, or is ending.
var managerVariables = []string{
	"NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID",
}

// baseEnvironment is what all processes of a command share: inherited, then own, each name once and none of a conversation.
// What the manager of this program has told it is not inherited; who wants it for a command can still say so.
func baseEnvironment(inherited, own []string) []string {
	var env []string
	at := map[string]int{}
	for i, v := range slices.Concat(inherited, own) {
		name, _, _ := strings.Cut(v, "=")
		if slices.Contains(conversationVariables, name) || i < len(inherited) && slices.Contains(managerVariables, name) {
			continue
		}
		if i, ok := at[name]; ok {
			env[i] = v
			continue
		}
		at[name] = len(env)
		env = append(env, v)
	}
	return env
}

// variables are those of one conversation.
type variables []string

// set adds a variable. A zero byte, which would end it, is left out.
func (v *variables) set(name, value string) {
	*v = append(*v, name+"="+strings.ReplaceAll(value, "\x00", ""))
}

// conversationEnvironment returns the variables of c. Under TLS hands must have been shaken.
func conversationEnvironment(c *parley.Conn) []string {
	v := make(variables, 0, 16)
	scheme := "tcp"
	if a := c.LocalAddr(); a != nil {
		scheme = a.Network()
	}
	tc, isTLS := c.NetConn().(*tls.Conn)
	if isTLS {
		scheme = "tls"
	}
	local, remote := endOf(c.LocalAddr(), c.LocalHost(), c.LocalPort()), endOf(c.RemoteAddr(), c.RemoteHost(), c.RemotePort())
	v.ucspi(c, local, remote)
	v.set("PARLEY_SCHEME", scheme)
	v.end("PARLEY_LOCAL_", local)
	v.end("PARLEY_REMOTE_", remote)
	if isTLS {
		v.tls(tc.ConnectionState())
	}
	return v
}

// An end is one end of a conversation, in words; empty where there are none.
type end struct{ addr, host, port string }

func endOf(a net.Addr, host string, port int) end {
	e := end{host: host}
	if a != nil && host != "" {
		e.addr = a.String()
	}
	if port > 0 {
		e.port = strconv.Itoa(port)
	}
	return e
}

// ucspi sets what servers of the Unix client-server program interface set (https://cr.yp.to/proto/ucspi.txt).
func (v *variables) ucspi(c *parley.Conn, local, remote end) {
	a := c.LocalAddr()
	switch {
	case a == nil:
	case strings.HasPrefix(a.Network(), "tcp"):
		v.internet("TCP", local, remote)
	case strings.HasPrefix(a.Network(), "udp"):
		v.internet("UDP", local, remote)
	case strings.HasPrefix(a.Network(), "unix"):
		v.set("PROTO", "IPC")
		if local.host != "" {
			v.set("IPCLOCALPATH", local.host)
		}
		if remote.host != "" {
			v.set("IPCREMOTEPATH", remote.host)
		}
		if uid, gid, ok := callerIDs(c.NetConn()); ok {
			v.set("IPCREMOTEEUID", strconv.Itoa(uid))
			v.set("IPCREMOTEEGID", strconv.Itoa(gid))
		}
	}
}

func (v *variables) internet(proto string, local, remote end) {
	v.set("PROTO", proto)
	v.set(proto+"LOCALIP", local.host)
	v.set(proto+"LOCALPORT", local.port)
	v.set(proto+"REMOTEIP", remote.host)
	v.set(proto+"REMOTEPORT", remote.port)
}

// end sets what is known of one end.
func (v *variables) end(prefix string, e end) {
	if e.host == "" {
		return
	}
	v.set(prefix+"ADDR", e.addr)
	v.set(prefix+"HOST", e.host)
	if e.port != "" {
		v.set(prefix+"PORT", e.port)
	}
}

func (v *variables) tls(state tls.ConnectionState) {
	if state.ServerName != "" {
		v.set("PARLEY_TLS_SERVER_NAME", state.ServerName)
	}
	if len(state.VerifiedChains) > 0 {
		v.set("PARLEY_TLS_PEER", state.PeerCertificates[0].Subject.String())
	}
}
