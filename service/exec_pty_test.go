//go:build unix

package service_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"parley"
	"parley/service"
)

// onTerminal serves script on a terminal.
func onTerminal(t *testing.T, script string) (*service.Command, *failures, string) {
	t.Helper()
	cmd, f := shell(script)
	cmd.Pty = true
	if err := cmd.Check(); err != nil {
		t.Skip(err)
	}
	return cmd, f, answering(t, "tcp:0", parley.Config{}, cmd.Exec)
}

// The caller's end is one for the reader on the terminal, and takes away nothing of the output.
func TestExecPtyHalfClosed(t *testing.T) {
	for name, test := range map[string]struct{ script, says, hears string }{
		"at once":       {"echo one; sleep .2; echo two", "", "one\r\ntwo\r\n"},
		"lines":         {"exec cat", "l1\nl2\n", "l1\r\nl2\r\n"},
		"half a line":   {"cat; echo; echo end", "l1\nhalf", "half\r\nend\r\n"},
		"reads no more": {"read x; exec <&-; sleep .2; echo two", "l1\nl2\n", "two\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, f, address := onTerminal(t, test.script)
			if text := sayAndHear(t, address, test.says); !strings.HasSuffix(text, test.hears) {
				t.Errorf("heard %q, want %q at its end", text, test.hears)
			}
			f.none(t)
		})
	}
}

// Many lines go through a terminal that does not echo, and each comes once.
func TestExecPtyManyLines(t *testing.T) {
	_, f, address := onTerminal(t, "stty -echo; echo ready; exec cat")
	c := calls(t, address, parley.Config{})
	if text, err := c.Receive(inTime(t)); strings.TrimSpace(string(text)) != "ready" || err != nil {
		t.Fatalf("heard %q, %v", text, err)
	}
	var lines strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&lines, "line %d\n", i)
	}
	go func() {
		_, _ = c.Write([]byte(lines.String()))
		_ = c.CloseWrite()
	}()
	if text := strings.ReplaceAll(hears(t, c), "\r\n", "\n"); text != lines.String() {
		t.Errorf("heard %d bytes, want %d", len(text), lines.Len())
	}
	f.none(t)
}

// Without canonical mode there is no Ctrl-D: the end hangs the terminal up.
func TestExecPtyRaw(t *testing.T) {
	_, f, address := onTerminal(t, "stty -icanon; echo ready; exec sleep 1000")
	c := calls(t, address, parley.Config{})
	if text, err := c.Receive(inTime(t)); strings.TrimSpace(string(text)) != "ready" || err != nil {
		t.Fatalf("heard %q, %v", text, err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	hears(t, c)
	f.none(t)
}

// What a coprocess has said too much is a failure of one that has ended by itself since, and at the end of the conversation.
func TestKeepSaysMore(t *testing.T) {
	for name, script := range map[string]string{
		"goes on, heard":     `read x; printf 'a\nmore\n'; echo said >&2; read x`,
		"goes on, not heard": `read x; echo a; echo more; echo said >&2; read x; exit 0`,
		"has ended":          `read x; printf 'a\nmore\n'; exec >&-; echo said >&2`,
	} {
		for _, next := range []bool{false, true} {
			t.Run(fmt.Sprint(name, next), func(t *testing.T) {
				cmd, f := shell(script)
				said := make(chan bool, 9)
				cmd.Stderr = func(*parley.Conn, []byte) { said <- true }
				h, ended := cmd.Keep, make(chan error, 1)
				c := calls(t, answering(t, "tcp:0", parley.Config{}, func(ctx context.Context, c *parley.Conn) error {
					err := h(ctx, c)
					ended <- err
					return err
				}), parley.Config{})
				asks(t, c, "x", "a")
				<-said
				want := 1
				if next {
					asks(t, c, "y", "a")
					<-said
					want = 2
				}
				if err := c.CloseWrite(); err != nil {
					t.Fatal(err)
				}
				<-ended
				if all := f.all(); len(all) != want || !strings.Contains(fmt.Sprint(all), "more than was asked") {
					t.Errorf("failures %v, want %d", all, want)
				}
			})
		}
	}
}
