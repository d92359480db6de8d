//go:build unix

package main

import (
	"net"
	"strings"
	"testing"
)

// A wait that lasts longer than --patience is explained on standard error, once. That it was once is seen when something
// else has happened after it.

const notes = "parley: waiting "

func (p *program) explained(times int) {
	p.t.Helper()
	if got := strings.Count(p.err.text(), notes); got != times {
		p.t.Errorf("%s\n%d waits explained, want %d: %s", p.cmd, got, times, clip(p.err.text()))
	}
}

// TestNoReply: a server that hears and never answers.
func TestNoReply(t *testing.T) {
	t.Parallel()
	address := serve(t, stubborn(t))
	p := start(t, parley("ask", address, "hello", "--patience", "100ms", "--idle-timeout", "1s"))
	p.leaves(5, `(?m)^parley: waiting .* for `+address+` to speak: said 6 bytes.*; heard 0 bytes$`)
	p.explained(1)
}

// TestExplainedEachTime: another wait is another explanation.
func TestExplainedEachTime(t *testing.T) {
	t.Parallel()
	next := make(chan string)
	address := serve(t, func(c *net.TCPConn) {
		for text := range next {
			write(t, c, text)
		}
	})
	cmd := parley("call", address, "--patience", "100ms")
	in := input(t, cmd)
	p := start(t, cmd)
	p.err.await(t, notes)
	next <- "one\n"
	p.err.await(t, notes+`[^\n]*\n[^\n]*`+notes+`.* heard 4 bytes`)
	in.Close()
	close(next)
	p.leaves(0, ``)
	p.says("one\n")
	p.explained(2)
}

// TestPatienceOff: nothing is explained where nobody wants to know.
func TestPatienceOff(t *testing.T) {
	t.Parallel()
	p := start(t, parley("ask", serve(t, stubborn(t)), "hello", "--patience", "0", "--idle-timeout", "500ms"))
	p.leaves(5, `--idle-timeout`)
	p.explained(0)
}

// TestUnfinishedLine: the other end has begun a line and does not end it.
func TestUnfinishedLine(t *testing.T) {
	t.Parallel()
	const text = "27 bytes without a line end"
	wait := `to finish a message: said .*; heard 27 bytes without the end of a line yet`
	address := serve(t, func(c *net.TCPConn) { write(t, c, text); silent(c) })
	p := start(t, parley("ask", address, "hello", "--patience", "100ms", "--idle-timeout", "1s"))
	p.leaves(5, wait)
	p.explained(1)

	for _, flags := range []string{"", "--tag", "--json"} {
		v, to := listen(t, parley(append([]string{"listen", "0", "--count", "1", "--patience", "100ms"}, strings.Fields(flags)...)...))
		c := dial(t, "tcp", to)
		write(t, c, text)
		v.err.await(t, `waiting .* for 1 \(127\.0\.0\.1:\d+\) `+wait)
		write(t, c, "\n")
		c.Close()
		v.leaves(0, ``)
		v.explained(1)
	}
}

// TestNotReading: the other end hears nothing of what is said, and its window is shut.
func TestNotReading(t *testing.T) {
	t.Parallel()
	read := make(chan struct{})
	address := serve(t, func(c *net.TCPConn) {
		select {
		case <-read:
			silent(c)
		case <-t.Context().Done():
		}
	})
	p := start(t, stdin(parley("call", address, "--patience", "1s"), strings.Repeat("x", 20<<20))) // the window shuts within that
	p.err.await(t, `waiting .* for `+address+` to read: said \d+ bytes, \d+ taken by the other kernel; heard 0 bytes; the other end is not reading`)
	close(read)
	p.leaves(0, ``)
	p.explained(1)
}

// TestOpenInput: the other end has ended, but standard input has not.
func TestOpenInput(t *testing.T) {
	t.Parallel()
	address := serve(t, func(c *net.TCPConn) { _ = c.CloseWrite(); silent(c) })
	cmd := parley("call", address, "--patience", "100ms")
	in := input(t, cmd)
	p := start(t, cmd)
	p.err.await(t, `waiting .* for the end of standard input: .*the other end has ended`)
	in.Close()
	p.leaves(0, ``)
	p.explained(1)

	cmd = parley("ask", address, "--patience", "100ms")
	input(t, cmd)
	start(t, cmd).err.await(t, `waiting .* for standard input: said 0 bytes`)
}

// TestBothListen: both ends wait for the other to speak first, and both say so.
func TestBothListen(t *testing.T) {
	t.Parallel()
	cmd := parley("listen", "0", "--once", "--patience", "100ms")
	theirs := input(t, cmd)
	v, address := listen(t, cmd)
	cmd = parley("call", address, "--patience", "100ms")
	ours := input(t, cmd)
	p := start(t, cmd)
	p.err.await(t, `waiting .* for `+address+` to speak: said 0 bytes; heard 0 bytes`)
	v.err.await(t, `waiting .* for 127\.0\.0\.1:\d+ to speak: said 0 bytes; heard 0 bytes`)
	ours.Close()
	theirs.Close()
	p.leaves(0, ``)
	v.leaves(0, ``)
}

// TestBothSay: both ends have 20 MB to say, more than the kernels hold. Programs that say all before they hear deadlock.
func TestBothSay(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("x", 20<<20)
	v, address := listen(t, stdin(parley("listen", "0", "--once"), text))
	p := start(t, stdin(parley("call", address), text))
	p.leaves(0, `^$`)
	v.leaves(0, ``)
	if got := len(p.out.text()); got != len(text) {
		t.Errorf("call heard %d bytes of %d", got, len(text))
	}
	if got := len(v.out.text()); got != len(text) {
		t.Errorf("listen heard %d bytes of %d", got, len(text))
	}
}

// TestSilentCallersNeedNoWords: a listener explains nothing while its callers are between two messages.
func TestSilentCallersNeedNoWords(t *testing.T) {
	t.Parallel()
	v, address := listen(t, parley("listen", "0", "--count", "2", "--patience", "50ms", "--tag"))
	quiet, busy := dial(t, "tcp", address), dial(t, "tcp", address)
	write(t, busy, "unfinished")
	v.err.await(t, notes+`.* for 2 `)
	write(t, busy, "\n")
	quiet.Close()
	busy.Close()
	v.leaves(0, ``)
	v.explained(1)
}
