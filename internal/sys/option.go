package sys

// An Option is a socket option that [SetOption] can set.
type Option int

// The options. Those whose value is not described are on (1) or off (0).
const (
	ReuseAddr  Option = iota // bind though an earlier conversation lingers; on Windows that is always so
	ReusePort                // several sockets on one port; not on Windows
	NoDelay                  // TCP: send at once, without Nagle's wait
	KeepAlive                // TCP: seconds of silence before a probe, and between probes; 0 off
	Broadcast                // UDP: may send to a broadcast address
	TTL                      // routers a datagram may pass, 1 to 255; -1 the system's default
	TOS                      // type of service (RFC 2474: DSCP * 4), 0 to 255
	RecvBuffer               // bytes the kernel may hold for us to read; Linux doubles it
	SendBuffer               // bytes the kernel may hold for the other end; Linux doubles it
	V6Only                   // an IPv6 listener takes no IPv4 callers
	Linger                   // seconds that close(2) may wait for the other end; 0 resets on close, -1 the system's default
)
