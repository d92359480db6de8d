//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"parley/transcript"
)

// zeroes is a text without a line end.
type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestEndlessLine: 1 GiB without a line end costs neither the memory nor the lines of other callers.
func TestEndlessLine(t *testing.T) {
	t.Parallel()
	for _, flags := range []string{"", "--tag", "--json"} {
		t.Run(flags, func(t *testing.T) {
			t.Parallel()
			v, address := listen(t, parley(append([]string{"listen", "0", "--count", "2"}, strings.Fields(flags)...)...))
			honest, flood := dial(t, "tcp", address), dial(t, "tcp", address)
			write(t, honest, "before\n")
			v.out.await(t, "before")
			n, err := io.CopyN(flood, zeroes{}, 1<<30)
			if err == nil {
				t.Errorf("all %d bytes were taken", n)
			}
			v.err.await(t, `caller 2 .*frame line: the frame is too long: .*the limit is 1048576`)
			write(t, honest, "after\n")
			v.out.await(t, "(?s)before.*after")
			checkMemory(t, v)
			honest.Close()
			v.leaves(7, ``)
		})
	}
}

// TestLinesDoNotMix: four callers say 50,000 lines each, in writes that end anywhere.
func TestLinesDoNotMix(t *testing.T) {
	t.Parallel()
	const callers, each, size = 4, 50_000, 100
	file := filepath.Join(t.TempDir(), "all")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd := parley("listen", "0", "--count", fmt.Sprint(callers))
	cmd.Stdout = f
	v, address := listen(t, cmd)
	var all sync.WaitGroup
	for who := range callers {
		c := dial(t, "tcp", address)
		all.Go(func() {
			defer c.Close()
			if err := sayChopped(c, who, each, size); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	v.leaves(0, ``)

	heard, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer heard.Close()
	var next [callers]int
	for s := bufio.NewScanner(heard); s.Scan(); {
		var who int
		if _, err := fmt.Sscanf(s.Text(), "%d ", &who); err != nil || who >= callers {
			t.Fatalf("mixed line %q", s.Text())
		}
		if want := numbered(who, next[who], size); s.Text()+"\n" != want {
			t.Fatalf("caller %d: heard %q, want %q", who, s.Text(), want)
		}
		next[who]++
	}
	for who, n := range next {
		if n != each {
			t.Errorf("caller %d: heard %d lines of %d", who, n, each)
		}
	}
}

// numbered is the nth line of who, of size bytes.
func numbered(who, n, size int) string {
	head := fmt.Sprintf("%d %d ", who, n)
	return head + strings.Repeat(string(rune('a'+who)), size-len(head)-1) + "\n"
}

// sayChopped says lines in pieces that know nothing of lines.
func sayChopped(c net.Conn, who, lines, size int) error {
	var text bytes.Buffer
	for n := range lines {
		text.WriteString(numbered(who, n, size))
	}
	pieces := rand.New(rand.NewPCG(uint64(who), 1))
	for text.Len() > 0 {
		if _, err := c.Write(text.Next(1 + pieces.IntN(3000))); err != nil {
			return err
		}
	}
	return nil
}

// TestTranscripts: what --json writes of hostile callers is read by package transcript.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	v, address := listen(t, parley("listen", "0", "--json", "--count", "3"))
	texts := []string{"plain", "\x1b[2J\x00\xff\xfe", "\"}\\u0000 {\"t\":\"closed\"}", "\u2028\u202e é 語", strings.Repeat("long ", 20_000)}
	for _, end := range []string{"\n", "", "\r\n"} {
		c := dial(t, "tcp", address)
		write(t, c, strings.Join(texts, "\n")+end)
		c.Close()
	}
	v.wait()
	var heard int
	for line, err := range transcript.NewReader(strings.NewReader(v.out.text())).Lines() {
		if err != nil {
			t.Fatal(err)
		}
		f, ok := line.(transcript.Frame)
		if !ok {
			continue
		}
		if want := texts[(f.N-1)%int64(len(texts))]; string(f.Data) != want {
			t.Errorf("message %d of call %d: %q, want %q", f.N, f.Call, clip(string(f.Data)), clip(want))
		}
		if part := f.Call == 2 && f.N == int64(len(texts)); f.Part != part {
			t.Errorf("message %d of call %d: part is %v", f.N, f.Call, f.Part)
		}
		heard++
	}
	if want := 3 * len(texts); heard != want {
		t.Errorf("%d messages, want %d", heard, want)
	}
}

// TestInterruptedTransfer: Ctrl-C in the middle of one.
func TestInterruptedTransfer(t *testing.T) {
	t.Parallel()
	var some sync.WaitGroup
	some.Add(1)
	address := serve(t, func(c *net.TCPConn) {
		_, _ = io.CopyN(io.Discard, c, 1<<20)
		some.Done()
		<-t.Context().Done()
	})
	cmd := parley("call", address)
	cmd.Stdin = io.LimitReader(zeroes{}, 1<<30)
	p := start(t, cmd)
	some.Wait()
	p.interrupt()
	p.leaves(130, `^$`)
}

// TestInterruptedHearing: whole lines were printed, and nothing else, although standard output is a file.
func TestInterruptedHearing(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "all")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd := parley("listen", "0")
	cmd.Stdout = f
	v, address := listen(t, cmd)
	c := dial(t, "tcp", address)
	var saying sync.WaitGroup
	saying.Go(func() {
		for n, err := 0, error(nil); err == nil; n++ { // until it is cut off
			_, err = io.WriteString(c, numbered(0, n, 100))
		}
	})
	defer saying.Wait()
	defer c.Close()
	if !poll(func() bool { info, err := os.Stat(file); return err == nil && info.Size() > 1<<20 }) {
		t.Fatal("nothing is heard")
	}
	v.interrupt()
	v.leaves(130, ``)
	heard, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for n, line := range bytes.SplitAfter(bytes.TrimSuffix(heard, []byte("\n")), []byte("\n")) {
		if want := numbered(0, n, 100); strings.TrimSuffix(string(line), "\n")+"\n" != want {
			t.Fatalf("line %d is %q", n, line)
		}
	}
}

// TestTooManyCallers: with 64 descriptors, 200 callers come. It is said, and those that wait are served later.
func TestTooManyCallers(t *testing.T) {
	t.Parallel()
	need(t, "sh")
	const count = 200
	cmd := peer(t, "sh", "-c", `ulimit -n 64; exec parley "$@"`, "sh", "listen", "0", "--count", fmt.Sprint(count))
	v, address := listen(t, cmd)
	var callers []net.Conn
	for i := range count {
		c := dial(t, "tcp", address)
		callers = append(callers, c)
		write(t, c, fmt.Sprintf("caller %d\n", i))
	}
	v.err.await(t, `cannot take another caller: .*too many open files; trying again in \d+`)
	if _, err := callers[0].Write([]byte("still heard\n")); err != nil {
		t.Fatal(err)
	}
	v.out.await(t, `still heard\n`)
	for _, c := range callers {
		c.Close()
	}
	v.leaves(0, ``)
	lines := v.out.lines()
	if len(lines) != count+1 {
		t.Errorf("%d lines, want %d", len(lines), count+1)
	}
	if notes := strings.Count(v.err.text(), "cannot take"); notes > 20 {
		t.Errorf("said %d times", notes)
	}
}
