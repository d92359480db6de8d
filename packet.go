package parley

import (
	"context"
	"errors"
	"io"
	"iter"
	"net"
	"os"
	"time"

	"parley/frame"
	"parley/internal/mutex"
	"parley/internal/sock"
)

// A PacketConn hears datagrams from anybody, and answers whom it likes. Each datagram is a frame, unless Config.Frame
// cuts it into several.
type PacketConn struct {
	pc        net.PacketConn
	cfg       *Config
	addr      Addr
	say, hear frame.Format

	reading mutex.Mutex
	memory  []byte // for one datagram, guarded by reading
	rest    []byte // of a datagram that holds several frames, guarded by reading
	from    net.Addr
	writing mutex.Mutex
}

func newPacketConn(pc net.PacketConn, cfg *Config, a Addr) *PacketConn {
	say, hear := cfg.formats(true)
	return &PacketConn{pc: pc, cfg: cfg, addr: a, say: say, hear: hear}
}

// Close stops hearing.
func (p *PacketConn) Close() error { return p.pc.Close() }

// Addr returns where it listens.
func (p *PacketConn) Addr() net.Addr { return p.pc.LocalAddr() }

// Address returns an address that reaches it from the same machine.
func (p *PacketConn) Address() string { return sock.Callable(p.addr.Scheme, p.Addr()) }

// NetPacketConn returns what it was made of.
func (p *PacketConn) NetPacketConn() net.PacketConn { return p.pc }

// Send says text as one datagram to to; it stays the caller's. The error is an *Error.
func (p *PacketConn) Send(ctx context.Context, text []byte, to net.Addr) error {
	if to == nil || to.String() == "" {
		return &Error{"send", "nobody", errors.New("the sender gave no address to reply to")}
	}
	if err := ctx.Err(); err != nil {
		return &Error{"send", to.String(), err}
	}
	out := outboxes.Get().(*outbox)
	defer out.done()
	var err error
	if out.frame, err = p.say.Append(out.frame[:0], text); err == nil {
		err = p.writeTo(ctx, out.frame, to)
	}
	if err != nil {
		return &Error{"send", to.String(), err}
	}
	if p.cfg.Observe != nil {
		p.cfg.observe(Event{Kind: Said, Addr: to, Data: text, Size: len(out.frame)})
	}
	return nil
}

// writeTo waits for room, which a hearer on a Unix socket can refuse for ever, no longer than ctx.
func (p *PacketConn) writeTo(ctx context.Context, wire []byte, to net.Addr) error {
	if err := p.writing.Lock(ctx); err != nil {
		return err
	}
	defer p.writing.Unlock()
	if ctx.Done() != nil {
		undo := sock.CancelOn(ctx, p.pc.SetWriteDeadline, func() { _ = p.pc.SetWriteDeadline(time.Time{}) })
		defer undo()
	}
	_, err := p.pc.WriteTo(wire, to)
	if ctx.Err() != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		return ctx.Err()
	}
	return sock.ExplainSize(err, len(wire), p.pc)
}

// Receive returns the next frame, which is then the caller's. The error is an *Error.
func (p *PacketConn) Receive(ctx context.Context) (Frame, error) {
	if err := p.reading.Lock(ctx); err != nil {
		return Frame{}, p.fail(err)
	}
	defer p.reading.Unlock()
	f, err := p.receive(ctx)
	return f, p.fail(err)
}

// Frames returns the frames as they come, until ctx ends or it is closed; neither is an error. A datagram that is not
// what the format wants is an error that does not end the loop.
func (p *PacketConn) Frames(ctx context.Context) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		for {
			f, err := p.Receive(ctx)
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return
			}
			if !yield(f, err) || err != nil && !isBadDatagram(err) {
				return
			}
		}
	}
}

// isBadDatagram reports whether err is the fault of one sender.
func isBadDatagram(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, frame.ErrMalformed) || errors.Is(err, frame.ErrTooLong)
}

func (p *PacketConn) receive(ctx context.Context) (Frame, error) {
	if len(p.rest) == 0 {
		if err := p.fill(ctx); err != nil {
			return Frame{From: p.from}, err
		}
	}
	text, size, err := p.cfg.scanDatagram(p.hear, p.rest)
	if err != nil {
		p.rest = nil
		return Frame{From: p.from}, err
	}
	f := Frame{Data: append(make([]byte, 0, len(text)), text...), From: p.from, packets: p}
	p.rest = p.rest[size:]
	if p.cfg.Observe != nil {
		p.cfg.observe(Event{Kind: Heard, Addr: p.from, Data: f.Data, Size: size})
	}
	return f, nil
}

// fill waits for one datagram.
func (p *PacketConn) fill(ctx context.Context) error {
	if p.memory == nil {
		p.memory = make([]byte, sock.MaxDatagram(p.pc.LocalAddr()))
	}
	n, from, err := sock.ReadFrom(ctx, p.pc, p.memory)
	p.from = from
	switch {
	case err != nil:
		return err
	case n == len(p.memory):
		return &frame.TooLongError{Limit: n - 1, Format: p.hear.String(), Size: n, Heard: append([]byte(nil), p.memory[:64]...)}
	}
	p.rest = p.memory[:n]
	return nil
}

func (p *PacketConn) fail(err error) error {
	if err == nil {
		return nil
	}
	return &Error{"receive", p.Addr().String(), err}
}
