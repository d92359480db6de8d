package sys

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// An outcome is what a splice that ran beside the test returned.
type outcome struct {
	n       int64
	handled bool
	err     error
}

func spliceOut(t *testing.T, to *os.File, sock stream, progress func(int)) <-chan outcome {
	rc := raw(t, sock)
	done := make(chan outcome, 1)
	go func() {
		n, handled, err := SpliceOut(to, rc, progress)
		done <- outcome{n, handled, err}
	}()
	return done
}

// check compares an outcome with what was due; n < 0 is any number.
func check(t *testing.T, what string, got outcome, n int64, err error) {
	t.Helper()
	if !got.handled || !errors.Is(got.err, err) || n >= 0 && got.n != n {
		t.Errorf("%s: %d bytes, handled %v, error %v; want %d, error %v", what, got.n, got.handled, got.err, n, err)
	}
}

// everyWay runs f for each kind of socket and of pipe.
func everyWay(t *testing.T, f func(t *testing.T, network string, blocking bool)) {
	for _, network := range streams {
		for _, blocking := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/blocking=%v", network, blocking), func(t *testing.T) { f(t, network, blocking) })
		}
	}
}

// TestSpliceIntegrity sends bytes through a conversation to a pipe, in pieces of
// random size, and wants them out unchanged.
func TestSpliceIntegrity(t *testing.T) {
	const total = 64 << 20
	everyWay(t, func(t *testing.T, network string, blocking bool) {
		a, b := joined(t, network)
		outR, outW := pipe(t, blocking)
		var heard int64
		out := spliceOut(t, outW, b, func(n int) { heard += int64(n) })

		want, got := sha256.New(), sha256.New()
		written := make(chan error, 1)
		go func() {
			written <- scatter(io.MultiWriter(a, want), total)
			a.CloseWrite()
		}()
		gathered := make(chan error, 1)
		go func() { gathered <- gather(got, outR) }()

		if err := <-written; err != nil {
			t.Error(err)
		}
		check(t, "out", <-out, total, nil)
		outW.Close()
		if err := <-gathered; err != nil {
			t.Error(err)
		}
		if string(want.Sum(nil)) != string(got.Sum(nil)) {
			t.Error("the bytes came out different")
		}
		if heard != total {
			t.Errorf("progress told of %d of %d bytes", heard, total)
		}
		if isNonblock(t, outR) == blocking {
			t.Error("the pipe's flags were changed")
		}
	})
}

// scatter writes n random bytes in pieces of random size.
func scatter(w io.Writer, n int) error {
	random := rand.NewChaCha8([32]byte{7})
	dice := rand.New(random)
	p := make([]byte, 300<<10)
	for n > 0 {
		size := 1 + dice.IntN(1<<dice.IntN(19))
		piece := p[:min(n, size, len(p))]
		random.Read(piece)
		if _, err := w.Write(piece); err != nil {
			return err
		}
		n -= len(piece)
	}
	return nil
}

