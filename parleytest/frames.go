package parleytest

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"parley"
	"parley/frame"
)

// frameRules are about what is said and heard.
var frameRules = []rule{
	{"frames", "frames of every format come whole and in order, the long ones too", (*kit).checkFrames},
	{"both-ways", "both ends can say long frames at the same time, as long as both hear", (*kit).checkBothWays},
	{"ask", "the reply to an Ask is the next frame heard", (*kit).checkAsk},
	{"bytes", "what is written is what is read, however it is cut", (*kit).checkBytes},
}

// formats are those that a stream can carry.
var formats = []string{
	`line`, `lf`, `crlf`, `nul`, `blank line`, `crlf blank line`, `2 blank lines`, `end "END REQUEST"`, `crlf end "." stuffed`,
	`until "--"`, `until close`, `100 bytes`, `100 bytes then crlf`, `u8`, `u16`, `u32`, `u64`, `u32 little`, `decimal`, `netstring`,
}

// sizes are the bytes of the frames said in each format that can carry them: none, few, around what a length of one and two
// bytes can say, around what one read brings, and much more.
var sizes = []int{0, 1, 2, 100, 255, 256, 4095, 65535, 65536, 65537, 200_000, 3 << 20}

func (k *kit) checkFrames() {
	for _, name := range formats {
		f := frame.MustParse(name)
		texts := k.textsFor(f)
		if f == frame.UntilClose() && (k.NoHalfClose != "" || k.Edges) { // an edge ends a frame before the close can
			continue
		}
		caller, accepted := k.pair(f)
		k.tells(caller, accepted, f, texts)
		k.tells(accepted, caller, f, texts)
		caller.Close()
		accepted.Close()
	}
}

// textsFor returns the texts that f can carry on this transport.
func (k *kit) textsFor(f frame.Format) (texts [][]byte) {
	for _, size := range sizes {
		text := letters(size)
		wire, err := f.Append(nil, text)
		if err != nil || k.MaxFrame > 0 && len(wire) > k.MaxFrame || k.Edges && len(wire) == 0 {
			continue
		}
		texts = append(texts, text)
		if f == frame.UntilClose() && size > 0 {
			break // there is one such frame
		}
	}
	if f == frame.UntilClose() {
		texts = texts[len(texts)-1:]
	}
	return texts
}

// tells has one end say texts and the end, and the other hear them.
func (k *kit) tells(from, to *parley.Conn, f frame.Format, texts [][]byte) {
	k.Helper()
	said := make(chan error, 1)
	go func() { said <- k.tell(from, f, texts) }()
	for i, want := range texts {
		got, err := to.Receive(k.ctx)
		if err != nil {
			k.broken("format %v: receive frame %d, of %d bytes: %v", f, i, len(want), err)
		}
		if !bytes.Equal(got, want) {
			k.broken("format %v: frame %d was said as %s and heard as %s", f, i, brief(want), brief(got))
		}
	}
	if err := <-said; err != nil {
		k.broken("format %v: %v", f, err)
	}
	if k.NoHalfClose != "" {
		return
	}
	if got, err := to.Receive(k.ctx); err != io.EOF {
		k.broken("format %v: after the last frame heard %s and the error %v, want io.EOF", f, brief(got), err)
	}
}

func (k *kit) tell(from *parley.Conn, f frame.Format, texts [][]byte) error {
	for i, text := range texts {
		if err := from.Send(k.ctx, text); err != nil {
			return fmt.Errorf("send frame %d, of %d bytes: %w", i, len(text), err)
		}
	}
	if k.NoHalfClose != "" || f == frame.UntilClose() { // whose Send says the end
		return nil
	}
	return from.CloseWrite()
}

func (k *kit) checkBothWays() {
	caller, accepted := k.pair(frame.MustParse("u32"))
	size := 8 << 20
	if k.MaxFrame > 0 {
		size = k.MaxFrame / 2
	}
	text := letters(size)
	said := make(chan error, 2)
	for _, c := range []*parley.Conn{caller, accepted} {
		go func() { said <- c.Send(k.ctx, text) }()
	}
	heard := make(chan error, 2)
	for _, c := range []*parley.Conn{caller, accepted} {
		go func() {
			got, err := c.Receive(k.ctx)
			if err == nil && !bytes.Equal(got, text) {
				err = errors.New("the frame was changed on its way")
			}
			heard <- err
		}()
	}
	for range 2 {
		k.check("hear while saying", <-heard)
		k.check("say while hearing", <-said)
	}
}

func (k *kit) checkAsk() {
	caller, accepted := k.pair(nil)
	done := make(chan error, 1)
	go func() { done <- echo(k.ctx, accepted) }()
	for i := range 100 {
		question := fmt.Appendf(nil, "question %d", i)
		reply, err := caller.Ask(k.ctx, question)
		k.check("ask", err)
		if !bytes.Equal(reply, question) {
			k.broken("asked %q, heard %q", question, reply)
		}
	}
	caller.Close()
	k.check("echo until the caller has closed", k.within("Frames after the caller's Close", func() error { return <-done }))
}

func (k *kit) checkBytes() {
	if k.Edges {
		k.Skip("a read there takes what one write said")
	}
	caller, accepted := k.pair(nil)
	want := letters(1 << 20)
	said := make(chan error, 1)
	go func() { said <- writeCut(caller, want) }()
	got := make([]byte, len(want))
	for n := 0; n < len(got); {
		m, err := accepted.Read(got[n:min(n+1+n%5000, len(got))])
		k.check("read", err)
		n += m
	}
	k.check("write", <-said)
	if !bytes.Equal(got, want) {
		k.broken("the bytes were changed on their way")
	}
}

// writeCut writes p in pieces of many sizes.
func writeCut(w io.Writer, p []byte) error {
	for i := 1; len(p) > 0; i += 7 {
		n := min(i, len(p))
		if _, err := w.Write(p[:n]); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}
