// Package relay joins two conversations back to back: what one end says is said to the other, until both have ended.
//
//	stats, err := relay.Join(ctx, caller, target, nil)
//
// # How it ends
//
// Each direction ends on its own. When one end has said its end (half-close), the other is told so, and what it still has
// to say is passed on until it has ended too, however long that takes. There is no linger and no grace of a fixed time:
// ctx limits a Join, and nothing else does.
//
// What cannot be passed on is not hidden. When one end breaks off, the other is broken off too, by a reset of TCP or by a
// TLS stream without close_notify, so that it does not take what it has heard for all there was. When one end takes no
// more, what it still says is passed on before the other is broken off, and the error tells how much nobody took. An end on
// a Unix socket cannot be told the difference between a break and an end, as those sockets have no reset; Join's error is
// the same.
//
// # Bytes and frames
//
// Bytes are passed on as they come, within the kernel where it can move them itself; see [parley.Conn.WriteTo]. Where one
// end keeps the edges of what is said, as datagrams do, or where Options.Frames asks for it, whole frames are passed on
// instead, each end in the format of its own parley.Config: lines of a TCP conversation become datagrams, and back.
package relay
