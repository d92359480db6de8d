package parley_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"parley"
	"parley/frame"
)

func filePipe(t testing.TB) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

func fileWith(t testing.TB, text []byte) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func randomBytes(n int) []byte {
	text := make([]byte, n)
	rand.NewChaCha8([32]byte{1}).Read(text)
	return text
}

// sources are what ReadFrom is given; each says text.
var sources = map[string]func(t *testing.T, text []byte) io.Reader{
	"reader": func(_ *testing.T, text []byte) io.Reader { return struct{ io.Reader }{bytes.NewReader(text)} },
	"file":   func(t *testing.T, text []byte) io.Reader { return fileWith(t, text) },
	"pipe": func(t *testing.T, text []byte) io.Reader {
		r, w := filePipe(t)
		go func() { w.Write(text); w.Close() }()
		return r
	},
}

// sinks are what WriteTo is given; heard returns what came, when WriteTo has returned.
var sinks = map[string]func(t *testing.T) (w io.Writer, heard func() []byte){
	"writer": func(*testing.T) (io.Writer, func() []byte) {
		var b bytes.Buffer
		return struct{ io.Writer }{&b}, b.Bytes
	},
	"file": func(t *testing.T) (io.Writer, func() []byte) {
		f := fileWith(t, nil)
		return f, func() []byte {
			text, err := os.ReadFile(f.Name())
			if err != nil {
				t.Error(err)
			}
			return text
		}
	},
	"pipe": func(t *testing.T) (io.Writer, func() []byte) {
		r, w := filePipe(t)
		all := make(chan []byte, 1)
		go func() { text, _ := io.ReadAll(r); all <- text }()
		return w, func() []byte { w.Close(); return <-all }
	},
}

// What goes in comes out, whichever way the kernel takes, and State counts it.
func TestCopies(t *testing.T) {
	text := randomBytes(9 << 20) // more than the kernel is asked to move at once
	for network, address := range streams(t) {
		for from, open := range sources {
			for to, sink := range sinks {
				t.Run(network+"/"+from+" to "+to, func(t *testing.T) {
					caller, accepted := pair(t, new(parley.Config), address)
					w, heard := sink(t)
					said := make(chan error, 1)
					go func() {
						n, err := caller.ReadFrom(open(t, text))
						if n != int64(len(text)) {
							err = errors.Join(err, io.ErrShortWrite)
						}
						said <- errors.Join(err, caller.CloseWrite())
					}()
					n, err := accepted.WriteTo(w)
					if n != int64(len(text)) || err != nil {
						t.Errorf("%d of %d bytes came, %v", n, len(text), err)
					}
					if err := <-said; err != nil {
						t.Error(err)
					}
					if sha256.Sum256(heard()) != sha256.Sum256(text) {
						t.Error("other bytes came out than went in")
					}
					if s := caller.State(); s.Said != n || !s.SaidEnd || !s.Saying.IsZero() {
						t.Errorf("who said it: %+v", s)
					}
					if s := accepted.State(); s.Heard != n || !s.HeardEnd || !s.Hearing.IsZero() {
						t.Errorf("who heard it: %+v", s)
					}
				})
			}
		}
	}
}

// State counts while a copy is under way.
func TestCopiesAreCountedMeanwhile(t *testing.T) {
	for network, address := range streams(t) {
		caller, accepted := pair(t, new(parley.Config), address)
		inR, inW := filePipe(t)
		outR, outW := filePipe(t)
		var copies sync.WaitGroup
		copies.Go(func() { caller.ReadFrom(inR); caller.CloseWrite() })
		copies.Go(func() { accepted.WriteTo(outW); outW.Close() })
		for i := range int64(3) {
			write(t, inW, "1000 bytes"+strings.Repeat(".", 990))
			want := (i + 1) * 1000
			until(t, network+": the copies are counted", func() bool { return caller.State().Said == want && accepted.State().Heard == want })
			if _, err := io.ReadFull(outR, make([]byte, 1000)); err != nil {
				t.Fatal(err)
			}
		}
		if accepted.State().Hearing.IsZero() {
			t.Errorf("%s: a copy waits, and State does not say so", network)
		}
		inW.Close()
		copies.Wait()
	}
}

