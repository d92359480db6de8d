// Package examples_test runs the examples as a user would: each as a process of its own, against another end.
package examples_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestReceiverPrintsTheLinesOfEveryCaller(t *testing.T) {
	receiver := start(t, program("receiver"), "0")
	address := receiver.listens(t)
	for range 2 {
		if out := mustRun(t, program("hello"), address); out != "" {
			t.Errorf("hello printed %q", out)
		}
		if line := receiver.stdout.next(t); !strings.HasSuffix(line, ": Hello there!") {
			t.Errorf("receiver printed %q", line)
		}
	}
}

func TestReceiverOutlastsACallerThatStopsMidLine(t *testing.T) {
	receiver := start(t, program("receiver"), "0")
	address := receiver.listens(t)
	c := dial(t, "tcp", address)
	fmt.Fprint(c, "one\nhal")
	c.Close()
	if line := receiver.stdout.next(t); line != c.LocalAddr().String()+": one" {
		t.Errorf("receiver printed %q", line)
	}
	if line := receiver.stderr.next(t); !strings.Contains(line, "stopped after 3 bytes without the end of a line") {
		t.Errorf("receiver complained %q", line)
	}
	mustRun(t, program("hello"), address)
	if line := receiver.stdout.next(t); !strings.HasSuffix(line, ": Hello there!") {
		t.Errorf("then receiver printed %q", line)
	}
}

func TestErrorsSayWhatFailedAndWhere(t *testing.T) {
	closed := closedPort(t)
	taken := listen(t).Addr().String()
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"hello", closed}, "dial " + closed},
		{[]string{"daytime", closed}, "dial " + closed},
		{[]string{"httpget", closed}, "dial " + closed},
		{[]string{"request", closed}, "dial " + closed},
		{[]string{"hello", "localhost:no-such-service"}, `unknown service "no-such-service"`},
		{[]string{"receiver", taken}, "address already in use"},
		{[]string{"requestd", taken}, "listen " + taken},
		{[]string{"select", "0", "what"}, `no port in "what"`},
		{[]string{"datagrams", "0"}, "tcp addresses carry no datagrams"},
	} {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			_, stderr, err := run(t, program(test.args[0]), test.args[1:]...)
			if err == nil || !strings.Contains(stderr, test.want) {
				t.Errorf("%v, %q; want a failure that says %q", err, stderr, test.want)
			}
		})
	}
}

func TestDaytimeReadsUntilTheClose(t *testing.T) {
	ln := listen(t)
	go answerOne(ln, func(c net.Conn) { fmt.Fprint(c, "Friday, November 20, 2026 ", "19:00:00-UTC\r\n") })
	host, port, _ := net.SplitHostPort(ln.Addr().String())
	want := fmt.Sprintf("response from %s port %s was:\nFriday, November 20, 2026 19:00:00-UTC\r\n", host, port)
	if out := mustRun(t, program("daytime"), ln.Addr().String()); out != want {
		t.Errorf("printed %q, want %q", out, want)
	}
}

func TestHTTPGet(t *testing.T) {
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "this is %s by %s\n", r.URL.Path, r.Proto)
	}))
	t.Cleanup(site.Close)
	out := mustRun(t, program("httpget"), site.Listener.Addr().String(), "/some/page")
	header, body, _ := strings.Cut(out, "\r\n\r\n")
	if !strings.HasPrefix(header, "HTTP/1.0 200 OK\r\n") || body != "this is /some/page by HTTP/1.0\n" {
		t.Errorf("printed %q", out)
	}
}

