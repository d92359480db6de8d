package main

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestRelayProgress: at a terminal a person sees how far it is, notes have lines of their own, and nothing is left in the end.
func TestRelayProgress(t *testing.T) {
	t.Parallel()
	v, term := atTerminal(t, parley("relay", "0", saysServer(t, "hello\n")))
	address := "127.0.0.1:" + term.seen.await(t, `to call it: parley call (\d+)`)[1]
	c := talk(t, address)
	c.hears("hello\n")
	term.seen.await(t, `up 0 B, down 6 B, .*/s, 1 conversation `)
	c.say("12345")
	term.seen.await(t, `up 5 B, down 6 B, `)
	c.reset()
	term.seen.await(t, `parley: conversation failed[^\n]*reset[^\n]*\n`)
	term.typed(t, ctrlC)
	if code := v.wait(); code != 130 {
		t.Errorf("exit code %d", code)
	}
	for line := range strings.Lines(term.seen.text()) {
		last := line[strings.LastIndex(strings.TrimRight(line, "\r\n"), "\r")+1:]
		if strings.Contains(last, "parley: ") != strings.HasPrefix(last, "parley: ") {
			t.Errorf("a note and the progress are mixed: %q", line)
		}
	}
	if rest := term.seen.text(); !regexp.MustCompile(`(^|\n)(\r[^\n]*\r)?$`).MatchString(rest) {
		t.Errorf("something is left on the last line: %q", clip(rest))
	}
}

// TestRelayBar: where the size is known there is a bar.
func TestRelayBar(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(name, make([]byte, 64<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	half := make(chan struct{})
	address := serve(t, func(c *net.TCPConn) {
		_, _ = io.CopyN(io.Discard, c, 32<<20)
		<-half
		_, _ = io.Copy(io.Discard, c)
	})
	p, term := atTerminal(t, parley("relay", "file:"+name, address))
	term.seen.await(t, `\[#{8,19}-{1,12}\] \d+%.*up \d+\.\d MB`)
	close(half)
	if code := p.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestRelayNoProgress: not in a pipe, not where it is not wanted, and not where it would be in the way of what is shown.
func TestRelayNoProgress(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"--no-progress", "--show=text"} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			v, term := atTerminal(t, parley("relay", "0", saysServer(t, "hello\n"), flag, "--max-time", "600ms"))
			c := talk(t, "127.0.0.1:"+term.seen.await(t, `to call it: parley call (\d+)`)[1])
			c.hears("hello\n")
			c.isReset("") // there was time for progress
			term.typed(t, ctrlC)
			v.wait()
			if strings.Contains(term.seen.text(), "down 6 B") {
				t.Errorf("progress: %q", term.seen.text())
			}
		})
	}
	t.Run("in a pipe", func(t *testing.T) {
		t.Parallel()
		v, address := relaying(t, "127.0.0.1:0", saysServer(t, "hello\n"), "--max-time", "600ms")
		c := talk(t, address)
		c.isReset("hello\n")
		v.interrupt()
		v.leaves(130, ``)
		if strings.Contains(v.err.text(), "down 6 B") || strings.Contains(v.err.text(), "\r") {
			t.Errorf("progress: %q", v.err.text())
		}
	})
}
