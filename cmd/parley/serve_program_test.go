//go:build unix

package main

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// serving starts a parley that serves, and returns its addresses when callers can come. A command follows "--".
func serving(t *testing.T, args ...string) (p *program, addresses []string) {
	t.Helper()
	return startServing(t, parley(args...))
}

// serving1 is serving for one address.
func serving1(t *testing.T, args ...string) (p *program, address string) {
	t.Helper()
	p, addresses := serving(t, args...)
	if len(addresses) != 1 {
		t.Fatalf("%s is ready at %q, want one address", p.cmd, addresses)
	}
	return p, addresses[0]
}

// startServing is serving for a command that the test has made. It must be a parley, with its verb first.
func startServing(t *testing.T, cmd *exec.Cmd) (p *program, addresses []string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.ExtraFiles = []*os.File{w}
	cmd.Args = slices.Insert(cmd.Args, 2, "--ready-fd", "3")
	p = start(t, cmd)
	w.Close()
	text, err := io.ReadAll(r)
	if err != nil || len(text) == 0 {
		<-p.done
		t.Fatalf("%s never got ready: %v\nstderr: %s", cmd, err, p.err.text())
	}
	return p, strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// readyFile waits for what --ready-file names, and returns the addresses in it.
func readyFile(t *testing.T, p *program, name string) (addresses []string) {
	t.Helper()
	ok := poll(func() bool {
		text, err := os.ReadFile(name)
		addresses = strings.Fields(string(text))
		select {
		case <-p.done:
			return true
		default:
			return err == nil
		}
	})
	if !ok || len(addresses) == 0 {
		t.Fatalf("%s never got ready\nstderr: %s", p.cmd, clip(p.err.text()))
	}
	return addresses
}

// A talker is a caller made of Go that says and hears lines.
type talker struct {
	net.Conn
	t   *testing.T
	buf *bufio.Reader
}

// talk calls a TCP address, or unix:PATH or udp:HOST:PORT. Whoever waits longer than any test may, fails.
func talk(t *testing.T, address string) *talker {
	t.Helper()
	network, rest, ok := strings.Cut(address, ":")
	if !ok || network != "udp" && network != "unix" {
		network, rest = "tcp", address
	}
	return talkOver(t, dial(t, network, rest))
}

func talkOver(t *testing.T, nc net.Conn) *talker {
	t.Helper()
	if err := nc.SetDeadline(time.Now().Add(tooLong)); err != nil {
		t.Fatal(err)
	}
	return &talker{nc, t, bufio.NewReaderSize(nc, 64<<10)}
}

func (c *talker) say(text string) {
	c.t.Helper()
	write(c.t, c.Conn, text)
}

// hears fails the test unless the next bytes are want.
func (c *talker) hears(want string) {
	c.t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c.buf, got); err != nil || string(got) != want {
		c.t.Fatalf("heard %.200q (%v), want %.200q", got[:n], err, want)
	}
}

// line returns the next line without its end.
func (c *talker) line() string {
	c.t.Helper()
	text, err := c.buf.ReadString('\n')
	if err != nil {
		c.t.Fatalf("heard %q and then %v, want a line", clip(text), err)
	}
	return strings.TrimSuffix(text, "\n")
}

// end says the end and goes on hearing.
func (c *talker) end() {
	c.t.Helper()
	if err := c.Conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		c.t.Fatal(err)
	}
}

// rest returns all that comes until the end, which must be in order: no reset.
func (c *talker) rest() string {
	c.t.Helper()
	text, err := io.ReadAll(c.buf)
	if err != nil {
		c.t.Errorf("heard %q and then %v, want the end", clip(string(text)), err)
	}
	return string(text)
}

// ended fails the test unless the other end ends without another word. A reset is an end as well: of some callers not all is
// heard.
func (c *talker) ended() {
	c.t.Helper()
	text, err := io.ReadAll(c.buf)
	if len(text) > 0 || isTimeout(err) {
		c.t.Errorf("heard %q and then %v, want the end", clip(string(text)), err)
	}
}

func isTimeout(err error) bool {
	timeout, ok := err.(net.Error)
	return ok && timeout.Timeout()
}

// exchange calls, says text and the end, and returns what it hears until the end.
func exchange(t *testing.T, address, text string) string {
	t.Helper()
	c := talk(t, address)
	defer c.Close()
	c.say(text)
	c.end()
	return c.rest()
}

// signal sends a signal, and terminate that of kill, systemd and docker.
func (p *program) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// alive fails the test if p has left.
func (p *program) alive() {
	p.t.Helper()
	select {
	case <-p.done:
		p.t.Errorf("%s has left with %v\nstderr: %s", p.cmd, p.cmd.ProcessState, clip(p.err.text()))
	default:
	}
}

// portOf returns the port of an address.
func portOf(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address[strings.LastIndex(address, "127."):])
	if _, bad := strconv.Atoi(port); err != nil || bad != nil {
		t.Fatalf("%q: no port in it", address)
	}
	return port
}

// file makes a file with text in it, in a directory of its own, and returns its name.
func file(t *testing.T, name, text string) string {
	t.Helper()
	name = t.TempDir() + "/" + name
	rewrite(t, name, text)
	return name
}

func rewrite(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