func TestRequestEndsWithItsLine(t *testing.T) {
	const want = "first\nsecond\nEND REQUEST\n"
	ln := listen(t)
	heard := make(chan string, 1)
	go answerOne(ln, func(c net.Conn) {
		request := make([]byte, len(want)) // exactly: the end of the request is not the end of the stream
		_, _ = io.ReadFull(c, request)
		heard <- string(request)
		fmt.Fprint(c, "done,\nall of it")
	})
	out := mustRun(t, program("request"), ln.Addr().String(), "first\nsecond")
	if got := <-heard; got != want {
		t.Errorf("the other end heard %q, want %q", got, want)
	}
	if out != "done,\nall of it\n" {
		t.Errorf("printed %q", out)
	}
}

func TestRequestRefusesItsOwnEnd(t *testing.T) {
	ln := listen(t)
	heard := make(chan string, 1)
	go answerOne(ln, func(c net.Conn) {
		all, _ := io.ReadAll(c)
		heard <- string(all)
	})
	_, stderr, err := run(t, program("request"), ln.Addr().String(), "one\nEND REQUEST\ntwo")
	if err == nil || !strings.Contains(stderr, "the text contains its own end") {
		t.Errorf("%v, %q", err, stderr)
	}
	if got := <-heard; got != "" {
		t.Errorf("the other end heard %q, want nothing", got)
	}
}

func TestRequestdAnswersAndEndsOnInterrupt(t *testing.T) {
	server := start(t, program("requestd"), "0")
	address := server.listens(t)
	if out := mustRun(t, program("request"), address); out != "NAME\nAGE\n" {
		t.Errorf("request printed %q", out)
	}
	c := dial(t, "tcp", address)
	fmt.Fprint(c, "one\r\nmore\r\nEND REQUEST\r\n") // this end stays open
	reply, err := io.ReadAll(c)
	if err != nil || string(reply) != "ONE\nMORE" {
		t.Errorf("replied %q, %v", reply, err)
	}
	if runtime.GOOS == "windows" {
		return // no interrupt for one process
	}
	if err := server.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if <-server.ended; server.err != nil {
		t.Errorf("interrupted, it ended with %v", server.err)
	}
}

func TestSelectHearsManySocketsInOneLoop(t *testing.T) {
	server := start(t, program("select"), "0", "127.0.0.1:0", "udp:0")
	first, second, datagrams := server.listens(t), server.listens(t), server.listens(t)
	var want, got []string
	for _, other := range []struct{ network, address string }{
		{"tcp", first}, {"tcp", second}, {"udp", strings.TrimPrefix(datagrams, "udp:")}, {"tcp", first},
	} {
		c := dial(t, other.network, other.address)
		fmt.Fprintln(c, "hello", len(want))
		want = append(want, fmt.Sprintf("%s %s: hello %d", other.network, c.LocalAddr(), len(want)))
	}
	for range want {
		got = append(got, server.stdout.next(t))
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("printed %q, want %q in any order", got, want)
	}
}

func TestDatagramsAnswersEverySender(t *testing.T) {
	server := start(t, program("datagrams"), "udp:0")
	address := strings.TrimPrefix(server.listens(t), "udp:")
	one, two := dial(t, "udp", address), dial(t, "udp", address)
	fmt.Fprint(one, "one")
	fmt.Fprint(two, "two")
	for c, want := range map[net.Conn]string{one: "ONE", two: "TWO"} {
		reply := make([]byte, 100)
		n, err := c.Read(reply)
		if err != nil || string(reply[:n]) != want {
			t.Errorf("answered %q, %v, want %q", reply[:n], err, want)
		}
	}
}

// listen opens another end for an example to call.
func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

// answerOne holds one conversation and closes it.
func answerOne(ln net.Listener, talk func(net.Conn)) {
	c, err := ln.Accept()
	if err != nil {
		return // the test will miss the answer
	}
	defer c.Close()
	talk(c)
}

func dial(t *testing.T, network, address string) net.Conn {
	t.Helper()
	var d net.Dialer
	ctx := guard(t)
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		t.Fatal(err)
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = c.SetDeadline(deadline)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// closedPort returns an address of this machine where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	ln := listen(t)
	ln.Close()
	return ln.Addr().String()
}
