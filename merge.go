package parley

import (
	"context"
	"errors"
	"io"
	"iter"

	"parley/internal/merge"
)

// A Source says frames: *Conn, *Listener and *PacketConn are Sources.
type Source interface {
	Frames(ctx context.Context) iter.Seq2[Frame, error]
}

// Merge returns the frames of all sources as they come: the select loop. An error is yielded with the Conn it happened on,
// and the other sources go on. It ends when all sources have ended, or ctx. Hearing runs ahead of the loop by what one read
// brings, so frames are lost if the loop is left early, and a loop body replies: it does not hear, or Ask.
func Merge(ctx context.Context, sources ...Source) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		m := merger{merge.New[Frame]()}
		ctx, cancel := context.WithCancel(ctx)
		defer m.Finish()
		defer cancel()
		for _, s := range sources {
			m.Go(func() { m.feed(ctx, s) })
		}
		m.Each(yield)
	}
}

// Frames returns the frames of every caller in one loop. Callers that end cleanly end silently; an error is yielded with
// the Conn it happened on and the loop goes on, unless Conn is nil: then nobody can be accepted any more. The
// conversations are closed when their callers have ended, and all of them when the loop ends. Anybody may call, as often as
// the system has descriptors; a [Server] has limits.
func (l *Listener) Frames(ctx context.Context) iter.Seq2[Frame, error] {
	return Merge(ctx, l)
}

// A merger hears sources for one loop.
type merger struct{ *merge.Merger[Frame] }

type batch = merge.Batch[Frame]

// batchSize bounds how far a feed runs ahead of the loop.
const batchSize = 1024

// feed hears one source to its end.
func (m merger) feed(ctx context.Context, s Source) {
	switch s := s.(type) {
	case *Conn:
		m.feedConn(ctx, s)
	case *Listener:
		m.feedListener(ctx, s)
	default:
		m.feedFrames(ctx, s)
	}
}

func (m merger) feedListener(ctx context.Context, l *Listener) {
	for c, err := range l.Conns(ctx) {
		if err != nil {
			m.passError(ctx, Frame{}, err)
			return
		}
		m.Go(func() {
			c.held = ctx // one registration for all reads: nobody else hears this conversation
			defer context.AfterFunc(ctx, func() { _ = c.override(reading, true) })()
			m.feedConn(ctx, c)
			m.passOver(ctx, c)
		})
	}
}

// passOver leaves it to the loop to close a caller that has ended, as its last frames may still be replied to.
func (m merger) passOver(ctx context.Context, c *Conn) {
	b := m.Batch()
	b.Over = c
	if !m.Pass(ctx, b) {
		c.Close()
	}
}

// feedConn hears one conversation, all whole frames of a read at once.
func (m merger) feedConn(ctx context.Context, c *Conn) {
	of := Frame{From: c.RemoteAddr(), Conn: c}
	for {
		b := m.Batch()
		part, err := c.receiveAll(ctx, b, of)
		if len(b.Items) > 0 && !m.Pass(ctx, b) {
			return
		}
		if err == nil {
			continue
		}
		if err != io.EOF && !errors.Is(err, ctx.Err()) {
			of.Data = part
			m.passError(ctx, of, c.fail("receive", err))
		}
		return
	}
}

// receiveAll waits for one frame and adds it and those that came with it to b. With an error comes the beginning of a
// frame that was cut short, if there is one.
func (c *Conn) receiveAll(ctx context.Context, b *batch, of Frame) (part []byte, err error) {
	if err := c.reading.Lock(ctx); err != nil {
		return nil, err
	}
	defer c.reading.Unlock()
	text, err := c.receive(ctx)
	for err == nil && text != nil {
		of.Data = text
		b.Items = append(b.Items, of)
		if len(b.Items) == batchSize {
			return nil, nil
		}
		text, err = c.cut()
	}
	return text, err
}

func (m merger) passError(ctx context.Context, of Frame, err error) {
	b := m.Batch()
	b.Of, b.Err = of, err
	m.Pass(ctx, b)
}

// feedFrames hears a source of another make.
func (m merger) feedFrames(ctx context.Context, s Source) {
	for f, err := range s.Frames(ctx) {
		b := m.Batch()
		if err == nil {
			b.Items = append(b.Items, f)
		} else {
			b.Of, b.Err = f, err
		}
		if !m.Pass(ctx, b) {
			return
		}
	}
}
