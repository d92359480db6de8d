//go:build unix

package systemd

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"parley"
	"parley/parleytest"
)

// always is the address of many sockets of one name: each use is another socket.
func always(*testing.T) string { return "systemd:many" }

// enough is how many sockets the rules for schemes take.
const enough = 60

func names(n int) string { return strings.TrimSuffix(strings.Repeat("many:", n), ":") }

// callable makes what Listener.Address says callable, whether it knows of Scheme or not.
func callable(prefix string) func(*testing.T, string) string {
	return func(_ *testing.T, address string) string {
		rest, ours := strings.CutPrefix(address, "systemd:")
		if !ours {
			return address
		}
		return prefix + rest
	}
}

func TestRulesOfSchemes(t *testing.T) {
	if inChild(t, names(enough), opened(t, many(enough, tcpSocket)...)...) {
		parleytest.TestScheme(t, parleytest.SchemeTest{Address: always, Call: callable("tcp:")})
	}
}

func TestRulesOfSchemesUnix(t *testing.T) {
	if inChild(t, names(enough), opened(t, many(enough, unixSocket("unix"))...)...) {
		parleytest.TestScheme(t, parleytest.SchemeTest{Address: always, Call: callable("unix:")})
	}
}

func TestRulesOfSchemesSeqpacket(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("no sequential packets here")
	}
	if inChild(t, names(enough), opened(t, many(enough, unixSocket("unixpacket"))...)...) {
		parleytest.TestScheme(t, parleytest.SchemeTest{Address: always, Call: callable("unix:"), Edges: true,
			MaxFrame: 64 << 10})
	}
}

func TestRulesOfSchemesPackets(t *testing.T) {
	if inChild(t, names(enough), opened(t, many(enough, udpSocket)...)...) {
		parleytest.TestScheme(t, parleytest.SchemeTest{Packets: true, Address: always, Call: callable("udp:"),
			NoRefusal: "UDP tells nobody that nobody listens, or late"})
	}
}

// Each sender of datagrams has a conversation of its own.
func TestSenders(t *testing.T) {
	if !inChild(t, "udp:unix", opened(t, udpSocket, unixDatagrams)...) {
		return
	}
	for _, name := range []string{"udp", "unix"} {
		ln, err := parley.Listen(t.Context(), "systemd:"+name+"?senders=2")
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		over := make(chan error)
		go func() {
			s := &parley.Server{Handler: func(ctx context.Context, c *parley.Conn) error {
				for f, err := range c.Frames(ctx) {
					if err != nil {
						return err
					}
					if err := c.Send(ctx, append([]byte("heard "), f.Data...)); err != nil {
						return err
					}
				}
				return nil
			}}
			over <- s.Serve(ctx, ln)
		}()
		for _, text := range []string{"one", "two"} {
			ask(t, name, ln.Addr().String(), text)
		}
		stop()
		if err := <-over; err != nil {
			t.Error(err)
		}
	}
}

