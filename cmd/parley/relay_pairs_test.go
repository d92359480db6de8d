//go:build unix

package main

import (
	"crypto/tls"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// A pairing is one relay between two ends, and what is needed for them.
type pairing struct {
	t     *testing.T
	cert  certificate
	files []*os.File     // the relay's descriptors from 3 on
	stdin io.Reader      // the relay's; nil: none
	work  sync.WaitGroup // of the answerer
	p     *program
	ready string // where callers can call; empty: nowhere
}

// An asker is an end that says text and its end, and hears the answer to the end. What open returns is called once the relay
// runs.
type asker struct {
	name    string
	listens bool
	open    func(pr *pairing, text string) (address string, ask func() (answer string))
}

// An answerer is an end that hears to the end, then says what it has heard, sorted.
type answerer struct {
	name string
	open func(pr *pairing) (address string)
}

var askers = []asker{
	{"tcp", true, func(pr *pairing, text string) (string, func() string) {
		return "tcp:127.0.0.1:0", func() string { return pr.askOver(talk(pr.t, pr.ready), text) }
	}},
	{"unix", true, func(pr *pairing, text string) (string, func() string) {
		return "unix:" + socketDir(pr.t) + "/a", func() string { return pr.askOver(talk(pr.t, pr.ready), text) }
	}},
	{"tls", true, func(pr *pairing, text string) (string, func() string) {
		return "tls:127.0.0.1:0?cert=" + pr.cert.file, func() string {
			return pr.askOver(talkTLS(pr.t, pr.ready, &tls.Config{InsecureSkipVerify: true}), text)
		}
	}},
	{"stdio", false, func(pr *pairing, text string) (string, func() string) {
		pr.stdin = strings.NewReader(text)
		return "-", func() string {
			pr.p.wait()
			return pr.p.out.text()
		}
	}},
	{"fd of a socket", false, func(pr *pairing, text string) (string, func() string) {
		ours, theirs := pr.socketPair()
		return "fd:" + pr.descriptor(theirs), func() string { return pr.askOver(talkOver(pr.t, ours), text) }
	}},
	{"fds of pipes", false, func(pr *pairing, text string) (string, func() string) {
		in, toIn := pr.pipe()
		fromOut, out := pr.pipe()
		return "fd:" + pr.descriptor(in) + "," + pr.descriptor(out), func() string { return pr.askFiles(toIn, fromOut, text) }
	}},
	{"named pipes", false, func(pr *pairing, text string) (string, func() string) {
		in, out := pr.fifo("in"), pr.fifo("out")
		return "pipe:" + in + "?to=" + out, func() string {
			return pr.askFiles(pr.openFile(in, os.O_WRONLY), pr.openFile(out, os.O_RDONLY), text)
		}
	}},
	{"command", false, func(pr *pairing, text string) (string, func() string) {
		in := file(pr.t, "in", text)
		return "exec:sh -c 'cat " + in + "; exec >&-; cat >" + in + ".answer'", func() string { return pr.fileAtEnd(in + ".answer") }
	}},
	{"files", false, func(pr *pairing, text string) (string, func() string) {
		in := file(pr.t, "in", text)
		return "file:" + in + "?to=" + in + ".answer", func() string { return pr.fileAtEnd(in + ".answer") }
	}},
}

var answerers = []answerer{
	{"tcp", func(pr *pairing) string { return "tcp:" + sortServer(pr.t) }},
	{"unix", func(pr *pairing) string {
		name := socketDir(pr.t) + "/b"
		nl, err := net.Listen("unix", name)
		pr.must(err)
		serveOn(pr.t, nl, func(c net.Conn) { pr.check(sorts(c.(*net.UnixConn))) })
		return "unix:" + name
	}},
	{"tls", func(pr *pairing) string {
		nl, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pr.cert.pair()}})
		pr.must(err)
		serveOn(pr.t, nl, func(c net.Conn) { pr.check(sorts(c.(*tls.Conn))) })
		return "tls:" + nl.Addr().String() + "?ca=" + pr.cert.authority
	}},
	{"command", func(*pairing) string { return "exec:env LC_ALL=C sort" }},
	{"command on a socket", func(*pairing) string { return "exec:sort?socket&env=LC_ALL=C" }},
	{"fd of a socket", func(pr *pairing) string {
		ours, theirs := pr.socketPair()
		pr.work.Go(func() {
			defer ours.Close()
			pr.check(sorts(ours.(*net.UnixConn)))
		})
		return "fd:" + pr.descriptor(theirs)
	}},
	{"fds of pipes", func(pr *pairing) string {
		fromIn, in := pr.pipe() // what is said to it
		out, toOut := pr.pipe()
		pr.work.Go(func() { pr.sortFiles(fromIn, toOut) })
		return "fd:" + pr.descriptor(out) + "," + pr.descriptor(in)
	}},
	{"named pipes", func(pr *pairing) string {
		in, out := pr.fifo("in"), pr.fifo("out")
		pr.work.Go(func() { pr.sortFiles(pr.openFile(in, os.O_RDONLY), pr.openFile(out, os.O_WRONLY)) })
		return "pipe:" + out + "?to=" + in
	}},
}

