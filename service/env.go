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

// baseEnvironment is what all processes of a command share: inherited, then own, each name once and none of a conversation.
func baseEnvironment(inherited, own []string) []string {
	var env []string
	at := map[string]int{}
	for _, v := range slices.Concat(inherited, own) {
		name, _, _ := strings.Cut(v, "=")
		if slices.Contains(conversationVariables, name) {
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
	v.ucspi(c)
	v.set("PARLEY_SCHEME", scheme)
	v.end("PARLEY_LOCAL_", c.LocalAddr(), c.LocalHost(), c.LocalPort())
	v.end("PARLEY_REMOTE_", c.RemoteAddr(), c.RemoteHost(), c.RemotePort())
	if isTLS {
		v.tls(tc.ConnectionState())
	}
	return v
}

// ucspi sets what servers of the Unix client-server program interface set (https://cr.yp.to/proto/ucspi.txt).
func (v *variables) ucspi(c *parley.Conn) {
	a := c.LocalAddr()
	switch {
	case a == nil:
	case strings.HasPrefix(a.Network(), "tcp"):
		v.internet("TCP", c)
	case strings.HasPrefix(a.Network(), "udp"):
		v.internet("UDP", c)
	case strings.HasPrefix(a.Network(), "unix"):
		v.set("PROTO", "IPC")
		if path := c.LocalHost(); path != "" {
			v.set("IPCLOCALPATH", path)
		}
		if path := c.RemoteHost(); path != "" {
			v.set("IPCREMOTEPATH", path)
		}
		if uid, gid, ok := callerIDs(c.NetConn()); ok {
			v.set("IPCREMOTEEUID", strconv.Itoa(uid))
			v.set("IPCREMOTEEGID", strconv.Itoa(gid))
		}
	}
}

func (v *variables) internet(proto string, c *parley.Conn) {
	v.set("PROTO", proto)
	v.set(proto+"LOCALIP", c.LocalHost())
	v.set(proto+"LOCALPORT", strconv.Itoa(c.LocalPort()))
	v.set(proto+"REMOTEIP", c.RemoteHost())
	v.set(proto+"REMOTEPORT", strconv.Itoa(c.RemotePort()))
}

// end sets what is known of one end.
func (v *variables) end(prefix string, a net.Addr, host string, port int) {
	if a == nil || host == "" {
		return
	}
	v.set(prefix+"ADDR", a.String())
	v.set(prefix+"HOST", host)
	if port > 0 {
		v.set(prefix+"PORT", strconv.Itoa(port))
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
