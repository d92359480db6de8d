package sock

import "slices"

// A Param is something that an address may say after its target: ?name=value.
type Param struct {
	Name    string
	Value   string // what stands for the value in help: "SECONDS"; empty for a switch, which needs no value
	Summary string // one line, for help
}

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

// StreamParams are those of tcp.
var StreamParams = slices.Concat([]Param{
	{"backlog", "N", "how many callers may wait to be accepted"},
	{"nodelay", "BOOL", "send small writes at once (default yes)"},
	{"keepalive", "SECONDS", "probe a silent other end this often (default 15, 0 never)"},
	{"linger", "SECONDS", "how long close waits for unsent bytes; 0 resets the connection"},
}, socketParams)

// senderTable has the params of a listener that has a conversation with each sender of datagrams.
var senderTable = []Param{
	{"idle", "TIME", "listening: a sender silent for so long has ended (default 1m, 0 never)"},
	{"senders", "N", "listening: how many conversations at once (default 10000)"},
}

// DatagramParams are those of udp.
var DatagramParams = slices.Concat([]Param{
	{"broadcast", "", "allow sending to broadcast addresses"},
	{"eof", "empty", "an empty datagram says and hears the end"},
}, senderTable, socketParams)

// TLSParams are those of tls.
var TLSParams = slices.Concat([]Param{
	{"ca", "FILE", "trust these PEM certificates, not the system's; a listener then demands one of its callers"},
	{"cert", "FILE", "this end's PEM certificate, which may hold the key too"},
	{"key", "FILE", "this end's PEM key"},
	{"servername", "NAME", "the name the other end must prove (default: the host)"},
	{"alpn", "NAME,NAME", "application protocols offered, the best first"},
	{"pin", "sha256:HEX", "trust exactly the certificate with this fingerprint"},
	{"insecure", "", "do not verify the other end"},
}, StreamParams)

// UnixParams are those of unix.
var UnixParams = slices.Concat([]Param{
	{"type", "KIND", "stream (default), datagram or seqpacket"},
	{"from", "PATH", "the local path to call from"},
	{"mode", "OCTAL", "the permissions of the socket's file"},
	{"rcvbuf", "BYTES", "the kernel's buffer for what comes"},
	{"sndbuf", "BYTES", "the kernel's buffer for what goes"},
}, senderTable)
