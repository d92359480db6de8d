//go:build unix

package relay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"parley"
	"parley/internal/sock"
	"parley/internal/sys"
	"parley/relay"
	"parley/scheme/local"
)

// localStreams are the streams of this machine that are no sockets, and those that are inherited.
func localStreams() []place {
	return []place{{name: "fd", both: socketPair}, {name: "pipe", both: pipePair}}
}

// socketPair returns both ends of a socket pair, the first by an address.
func socketPair(t testing.TB) (caller, accepted *parley.Conn) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fds[1]), "the other end")
	defer f.Close()
	nc, err := net.FileConn(f)
	if err != nil {
		t.Fatal(err)
	}
	return dial(t, fmt.Sprintf("fd:%d", fds[0])), parley.NewConn(nc, nil)
}

// pipePair returns both ends of a conversation through two named pipes.
func pipePair(t testing.TB) (caller, accepted *parley.Conn) {
	there, back := filepath.Join(t.TempDir(), "there"), filepath.Join(t.TempDir(), "back")
	other := make(chan *parley.Conn)
	go func() { other <- dial(t, "pipe:"+there+"?to="+back) }()
	caller = dial(t, "pipe:"+back+"?to="+there)
	return caller, <-other
}

func dial(t testing.TB, address string) *parley.Conn {
	t.Helper()
	c, err := parley.Dial(soon(t), address)
	if err != nil {
		t.Error(err)
		panic(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// What a server does that hears to the end works with inherited sockets and named pipes at either end, too.
func TestSortThroughLocalPairs(t *testing.T) {
	text := manyLines()
	for _, one := range localStreams() {
		for _, other := range append(streams(), localStreams()...) {
			t.Run(one.name+" to "+other.name, func(t *testing.T) {
				j := join(t, one, other, nil)
				testSort(t, j, j.client, j.server, text)
			})
			t.Run(other.name+" to "+one.name, func(t *testing.T) {
				j := join(t, other, one, nil)
				testSort(t, j, j.client, j.server, text)
			})
		}
	}
}

// sort(1) itself is such a server, behind pipes and behind a socket.
func TestSortByCommand(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	text := manyLines()
	for _, address := range []string{"exec:sort", "exec:sort?socket"} {
		for _, left := range append(streams(), localStreams()...) {
			t.Run(left.name+" to "+address, func(t *testing.T) {
				client, a := left.pair(t, nil)
				b := dial(t, address)
				j := joinConns(t, client, a, b, b, nil)
				go func() {
					_, _ = client.Write(text)
					_ = client.CloseWrite()
				}()
				if got, err := io.ReadAll(client); !bytes.Equal(got, sorted(text)) || err != nil {
					t.Errorf("the answer has %d bytes, %v; want %d sorted ones", len(got), err, len(text))
				}
				stats, err := j.wait(t)
				if want := (relay.Direction{Bytes: int64(len(text)), Ended: true}); err != nil || stats.AtoB != want || stats.BtoA != want {
					t.Errorf("%+v, %v", stats, err)
				}
			})
		}
	}
}

// A command between two files: what comes out is all there when Join returns.
func TestFilesAndCommand(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	text := manyLines()
	in, out := filepath.Join(t.TempDir(), "in"), filepath.Join(t.TempDir(), "out")
	if err := os.WriteFile(in, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"exec:sort", "exec:sort?socket", "exec:sort?shell"} {
		a, b := dial(t, "file:"+in+"?to="+out), dial(t, address)
		if _, err := relay.Join(soon(t), a, b, nil); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(out); !bytes.Equal(got, sorted(text)) || err != nil {
			t.Errorf("%s: %d bytes, %v; want %d sorted ones", address, len(got), err, len(text))
		}
	}
}

// An end that is only written to ends when the other has.
func TestFileIsWritten(t *testing.T) {
	for _, left := range append(streams(), localStreams()...) {
		out := filepath.Join(t.TempDir(), "out")
		client, a := left.pair(t, nil)
		b := dial(t, "file:"+out+"?write")
		j := joinConns(t, client, a, b, b, nil)
		write(t, client, "kept")
		closeWrite(t, client)
		hearsEnd(t, client)
		if _, err := j.wait(t); err != nil {
			t.Errorf("%s: %v", left.name, err)
		}
		if got, err := os.ReadFile(out); string(got) != "kept" || err != nil {
			t.Errorf("%s: %q, %v", left.name, got, err)
		}
	}
}

// An end that is only read refuses what is said to it, and is still heard to its end.
func TestFileIsRead(t *testing.T) {
	in := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(in, []byte("all of the file"), 0o600); err != nil {
		t.Fatal(err)
	}
	client, a := streams()[0].pair(t, nil)
	write(t, client, "hello?")
	until(t, "it has come", func() bool { return a.State().Unread > 0 })
	b := dial(t, "file:"+in)
	j := joinConns(t, client, a, b, b, nil)
	hears(t, client, "all of the file")
	_, err := j.wait(t)
	names(t, err, "send", b)
	says(t, err, "to=", "nobody took 6 bytes")
}

func TestCommandFails(t *testing.T) {
	client, a := streams()[0].pair(t, nil)
	b := dial(t, "exec:echo out; exit 3?shell")
	j := joinConns(t, client, a, b, b, nil)
	hears(t, client, "out\n")
	hearsEnd(t, client)
	closeWrite(t, client)
	_, err := j.wait(t)
	names(t, err, "receive", b)
	var exit *local.ExitError
	if !errors.As(err, &exit) || exit.Status != 3 {
		t.Error(err)
	}
}

// A command that fails has failed, also where it was gone before all was said to it.
func TestCommandFailsUnheard(t *testing.T) {
	for _, address := range []string{"exec:exit 3?shell", "exec:exit 3?shell&socket", "exec:exec <&-; exec >&-; exit 3?shell"} {
		for range 5 { // which of its ends is found first is luck
			client, a := streams()[0].pair(t, nil)
			go func() { _ = writeForever(client) }()
			b := dial(t, address)
			_, err := joinConns(t, client, a, b, b, nil).wait(t)
			names(t, err, "receive", b)
			var exit *local.ExitError
			if !errors.As(err, &exit) || exit.Status != 3 {
				t.Errorf("%s: %v", address, err)
			}
		}
	}
}

// An end that speaks on without ever hearing the last words of one that takes no more does not hold them both for ever.
func TestDeafSpeaker(t *testing.T) {
	for _, test := range []struct{ deaf, speaks string }{
		{"exec:yes", "exec:head -c 1000000"},        // more than the pipe holds
		{"exec:yes?socket", "exec:head -c 1000000"}, // and than the socket does
		{"exec:yes?socket", "exec:head -c 1000"},    // which can tell that it was not read
	} {
		a, b := dial(t, test.deaf), dial(t, test.speaks)
		_, err := joinConns(t, a, a, b, b, nil).wait(t)
		names(t, err, "send", b)
		says(t, err, "nobody took", "its last words were not heard by the client yes")
		if !sys.NoReader.Is(err) {
			t.Errorf("%v: %v", test, err)
		}
	}
}

// The same with a socket, whose last words the kernel moves.
func TestDeafSpeakerToSocket(t *testing.T) {
	a := dial(t, "exec:yes")
	b, server := streams()[0].pair(t, nil)
	go func() { _ = writeForever(server) }()
	j := joinConns(t, server, a, b, server, nil)
	var last int64
	looks := 0
	until(t, "nothing moves any more", func() bool {
		_, heard := b.Bytes()
		if looks++; heard != last || !server.State().NotReading || b.State().Saying.IsZero() {
			last, looks = heard, 0
		}
		return looks == 20
	})
	sock.BreakOff(server.NetConn())
	_, err := j.wait(t)
	names(t, err, "send", b)
	says(t, err, "its last words were not heard by the client yes")
}

// The end of ctx ends what waits for files that the kernel moves bytes of.
func TestContextEndsLocalEnds(t *testing.T) {
	why := errors.New("time is up")
	for _, address := range []string{"exec:cat", "exec:cat?socket", "exec:sleep 1000", "pty:"} {
		for _, busy := range []bool{false, true} {
			client, a := streams()[1].pair(t, nil)
			b := dial(t, address)
			ctx, cancel := context.WithCancelCause(t.Context())
			over := make(chan error, 1)
			go func() {
				_, err := relay.Join(ctx, a, b, nil)
				over <- err
			}()
			if busy {
				go func() { _ = writeForever(client) }()
				until(t, "the client waits", func() bool { return !client.State().Saying.IsZero() })
			}
			cancel(why)
			if err := <-over; err != why {
				t.Errorf("%s, busy %v: %v", address, busy, err)
			}
		}
	}
}

// TestHeardBeforeJoin: what was read of a command together with its greeting is passed on too.
func TestHeardBeforeJoin(t *testing.T) {
	a, err := parley.Dial(t.Context(), `exec:printf "greeting\nrest\n"`)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := a.Receive(t.Context()); err != nil || string(text) != "greeting" {
		t.Fatalf("heard %q, %v", text, err)
	}
	ln, err := parley.Listen(t.Context(), "0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	heard := make(chan string, 1)
	go func() {
		c, err := ln.Accept()
		if err != nil {
			heard <- err.Error()
			return
		}
		defer c.Close()
		text, _ := io.ReadAll(c)
		heard <- string(text)
	}()
	b, err := parley.Dial(t.Context(), ln.Address())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := relay.Join(t.Context(), a, b, nil); err != nil {
		t.Fatal(err)
	}
	if got := <-heard; got != "rest\n" {
		t.Errorf("heard %q", got)
	}
}