func ask(t *testing.T, kind, to, text string) {
	t.Helper()
	address := "udp:" + to
	if kind == "unix" {
		address = "unix:" + to + "?type=datagram"
		if runtime.GOOS != "linux" {
			address += "&from=" + socketPath(t)
		}
	}
	c, err := parley.Dial(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	reply, err := c.Ask(t.Context(), []byte(text))
	if string(reply) != "heard "+text || err != nil {
		t.Errorf("%s: asked %q, got %q, %v", address, text, reply, err)
	}
}

func TestNamesAndNumbers(t *testing.T) {
	if !inChild(t, "web:dns:web:last", opened(t, tcpSocket, udpSocket, unixSocket("unix"), unixSocket("unix"))...) {
		return
	}
	for _, test := range []struct{ address, wants string }{
		{"systemd:", "4 sockets; name one: 3 (web), 4 (dns), 5 (web), 6 (last)"},
		{"systemd:nobody", `no socket "nobody"; there are 3 (web)`},
		{"systemd:2", `no socket "2"`},
		{"systemd:web", ""},
		{"systemd:web", ""},
		{"systemd:web", "all 2 sockets of the name web are listened on already"},
		{"systemd:3", "socket 3 (web) is listened on already"},
		{"systemd:last?idle=1s", "socket 6 (last) is no socket for datagrams"},
		{"systemd:4", ""},
		{"systemd:dns", "socket 4 (dns) is listened on already"},
	} {
		ln, err := parley.Listen(t.Context(), test.address)
		if err == nil {
			defer ln.Close()
		}
		switch {
		case test.wants == "" && err != nil:
			t.Errorf("%s: %v", test.address, err)
		case test.wants != "" && (err == nil || !strings.Contains(err.Error(), test.wants)):
			t.Errorf("%s: %v, want that it says %q", test.address, err, test.wants)
		case strings.Contains(test.wants, "already") && !errors.Is(err, syscall.EADDRINUSE):
			t.Errorf("%s: %v is no EADDRINUSE", test.address, err)
		}
	}
	if _, err := parley.Dial(t.Context(), "systemd:web"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("dial: %v", err)
	}
}

// What listens knows by which scheme it is called.
func TestScheme(t *testing.T) {
	if !inChild(t, "tcp:udp:unix", opened(t, tcpSocket, udpSocket, unixSocket("unix"))...) {
		return
	}
	for _, name := range []string{"tcp", "udp", "unix"} {
		nl, err := listen(t.Context(), parley.Addr{Scheme: "systemd", Target: name}, new(parley.Config))
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := nl.(interface{ Scheme() string }); !ok || s.Scheme() != name {
			t.Errorf("%s: %T is of another scheme", name, nl)
		}
		nl.Close()
	}
}

// Commands that this process runs must not take its sockets for theirs.
func TestNothingIsLeftForCommands(t *testing.T) {
	if !inChild(t, "only", opened(t, tcpSocket)...) {
		return
	}
	ln, err := parley.Listen(t.Context(), "systemd:")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	out, err := exec.Command("/bin/sh", "-c", `env | grep ^LISTEN_; (: <&3) 2>/dev/null && echo 3 is open; true`).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}

// Descriptors that are not what they should be.
func TestNotToBeListenedOn(t *testing.T) {
	if !inChild(t, "file:caller:tcp", opened(t, devNull, oneCaller, tcpSocket)...) {
		return
	}
	_, err := parley.Listen(t.Context(), "systemd:file")
	says(t, err, "no socket")
	if runtime.GOOS == "linux" {
		_, err = parley.Listen(t.Context(), "systemd:caller")
		says(t, err, "Accept=yes")
	}
	_, err = parley.ListenPacket(t.Context(), "systemd:tcp")
	says(t, err, "no datagrams")
}

func says(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want that it says %q", err, want)
	}
}

func TestNothingHandedOver(t *testing.T) {
	for _, test := range []struct{ count, pid, wants string }{
		{"", "", "LISTEN_FDS is not set"},
		{"0", "", "LISTEN_FDS is not set"},
		{"1", "1", "another process: LISTEN_PID is \"1\""},
	} {
		t.Setenv("LISTEN_FDS", test.count)
		t.Setenv("LISTEN_PID", test.pid)
		_, err := takeOver().take("")
		says(t, err, test.wants)
		var mistake *parley.AddressError
		if !errors.As(err, &mistake) {
			t.Errorf("%v is no mistake in the address", err)
		}
	}
}

// systemd itself, if it is here.
func TestSocketActivate(t *testing.T) {
	if isChild(t) {
		answerOne(t)
		return
	}
	activate, err := exec.LookPath("systemd-socket-activate")
	if err != nil && os.Getenv("PARLEY_PEERS") == "required" {
		t.Fatal("systemd-socket-activate is missing, and PARLEY_PEERS=required")
	} else if err != nil {
		t.Skip("systemd-socket-activate is missing")
	}
	path := socketPath(t)
	cmd := exec.CommandContext(t.Context(), activate, "--listen="+path, "--fdname=web",
		"--setenv="+childVariable+"="+t.Name(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	out := new(strings.Builder)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := dialUntilThere(t, path)
	defer c.Close()
	reply, err := c.Ask(t.Context(), []byte("hello"))
	if string(reply) != "hello" || err != nil {
		t.Errorf("got %q, %v", reply, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// dialUntilThere calls again while nobody listens yet.
func dialUntilThere(t *testing.T, path string) *parley.Conn {
	t.Helper()
	for t.Context().Err() == nil {
		if c, err := parley.Dial(t.Context(), "unix:"+path); err == nil {
			return c
		}
		runtime.Gosched()
	}
	t.Fatal("nobody listens on " + path)
	return nil
}

func answerOne(t *testing.T) {
	ln, err := parley.Listen(t.Context(), "systemd:web")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for c, err := range ln.Conns(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		text, err := c.Receive(t.Context())
		if err == nil {
			err = c.Send(t.Context(), text)
		}
		if err != nil {
			t.Error(err)
		}
		return
	}
}