// What a Receive has left in the buffer is copied first.
func TestWriteToTakesWhatWasHeard(t *testing.T) {
	for to, sink := range sinks {
		caller, accepted := tcpPair(t, new(parley.Config))
		write(t, caller, "one\ntwo\nthr")
		hears(t, accepted, "one")
		write(t, caller, "ee")
		caller.Close()
		w, heard := sink(t)
		if n, err := accepted.WriteTo(w); n != 9 || err != nil {
			t.Errorf("to a %s: %d bytes, %v", to, n, err)
		}
		if got := string(heard()); got != "two\nthree" {
			t.Errorf("to a %s: %q", to, got)
		}
		if _, err := accepted.Receive(soon(t)); err != io.EOF {
			t.Errorf("to a %s: after all was copied %v, want io.EOF", to, err)
		}
	}
}

var errStop = errors.New("stop")

type stops struct{}

func (stops) Read([]byte) (int, error)  { return 0, errStop }
func (stops) Write([]byte) (int, error) { return 0, errStop }

// Errors of the other side of a copy come as they are.
func TestCopyErrors(t *testing.T) {
	caller, accepted := tcpPair(t, new(parley.Config))
	n, err := caller.ReadFrom(io.MultiReader(strings.NewReader("hello\n"), stops{}))
	if n != 6 || err != errStop {
		t.Errorf("a reader that fails: %d, %v", n, err)
	}
	hears(t, accepted, "hello")
	send(t, caller, "more")
	if n, err := accepted.WriteTo(stops{}); n != 0 || err != errStop {
		t.Errorf("a writer that fails: %d, %v", n, err)
	}
	hears(t, accepted, "more") // nothing was lost of it
	send(t, caller, "and more")
	if n, err := accepted.WriteFramesTo(stops{}); n != 0 || err != errStop {
		t.Errorf("a writer of frames that fails: %d, %v", n, err)
	}
	hears(t, accepted, "and more")

	r, w := filePipe(t)
	r.Close()
	send(t, caller, "for nobody")
	if _, err := accepted.WriteTo(w); !errors.Is(err, syscall.EPIPE) && runtime.GOOS != "windows" {
		t.Errorf("a pipe that nobody reads: %v", err)
	}
}

// whole is a writer for several conversations, which notes every write that is not whole lines.
type whole struct {
	mu    sync.Mutex
	lines []string
	torn  []string
}

func (w *whole) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text, ended := strings.CutSuffix(string(p), "\n")
	if !ended {
		w.torn = append(w.torn, string(p))
	}
	w.lines = append(w.lines, strings.Split(text, "\n")...)
	return len(p), nil
}

func TestWriteFramesToIsSharedByMany(t *testing.T) {
	const callers, lines = 8, 500
	var w whole
	var all sync.WaitGroup
	for i := range callers {
		caller, accepted := tcpPair(t, new(parley.Config))
		all.Go(func() {
			defer caller.Close()
			mine := rand.New(rand.NewPCG(1, uint64(i)))
			text := []byte(strings.Repeat(strings.Repeat(string(rune('a'+i)), 100)+"\n", lines))
			for len(text) > 0 { // in pieces that are no lines
				n := min(1+mine.IntN(1000), len(text))
				if _, err := caller.Write(text[:n]); err != nil {
					t.Error(err)
				}
				text = text[n:]
			}
		})
		all.Go(func() {
			if n, err := accepted.WriteFramesTo(&w); n != 101*lines || err != nil {
				t.Errorf("caller %d: %d bytes, %v", i, n, err)
			}
		})
	}
	all.Wait()
	if len(w.torn) > 0 || len(w.lines) != callers*lines {
		t.Errorf("%d lines, of which torn: %.200q", len(w.lines), w.torn)
	}
	for _, line := range w.lines {
		if len(line) != 100 || strings.Trim(line, line[:1]) != "" {
			t.Fatalf("a line of several callers: %q", line)
		}
	}
}

