package parley

import (
	"context"
	"net"

	"parley/internal/sock"
)

func init() {
	for family, which := range map[string]string{"": "IPv4 and IPv6", "4": "IPv4 only", "6": "IPv6 only"} {
		Register(Scheme{
			Name: "tcp" + family, Syntax: "HOST:PORT", Summary: "TCP over " + which, Params: sock.StreamParams,
			Dial: func(ctx context.Context, a Addr, _ *Config) (net.Conn, error) {
				return orNil(sock.DialTCP(ctx, a.Scheme, a.Target, a.Params))
			},
			Listen: func(ctx context.Context, a Addr, _ *Config) (net.Listener, error) {
				return sock.ListenTCP(ctx, a.Scheme, a.Target, a.Params)
			},
		})
		Register(Scheme{
			Name: "udp" + family, Syntax: "HOST:PORT", Summary: "UDP over " + which, Params: sock.DatagramParams,
			Dial: func(ctx context.Context, a Addr, _ *Config) (net.Conn, error) {
				return sock.DialUDP(ctx, a.Scheme, a.Target, a.Params)
			},
			Listen: func(ctx context.Context, a Addr, cfg *Config) (net.Listener, error) {
				return sock.ListenUDPSenders(ctx, a.Scheme, a.Target, a.Params, cfg.dropped)
			},
			ListenPacket: func(ctx context.Context, a Addr, _ *Config) (net.PacketConn, error) {
				return sock.ListenUDP(ctx, a.Scheme, a.Target, a.Params)
			},
		})
	}
	Register(Scheme{
		Name: "tls", Syntax: "HOST:PORT", Summary: "TLS over TCP, the other end verified", Params: sock.TLSParams,
		Dial: func(ctx context.Context, a Addr, cfg *Config) (net.Conn, error) {
			return orNil(sock.DialTLS(ctx, a.Target, a.Params, cfg.TLS))
		},
		Listen: func(ctx context.Context, a Addr, cfg *Config) (net.Listener, error) {
			return sock.ListenTLS(ctx, a.Target, a.Params, cfg.TLS, cfg.Timeout)
		},
	})
	Register(Scheme{
		Name: "unix", Syntax: "/PATH, ./PATH or @NAME", Summary: "Unix sockets; @NAME is abstract (Linux)", Params: sock.UnixParams,
		Dial: func(ctx context.Context, a Addr, _ *Config) (net.Conn, error) {
			return sock.DialUnix(ctx, a.Target, a.Params)
		},
		Listen: func(ctx context.Context, a Addr, cfg *Config) (net.Listener, error) {
			if a.Params["type"] == "datagram" {
				return sock.ListenUnixSenders(ctx, a.Target, a.Params, cfg.dropped)
			}
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
