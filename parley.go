// Package parley makes two programs talk over sockets, and keeps track of whose turn it is.
//
// One end listens and holds a conversation with each caller:
//
//	ln, err := parley.Listen(ctx, "7070")
//	...
//	for f, err := range ln.Frames(ctx) { // the frames of every caller, as they come
//		...
//		f.Reply(ctx, []byte("heard"))
//	}
//
// The other end calls, and asks:
//
//	c, err := parley.Dial(ctx, "localhost:7070")
//	...
//	reply, err := c.Ask(ctx, []byte("Hello there!"))
//
// A frame is one whole message. How its end is known (a newline, a blank line, a length, the close) is a [frame.Format],
// set by [Config.Frame]; it is a line unless said otherwise. Where a stream of bytes is all that is wanted, a [Conn] is
// a net.Conn with half-close, and keeps the kernel's zero-copy paths open.
//
// # Addresses
//
// An address is scheme://target?params, or a short form: 7070 (this machine only), :7070 (every interface), host:7070,
// host:daytime, host:daytime(13), [::1]:7070, /path, ./path and @name (Unix). [Schemes] lists what is registered.
//
// # Contexts
//
// A context bounds one call. When it ends, the conversation stays as it was: only [Conn.Close] ends it, or the other end.
package parley

import (
	"context"
	"io"
	"net"
)

// Dial calls address with the zero Config.
func Dial(ctx context.Context, address string) (*Conn, error) {
	return new(Config).Dial(ctx, address)
}

// Listen listens on address for callers, with the zero Config.
func Listen(ctx context.Context, address string) (*Listener, error) {
	return new(Config).Listen(ctx, address)
}

// ListenPacket listens on address for datagrams, with the zero Config.
func ListenPacket(ctx context.Context, address string) (*PacketConn, error) {
	return new(Config).ListenPacket(ctx, address)
}

// Serve listens on address and holds a conversation by h with each caller, until ctx ends. See [Server.Serve].
func Serve(ctx context.Context, address string, h Handler) error {
	ln, err := Listen(ctx, address)
	if err != nil {
		return err
	}
	return (&Server{Handler: h}).Serve(ctx, ln)
}

// What other packages may rely on.
var (
	_ net.Conn      = (*Conn)(nil)
	_ io.ReaderFrom = (*Conn)(nil)
	_ io.WriterTo   = (*Conn)(nil)
	_ net.Listener  = (*Listener)(nil)
	_ Source        = (*Conn)(nil)
	_ Source        = (*Listener)(nil)
	_ Source        = (*PacketConn)(nil)
)
