//go:build unix

package service_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/frame"
)

func TestKeep(t *testing.T) {
	cmd, f := shell("n=0; while read x; do n=$((n+1)); echo $n $x; done")
	address := answering(t, "tcp:0", parley.Config{}, cmd.Keep)
	one, two := calls(t, address, parley.Config{}), calls(t, address, parley.Config{})
	asks(t, one, "a", "1 a", "b", "2 b")
	asks(t, two, "c", "1 c")
	asks(t, one, "d", "3 d")
	for _, c := range []*parley.Conn{one, two} {
		if err := c.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		ends(t, c)
	}
	f.none(t)
}

// The frames to and from the process need not be those of the conversation.
func TestKeepFrames(t *testing.T) {
	cmd, f := shell("cat")
	cmd.Frame = frame.MustParse("netstring")
	cfg := parley.Config{Frame: frame.MustParse(`end "."`)}
	c := calls(t, answering(t, "tcp:0", cfg, cmd.Keep), cfg)
	asks(t, c, "one\ntwo", "one\ntwo", "", "", strings.Repeat("x\n", 100_000)+"y", strings.Repeat("x\n", 100_000)+"y")
	f.none(t)

	cmd, f = shell(`while read x; do printf '%s!;' $x; done`)
	cmd.ReplyFrame = frame.MustParse(`until ";"`)
	c = calls(t, answering(t, "tcp:0", parley.Config{}, cmd.Keep), parley.Config{})
	asks(t, c, "one", "one!", "two", "two!")
	f.none(t)
}

// A coprocess that fails costs the caller one reply; the next request has a new one.
func TestKeepFails(t *testing.T) {
	for name, test := range map[string]struct {
		script string
		says   []string
	}{
		"status":            {"exit 3", []string{"exit status 3"}},
		"ends":              {"exit 0", []string{"it ended without a reply"}},
		"signal":            {"kill -9 $$", []string{"ended by signal killed"}},
		"hangs":             {"exec sleep 1000", []string{"no reply within 200ms", "ended by signal terminated"}},
		"half a reply":      {"printf half; exit 0", []string{"it ended without a reply"}},
		"floods":            {"yes | tr -d '\\n'", []string{"too long", "the limit is 1000"}},
		"closes its output": {"exec >&-; cat >/dev/null; exit 0", []string{"it ended without a reply"}},
		"cannot be said":    {"echo a; cat >/dev/null", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd, f := shell(`while read x; do [ "$x" = ill ] && { ` + test.script + `; }; echo "$x"; done`)
			cmd.MaxReply, cmd.OnError, cmd.Timeout = 1000, []byte("sorry"), time.Minute
			if name == "hangs" {
				cmd.Timeout = 200 * time.Millisecond
			}
			c := calls(t, answering(t, "tcp:0", parley.Config{}, cmd.Keep), parley.Config{})
			if test.says == nil {
				asks(t, c, "fine", "fine", "ill", "a")
				return
			}
			asks(t, c, "ill", "sorry")
			f.only(t, test.says...)
			cmd.Timeout = time.Minute
			asks(t, c, "well", "well", "still", "still")
			f.only(t)
		})
	}
}

func TestKeepFailsAndCloses(t *testing.T) {
	cmd, f := shell("read x; exit 3")
	c := calls(t, answering(t, "tcp:0", parley.Config{}, cmd.Keep), parley.Config{})
	if err := c.Send(inTime(t), []byte("x")); err != nil {
		t.Fatal(err)
	}
	ends(t, c)
	f.only(t, "exit status 3")
}

// What a process says beyond its reply must not be taken for the next one: it is replaced first. A line on its standard error
// tells that it has said it.
func TestKeepReplaces(t *testing.T) {
	for name, test := range map[string]struct {
		after string
		says  []string
	}{
		"said more":    {"echo more", []string{"it said more than was asked"}},
		"said by half": {"printf more", []string{"it said more than was asked"}},
		"ended badly":  {"exec >&-; echo said >&2; exit 4", []string{"exit status 4"}},
		"ended":        {"exec >&-; echo said >&2; exit 0", nil},
	} {
		t.Run(name, func(t *testing.T) {
			cmd, f := shell(`while read x; do echo "$x"; ` + test.after + `; echo said >&2; done`)
			said := make(chan string, 9)
			cmd.Stderr = func(_ *parley.Conn, line []byte) { said <- string(line) }
			c := calls(t, answering(t, "tcp:0", parley.Config{}, cmd.Keep), parley.Config{})
			for _, text := range []string{"first", "second"} {
				asks(t, c, text, text)
				if line := <-said; line != "said" {
					t.Errorf("heard %q", line)
				}
			}
			if test.says == nil {
				f.none(t)
			} else {
				f.only(t, test.says...)
			}
		})
	}
}

// A request that the process cannot be given is no reason to end it.
func TestKeepRequestThatCannotBeSaid(t *testing.T) {
	cmd, f := shell("n=0; while read x; do n=$((n+1)); echo $n; done")
	cmd.OnError = []byte("sorry")
	cfg := parley.Config{Frame: frame.MustParse("u32")}
	c := calls(t, answering(t, "tcp:0", cfg, cmd.Keep), cfg)
	asks(t, c, "x", "1", "two\nlines", "sorry", "x", "2")
	f.only(t, "the request cannot be said to it", "contains its own end")
}

// That nothing more can be said to a caller who has his one reply is no reason to end the process.
func TestKeepUntilClose(t *testing.T) {
	t.Parallel()
	cmd, f := shell("while read x; do echo $x; done; echo in order >&2")
	last := make(chan string, 9)
	cmd.Stderr = func(_ *parley.Conn, line []byte) { last <- string(line) }
	cfg := parley.Config{Frame: frame.UntilClose(), HearFrame: frame.Line()}
	h, ended := cmd.Keep, make(chan error, 1)
	c := calls(t, answering(t, "tcp:0", cfg, func(ctx context.Context, c *parley.Conn) error {
		err := h(ctx, c)
		ended <- err
		return err
	}), parley.Config{Frame: frame.Line(), HearFrame: frame.UntilClose()})
	asks(t, c, "x", "x")
	if err := <-ended; err != nil { // the caller keeps his side open, and is heard out
		t.Error(err)
	}
	close(last)
	if line := <-last; line != "in order" {
		t.Errorf("the process ended with %q", line)
	}
	f.none(t)
}

// One that does not end with its input is ended.
func TestKeepLingers(t *testing.T) {
	cmd, f := shell("read x; echo $x; exec sleep 1000")
	c := calls(t, answering(t, "tcp:0", parley.Config{}, cmd.Keep), parley.Config{})
	asks(t, c, "x", "x")
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	ends(t, c)
	f.only(t, "did not end within 2s", "terminated")
}
