package parley

import (
	"context"
	"net"
	"slices"

	"parley/internal/sock"
)

// socketParams are common to the addresses of the Internet families.
var socketParams = []Param{
	{"from", "HOST:PORT", "the local address to call from"},
	{"reuse", "", "bind although earlier conversations linger on the port"},
	{"reuseport", "", "share the port with other listeners"},
	{"interface", "NAME", "use this network interface only"},
	{"ttl", "HOPS", "how many routers may pass a packet on"},
	{"tos", "BYTE", "the traffic class of packets"},
	{"rcvbuf", "BYTES", "the kernel's buffer for what comes"},
	{"sndbuf", "BYTES", "the kernel's buffer for what goes"},
	{"ipv6only", "", "an IPv6 listener takes no IPv4 callers"},
}

var streamParams = slices.Concat([]Param{
	{"backlog", "N", "how many callers may wait to be accepted"},
	{"nodelay", "BOOL", "send small writes at once (default yes)"},
	{"keepalive", "SECONDS", "probe a silent other end this often (default 15, 0 never)"},
	{"linger", "SECONDS", "how long close waits for unsent bytes; 0 resets the connection"},
}, socketParams)

var datagramParams = slices.Concat([]Param{
	{"broadcast", "", "allow sending to broadcast addresses"},
	{"eof", "empty", "an empty datagram says and hears the end"},
}, socketParams)

var tlsParams = slices.Concat([]Param{
	{"ca", "FILE", "trust these PEM certificates, not the system's; a listener then demands one of its callers"},
	{"cert", "FILE", "this end's PEM certificate, which may hold the key too"},
	{"key", "FILE", "this end's PEM key"},
	{"servername", "NAME", "the name the other end must prove (default: the host)"},
	{"alpn", "NAME,NAME", "application protocols offered, the best first"},
	{"pin", "sha256:HEX", "trust exactly the certificate with this fingerprint"},
	{"insecure", "", "do not verify the other end"},
}, streamParams)

var unixParams = []Param{
	{"type", "KIND", "stream (default), datagram or seqpacket"},
	{"from", "PATH", "the local path to call from"},
	{"mode", "OCTAL", "the permissions of the socket's file"},
	{"rcvbuf", "BYTES", "the kernel's buffer for what comes"},
	{"sndbuf", "BYTES", "the kernel's buffer for what goes"},
}

func init() {
	for family, which := range map[string]string{"": "IPv4 and IPv6", "4": "IPv4 only", "6": "IPv6 only"} {
		Register(Scheme{
			Name: "tcp" + family, Syntax: "HOST:PORT", Summary: "TCP over " + which, Params: streamParams,
			Dial: func(ctx context.Context, a Addr, _ *Config) (net.Conn, error) {
				return orNil(sock.DialTCP(ctx, a.Scheme, a.Target, a.Params))
			},
			Listen: func(ctx context.Context, a Addr, _ *Config) (net.Listener, error) {
				return sock.ListenTCP(ctx, a.Scheme, a.Target, a.Params)
			},
		})
		Register(Scheme{
			Name: "udp" + family, Syntax: "HOST:PORT", Summary: "UDP over " + which, Params: datagramParams,
			Dial: func(ctx context.Context, a Addr, _ *Config) (net.Conn, error) {
				return sock.DialUDP(ctx, a.Scheme, a.Target, a.Params)
			},
			ListenPacket: func(ctx context.Context, a Addr, _ *Config) (net.PacketConn, error) {
				return sock.ListenUDP(ctx, a.Scheme, a.Target, a.Params)
			},
		})
	}
	Register(Scheme{
		Name: "tls", Syntax: "HOST:PORT", Summary: "TLS over TCP, the other end verified", Params: tlsParams,
		Dial: func(ctx context.Context, a Addr, cfg *Config) (net.Conn, error) {
			return orNil(sock.DialTLS(ctx, a.Target, a.Params, cfg.TLS))
		},
		Listen: func(ctx context.Context, a Addr, cfg *Config) (net.Listener, error) {
			return sock.ListenTLS(ctx, a.Target, a.Params, cfg.TLS, cfg.Timeout)
		},
	})
	Register(Scheme{
		Name: "unix", Syntax: "/PATH, ./PATH or @NAME", Summary: "Unix sockets; @NAME is abstract (Linux)", Params: unixParams,
		Dial: func(ctx context.Context, a Addr, _ *Config) (net.Conn, error) {
			return sock.DialUnix(ctx, a.Target, a.Params)
		},
		Listen: func(ctx context.Context, a Addr, _ *Config) (net.Listener, error) {
			return sock.ListenUnix(ctx, a.Target, a.Params)
		},
		ListenPacket: func(ctx context.Context, a Addr, _ *Config) (net.PacketConn, error) {
			return sock.ListenUnixPacket(ctx, a.Target, a.Params)
		},
	})
}

// orNil keeps a nil pointer from becoming a net.Conn that is not nil.
func orNil[C interface {
	net.Conn
	comparable
}](nc C, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	return nc, nil
}