func TestWriteFramesToFailures(t *testing.T) {
	for name, test := range map[string]struct {
		format, said, written, left string
		err                         error
		says                        string
	}{
		"clean":             {"line", "one\ntwo\n", "one\ntwo\n", "", nil, ""},
		"nothing":           {"line", "", "", "", nil, ""},
		"truncated":         {"line", "one\ntw", "one\n", "tw", io.ErrUnexpectedEOF, "the other end stopped after 2 bytes without the end of a line"},
		"too long":          {"line", "one\ntwo is too long\nthree\n", "one\n", "two is too long\nthree\n", frame.ErrTooLong, "the limit is 10"},
		"too long, unended": {"line", "one\ntwo is too long", "one\n", "two is too long", frame.ErrTooLong, "the limit is 10"},
		"announced":         {"u16", "\x00\x03one\x00\x50tw", "\x00\x03one", "\x00\x50tw", frame.ErrTooLong, "at least 82 bytes"},
		"malformed":         {"netstring", "3:one,three", "3:one,", "three", frame.ErrMalformed, "expected a digit"},
		"until close":       {"until close", "one\ntwo", "one\ntwo", "", nil, ""},
	} {
		caller, accepted := tcpPair(t, &parley.Config{Frame: frame.MustParse(test.format), MaxFrame: 10})
		write(t, caller, test.said)
		caller.Close()
		var b bytes.Buffer
		n, err := accepted.WriteFramesTo(&b)
		wants(t, name, err, test.err)
		if b.String() != test.written || int(n) != b.Len() {
			t.Errorf("%s: %d bytes written: %q, want %q", name, n, b.String(), test.written)
		}
		if err != nil {
			says(t, name, err, "receive "+accepted.RemoteAddr().String()+": ", test.says)
		}
		left, err := io.ReadAll(accepted)
		if string(left) != test.left || err != nil {
			t.Errorf("%s: %q is left, %v, want %q", name, left, err, test.left)
		}
	}
}

// A Server that ends lets copies finish.
func TestCopiesFinishWhenTheServerEnds(t *testing.T) {
	for name, hear := range map[string]func(c *parley.Conn, w io.Writer) (int64, error){
		"WriteTo": (*parley.Conn).WriteTo, "WriteFramesTo": (*parley.Conn).WriteFramesTo,
	} {
		var heard bytes.Buffer
		begun, failed := make(chan *parley.Conn, 1), make(chan error, 1)
		s := &parley.Server{Grace: -1, Handler: func(_ context.Context, c *parley.Conn) error {
			begun <- c
			_, err := hear(c, struct{ io.Writer }{&heard})
			failed <- err
			return err
		}}
		ctx, stop := context.WithCancel(context.Background())
		ln := listen(t, new(parley.Config), "127.0.0.1:0")
		served := make(chan error, 1)
		go func() { served <- s.Serve(ctx, ln) }()
		c := dial(t, new(parley.Config), ln.Address())
		write(t, c, "half a")
		held := <-begun
		until(t, name+" waits for more", func() bool { s := held.State(); return s.Heard == 6 && !s.Hearing.IsZero() })
		stop()
		until(t, "nobody is accepted any more", func() bool {
			late, err := parley.Dial(soon(t), ln.Address())
			if err == nil {
				late.Close()
			}
			return err != nil
		})
		write(t, c, " line\n")
		c.Close()
		if err := <-failed; err != nil || heard.String() != "half a line\n" {
			t.Errorf("%s: heard %q, %v", name, heard.String(), err)
		}
		if err := <-served; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A transport without sockets copies too.
func TestCopyOverTLS(t *testing.T) {
	ln := listen(t, new(parley.Config), "tls:0")
	text := randomBytes(3 << 20)
	copied := make(chan error, 1)
	var got bytes.Buffer
	go func() {
		for c, err := range ln.Conns(soon(t)) {
			if err == nil {
				_, err = c.WriteTo(&got)
			}
			copied <- errors.Join(err, c.Close())
			return
		}
	}()
	caller := dial(t, new(parley.Config), ln.Address())
	if n, err := caller.ReadFrom(fileWith(t, text)); n != int64(len(text)) || err != nil {
		t.Errorf("said %d bytes, %v", n, err)
	}
	if err := caller.CloseWrite(); err != nil {
		t.Error(err)
	}
	if err := <-copied; err != nil {
		t.Error(err)
	}
	if !slices.Equal(got.Bytes(), text) {
		t.Error("other bytes came out than went in")
	}
	if s := caller.State(); s.Said != int64(len(text)) || s.Taken != -1 {
		t.Errorf("%+v", s)
	}
}
