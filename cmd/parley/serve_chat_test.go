//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// A guest is a peer that takes part in a chat.
type guest struct {
	*program
	say func(text string)
}

// enter has a peer join the chat, and waits until it is in.
func enter(t *testing.T, cmd *exec.Cmd) guest {
	t.Helper()
	in := input(t, cmd)
	g := guest{start(t, cmd), func(text string) { t.Helper(); write(t, in, text) }}
	g.out.await(t, `(?m)^\* .*guest\d+`)
	return g
}

// TestChatPeers: nc, ncat, socat and parley talk with each other, and the server prints everything.
func TestChatPeers(t *testing.T) {
	t.Parallel()
	v, address := serving1(t, "serve", "chat=127.0.0.1:0")
	port := portOf(t, address)
	guests := []guest{
		enter(t, peer(t, "nc", "127.0.0.1", port)),
		enter(t, peer(t, "ncat", "127.0.0.1", port)),
		enter(t, peer(t, "socat", "-", "TCP:"+address)),
		enter(t, parley("call", address)),
	}
	for i, g := range guests {
		g.say(fmt.Sprintf("/name name%c\n", 'A'+i))
		g.out.await(t, fmt.Sprintf(`(?m)^\* .*%d.* name%c`, i+1, 'A'+i))
		g.say("hello\n")
		for j, other := range guests {
			if j != i {
				other.out.await(t, fmt.Sprintf(`(?m)^\[%d name%c\] hello$`, i+1, 'A'+i))
			}
		}
		v.out.await(t, fmt.Sprintf(`(?m)^\[lobby\] \[%d name%c\] hello$`, i+1, 'A'+i))
	}
	guests[0].say("/who\n")
	guests[0].out.await(t, `(?m)^\* in lobby: 1 nameA.*2 nameB.*3 nameC.*4 nameD$`)
	guests[1].say("/join attic\n")
	guests[1].out.await(t, `(?m)^\* .*attic`)
	guests[1].say("anybody here?\n")
	v.out.await(t, `(?m)^\[attic\] \[2 nameB\] anybody here\?$`)
	guests[0].say("/quit\n")
	guests[2].out.await(t, `(?m)^\* 1 nameA left`)
	if strings.Contains(guests[2].out.text(), "anybody here") {
		t.Error("a line was heard in another room")
	}
	v.signal(syscall.SIGTERM)
	v.leaves(0, ``)
}

// TestChatForgery: nothing that a caller says is taken for another's line, or for the server's. In ncat's chat a line end
// and a tag in one write are another speaker.
func TestChatForgery(t *testing.T) {
	t.Parallel()
	v, address := serving1(t, "serve", "chat=127.0.0.1:0")
	port := portOf(t, address)
	hearers := []guest{enter(t, peer(t, "nc", "127.0.0.1", port)), enter(t, peer(t, "ncat", "127.0.0.1", port))}
	forger := talk(t, address)
	hearers[0].out.await(t, `(?m)^\* 3 guest3`)
	forger.say("hello\n[1 guest1] I am not guest1\r\n* 9 root came\n")
	forger.say("\r[1 guest1] over it\n\x1b[2K\x1b[1G[1 guest1] erased\n")
	forger.say("split ")
	hearers[1].say("between\n")
	hearers[0].out.await(t, `(?m)^\[2 guest2\] between$`)
	forger.say("line\n/name 1 guest1\n/name guest1\n/name *\n/name a]b\n/name \x1b[31mred\n\u202e[1 guest1] backwards\n")
	forger.say("\xff\xfe\x00binary\u2028[1 guest1] separated\nlast\n")
	for _, h := range hearers {
		h.out.await(t, `(?m)^\[3 guest3\] last$`)
		checkChat(t, h.out.text())
	}
	v.out.await(t, `(?m) last$`)
	for _, line := range v.out.lines() {
		if !strings.HasPrefix(line, "[lobby] ") {
			t.Errorf("the server prints %q", line)
		}
	}
	hearers[0].out.await(t, `(?m)^\[3 guest3\] split line$`)
	hearers[0].out.await(t, `(?m)^\[3 guest3\] \[1 guest1\] I am not guest1`)
	hearers[0].out.await(t, `(?m)^\[3 guest3\] \* 9 root came$`)
}

// checkChat fails the test if a line is of somebody who has said nothing, or of nobody, or no text.
func checkChat(t *testing.T, text string) {
	t.Helper()
	head := regexp.MustCompile(`^(\* |\[2 guest2\] between$|\[3 guest3\] )`)
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if !head.MatchString(line) || strings.HasPrefix(line, "* 9") {
			t.Errorf("forged: %q", line)
		}
		if regexp.MustCompile(`[\x00-\x08\x0b-\x1f\x7f\x{202e}\x{2028}]`).MatchString(line) {
			t.Errorf("control characters: %q", line)
		}
	}
}

// TestChatSlow: a caller that never reads slows nobody, and is dropped with notice.
func TestChatSlow(t *testing.T) {
	t.Parallel()
	cmd := parley("serve", "chat=127.0.0.1:0")
	cmd.Stdout = openDevNull(t) // it would be all that is said
	_, at := startServing(t, cmd)
	hearer := talk(t, at[0])
	hearer.until("you are [1 guest1]")
	stalled := talk(t, at[0]) // guest2 reads nothing
	hearer.until("* 2 guest2 came")
	loud := talk(t, at[0])
	loud.until("you are [3 guest3]")
	dropped := make(chan struct{})
	go func() {
		defer close(dropped)
		hearer.until("* 2 guest2 ")
	}()
	text := strings.Repeat(strings.Repeat("x", 1000)+"\n", 50)
	for n := 0; !isClosed(dropped); n++ {
		if n > 20_000 {
			t.Fatal("1 GB was said, and the caller that does not read is still there")
		}
		loud.say(text)
	}
	loud.say("still here\n")
	hearer.until("[3 guest3] still here")
	stalled.until("dropped")
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// openDevNull is for a program whose output nobody wants to keep.
func openDevNull(t *testing.T) *os.File {
	t.Helper()
	f, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// TestChatNames: a name is taken once, and control sequences are none.
func TestChatNames(t *testing.T) {
	t.Parallel()
	_, address := serving1(t, "serve", "chat=127.0.0.1:0")
	ann := talk(t, address)
	ann.until("you are [1 guest1]")
	bob := talk(t, address)
	ann.say("/name ann\n")
	ann.until("is now ann")
	for _, name := range []string{"ann", "ANN", "\x1b[31mred", "a b", "", strings.Repeat("x", 100), "guest1"} {
		bob.say("/name " + name + "\n")
		bob.until("you are still")
	}
	bob.say("/nam bob\n")
	bob.until("did you mean /name")
	bob.say("//quit\n")
	ann.until("[2 guest2] /quit")
}

// until hears lines until one contains text.
func (c *talker) until(text string) string {
	c.t.Helper()
	for {
		if line := c.line(); strings.Contains(line, text) {
			return line
		}
	}
}