// TestRelayPairs: whatever the two ends are, one that hears to the end before it answers gets all, and so does the other.
func TestRelayPairs(t *testing.T) {
	t.Parallel()
	cert := certify(t, "localhost", nil)
	text := shuffledLines(10_000)
	want := sorted(text)
	for _, a := range askers {
		for _, b := range answerers {
			t.Run(a.name+" to "+b.name, func(t *testing.T) {
				t.Parallel()
				pr := &pairing{t: t, cert: cert}
				if got := pr.run(a, b, text); got != want {
					t.Errorf("heard %d bytes, %.100q; want %d, %.100q", len(got), got, len(want), want)
				}
			})
		}
	}
}

// TestRelayTerminals: on a terminal the end is typed, and what is typed is echoed; then comes the answer.
func TestRelayTerminals(t *testing.T) {
	t.Parallel()
	need(t, "sort")
	p := start(t, stdin(parley("relay", "-", "exec:sort?pty"), "b\na\n"))
	p.leaves(0, ``)
	if got := p.out.text(); !strings.HasSuffix(got, "a\r\nb\r\n") {
		t.Errorf("heard %q", got)
	}
	_, address := relaying(t, "127.0.0.1:0", "exec:sort?pty")
	if got := exchange(t, address, "b\na\n"); !strings.HasSuffix(got, "a\r\nb\r\n") {
		t.Errorf("heard %q", got)
	}
}

// run starts the relay between a and b and returns the answer.
func (pr *pairing) run(a asker, b answerer, text string) (answer string) {
	pr.t.Helper()
	pr.t.Cleanup(pr.work.Wait) // once all that it waits for has been closed
	addressA, ask := a.open(pr, text)
	cmd := parley("relay", addressA, b.open(pr))
	cmd.Stdin, cmd.ExtraFiles = pr.stdin, pr.files
	readyFileName := filepath.Join(pr.t.TempDir(), "ready")
	if a.listens {
		cmd.Args = append(cmd.Args, "--once", "--ready-file", readyFileName)
	}
	pr.p = start(pr.t, cmd)
	for _, f := range pr.files {
		f.Close()
	}
	if a.listens {
		pr.ready = callable(pr.t, readyFile(pr.t, pr.p, readyFileName)[0])
	}
	answer = ask()
	pr.p.leaves(0, ``)
	pr.work.Wait()
	return answer
}

// askOver says text and the end over a conversation, and hears the answer.
func (pr *pairing) askOver(c *talker, text string) string {
	pr.t.Helper()
	c.say(text)
	c.end()
	return c.rest()
}

// askFiles is askOver by two pipes.
func (pr *pairing) askFiles(to, from *os.File, text string) string {
	pr.t.Helper()
	write(pr.t, to, text)
	to.Close()
	answer, err := io.ReadAll(from)
	pr.check(err)
	return string(answer)
}

// sortFiles is sorts by two pipes.
func (pr *pairing) sortFiles(from, to *os.File) {
	defer to.Close()
	text, err := io.ReadAll(from)
	pr.check(err)
	_, err = io.WriteString(to, sorted(string(text)))
	pr.check(err)
}

// fileAtEnd is what is in a file once the relay has left.
func (pr *pairing) fileAtEnd(name string) string {
	pr.t.Helper()
	pr.p.wait()
	return contents(pr.t, name)
}

// descriptor gives the relay f, and returns its number there.
func (pr *pairing) descriptor(f *os.File) string {
	pr.files = append(pr.files, f)
	return strconv.Itoa(2 + len(pr.files))
}

// socketPair returns one end as a conversation, and the other as a file.
func (pr *pairing) socketPair() (ours net.Conn, theirs *os.File) {
	pr.t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	pr.must(err)
	syscall.CloseOnExec(fds[0])
	syscall.CloseOnExec(fds[1])
	f, theirs := os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
	defer f.Close()
	ours, err = net.FileConn(f)
	pr.must(err)
	pr.t.Cleanup(func() { ours.Close() })
	return ours, theirs
}

// pipe is os.Pipe, closed at the end of the test.
func (pr *pairing) pipe() (r, w *os.File) {
	pr.t.Helper()
	r, w, err := os.Pipe()
	pr.must(err)
	pr.t.Cleanup(func() {
		r.Close()
		w.Close()
	})
	return r, w
}

func (pr *pairing) fifo(name string) string {
	pr.t.Helper()
	name = filepath.Join(pr.t.TempDir(), name)
	pr.must(syscall.Mkfifo(name, 0o600))
	return name
}

// openFile opens one side of a named pipe, which waits for the other.
func (pr *pairing) openFile(name string, flag int) *os.File {
	f, err := os.OpenFile(name, flag, 0)
	pr.check(err)
	pr.t.Cleanup(func() { f.Close() })
	return f
}

func (pr *pairing) check(err error) {
	pr.t.Helper()
	if err != nil {
		pr.t.Error(err)
	}
}

func (pr *pairing) must(err error) {
	pr.t.Helper()
	if err != nil {
		pr.t.Fatal(err)
	}
}