// gather reads r to its end in pieces of random size.
func gather(w io.Writer, r io.Reader) error {
	p := make([]byte, 512<<10)
	for {
		n, err := r.Read(p[:1+rand.IntN(1<<rand.IntN(19))])
		w.Write(p[:n])
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func isNonblock(t *testing.T, f *os.File) (is bool) {
	t.Helper()
	control(t, f, func(fd uintptr) {
		flags, _, _ := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_GETFL, 0)
		is = flags&syscall.O_NONBLOCK != 0
	})
	return is
}

// waits are the two things a splice may have to wait for. Each starts one that has
// no choice but to wait.
var waits = map[string]func(t *testing.T, network string, blocking bool) (sock stream, pipe *os.File, done <-chan outcome){
	"for the socket": func(t *testing.T, network string, blocking bool) (stream, *os.File, <-chan outcome) {
		a, b := joined(t, network)
		_, w := pipe(t, blocking)
		moved := make(chan int, 1)
		done := spliceOut(t, w, a, func(n int) { moved <- n })
		b.Write([]byte("x"))
		<-moved
		return a, w, done
	},
	"for the pipe": func(t *testing.T, network string, blocking bool) (stream, *os.File, <-chan outcome) {
		a, b := joined(t, network)
		_, w := pipe(t, blocking)
		GrowPipe(w)
		fillPipe(t, w)
		b.Write([]byte("x"))
		return a, w, spliceOut(t, w, a, nil)
	},
}

// fillPipe fills w without waiting, whatever its kind: poll says when a page is free.
func fillPipe(t *testing.T, w *os.File) {
	t.Helper()
	control(t, w, func(fd uintptr) {
		for page := make([]byte, 4096); ; {
			ready := []pollFD{{fd: int32(fd), events: pollOut}}
			if err := poll(ready, 0); err != nil || ready[0].revents == 0 {
				return
			}
			syscall.Write(int(fd), page)
		}
	})
}

// everyWait runs f for each thing to wait for, on each kind of socket and pipe.
func everyWait(t *testing.T, f func(t *testing.T, sock stream, pipe *os.File, done <-chan outcome)) {
	for name, start := range waits {
		t.Run(name, func(t *testing.T) {
			everyWay(t, func(t *testing.T, network string, blocking bool) {
				sock, pipe, done := start(t, network, blocking)
				f(t, sock, pipe, done)
			})
		})
	}
}

func TestSpliceDeadline(t *testing.T) {
	everyWait(t, func(t *testing.T, sock stream, _ *os.File, done <-chan outcome) {
		sock.SetDeadline(time.Now().Add(5 * time.Millisecond))
		check(t, "deadline", <-done, -1, os.ErrDeadlineExceeded)
	})
}

func TestSpliceSocketClosed(t *testing.T) {
	everyWait(t, func(t *testing.T, sock stream, _ *os.File, done <-chan outcome) {
		sock.Close()
		check(t, "closed", <-done, -1, net.ErrClosed)
	})
}

func TestSplicePipeClosed(t *testing.T) {
	everyWay(t, func(t *testing.T, network string, blocking bool) {
		_, pipe, done := waits["for the pipe"](t, network, blocking)
		pipe.Close()
		check(t, "closed", <-done, -1, os.ErrClosed)
	})
}

func TestSpliceReaderGone(t *testing.T) {
	everyWay(t, func(t *testing.T, network string, blocking bool) {
		a, b := joined(t, network)
		r, w := pipe(t, blocking)
		GrowPipe(w) // else SpliceOut makes room in it
		fillPipe(t, w)
		b.Write([]byte("x"))
		done := spliceOut(t, w, a, nil)
		r.Close() // before the wait for the pipe, or in it
		check(t, "out", <-done, 0, syscall.EPIPE)
	})
}

// TestSpliceReset moves what comes before the other end's reset.
func TestSpliceReset(t *testing.T) {
	for _, network := range streams {
		for _, blocking := range []bool{true, false} {
			a, b := joined(t, network)
			_, w := pipe(t, blocking)
			a.Write([]byte("unread, so that the close is a reset"))
			await(func() bool { return queues(t, b).Unread > 0 })
			moved := make(chan int, 1)
			done := spliceOut(t, w, a, func(n int) { moved <- n })
			b.Write([]byte("x"))
			<-moved
			b.Close()
			check(t, network, <-done, 1, syscall.ECONNRESET)
		}
	}
}

func TestSpliceNotHandled(t *testing.T) {
	a, _ := joined(t, "tcp4")
	_, w := pipe(t, true)
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	for what, test := range map[string]struct {
		sock syscall.Conn
		pipe *os.File
	}{
		"file": {a, file},
		"udp":  {udp.(*net.UDPConn), w},
		"none": {a, nil},
	} {
		if n, handled, err := SpliceOut(test.pipe, raw(t, test.sock), nil); n != 0 || handled || err != nil {
			t.Errorf("%s: %d, %v, %v", what, n, handled, err)
		}
	}
}

// TestSpliceBrokenStdout splices to standard output when nobody reads that any more,
// in a process of its own: SIGPIPE must not kill it.
func TestSpliceBrokenStdout(t *testing.T) {
	if os.Getenv("SYS_TEST_STDOUT") != "" {
		brokenStdout(t)
		return
	}
	r, w := pipe(t, true)
	r.Close()
	cmd := exec.Command(os.Args[0], "-test.run=^TestSpliceBrokenStdout$")
	cmd.Env = append(os.Environ(), "SYS_TEST_STDOUT=1")
	cmd.Stdout = w
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said, _ := io.ReadAll(stderr)
	if err := cmd.Wait(); err != nil || string(said) != "splice: broken pipe" {
		t.Errorf("%v; it said %q", err, said)
	}
}

// brokenStdout is the child: it leaves at once, before the testing package writes to
// its standard output.
func brokenStdout(t *testing.T) {
	a, b := joined(t, "tcp4")
	b.Write([]byte("x"))
	_, _, err := SpliceOut(os.Stdout, raw(t, a), nil)
	fmt.Fprint(os.Stderr, err)
	os.Exit(0)
}
