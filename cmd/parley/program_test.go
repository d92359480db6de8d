package main

import (
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// A program is a process that a test has started: parley, or one of its peers. It is killed when the test ends.
type program struct {
	t        *testing.T
	cmd      *exec.Cmd
	out, err *transcribed
	done     chan struct{} // closed when it has left
}

// parley returns a command that is not started yet. Its standard input is empty and its name is in PATH by TestMain.
func parley(args ...string) *exec.Cmd { return exec.Command("parley", args...) }

// start starts cmd. What it writes is kept, unless cmd says where else it goes.
func start(t *testing.T, cmd *exec.Cmd) *program {
	t.Helper()
	p := &program{t: t, cmd: cmd, out: newTranscribed(), err: newTranscribed(), done: make(chan struct{})}
	if cmd.Stdout == nil {
		cmd.Stdout = p.out
	}
	if cmd.Stderr == nil {
		cmd.Stderr = p.err
	}
	cmd.WaitDelay = 5 * time.Second // for grandchildren that hold the pipes
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go p.reap()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // in vain if it has left
		<-p.done
		if t.Failed() {
			t.Logf("%s\nstdout: %s\nstderr: %s", cmd, clip(p.out.text()), clip(p.err.text()))
		}
	})
	return p
}

func clip(s string) string { return s[:min(len(s), 2000)] }

func (p *program) reap() {
	_ = p.cmd.Wait() // ProcessState says it all
	p.out.end()
	p.err.end()
	close(p.done)
}

// wait returns the exit code; -1 if a signal ended it.
func (p *program) wait() int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(tooLong):
		p.t.Fatalf("%s has not left after %v\nstderr: %s", p.cmd, tooLong, clip(p.err.text()))
	}
	return p.cmd.ProcessState.ExitCode()
}

// leaves fails the test unless the program leaves with code, and with a standard error that matches pattern.
func (p *program) leaves(code int, pattern string) {
	p.t.Helper()
	if got := p.wait(); got != code {
		p.t.Errorf("%s\nexit code %d, want %d\nstderr: %s", p.cmd, got, code, clip(p.err.text()))
	}
	if text := p.err.text(); !regexp.MustCompile(pattern).MatchString(text) {
		p.t.Errorf("%s\nstderr %q does not match %q", p.cmd, clip(text), pattern)
	}
}

// says fails the test unless the program, which has left, has written exactly want to standard output.
func (p *program) says(want string) {
	p.t.Helper()
	if got := p.out.text(); got != want {
		p.t.Errorf("%s\nstdout %q, want %q", p.cmd, clip(got), clip(want))
	}
}

// interrupt is Ctrl-C.
func (p *program) interrupt() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		p.t.Fatal(err)
	}
}

// input gives cmd a standard input that the test writes to, and that stays open until the test closes it or ends.
func input(t *testing.T, cmd *exec.Cmd) io.WriteCloser {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	return in
}

// stdin gives cmd a text as standard input, by a pipe.
func stdin(cmd *exec.Cmd, text string) *exec.Cmd {
	cmd.Stdin = strings.NewReader(text)
	return cmd
}

// write says text on w, as a user types it.
func write(t *testing.T, w io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
}

// listen starts a parley that listens, and returns its address when callers can come.
func listen(t *testing.T, cmd *exec.Cmd) (p *program, address string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.ExtraFiles = []*os.File{w}
	cmd.Args = append(cmd.Args, "--ready-fd", "3")
	p = start(t, cmd)
	w.Close()
	line, err := io.ReadAll(r)
	if err != nil || len(line) == 0 {
		<-p.done
		t.Fatalf("%s never got ready: %v\nstderr: %s", cmd, err, p.err.text())
	}
	return p, strings.TrimSpace(string(line))
}

// A transcribed is what a program has written so far. Whoever waits for a text in it is woken by each write.
type transcribed struct {
	mu      sync.Mutex
	more    *sync.Cond
	written []byte
	ended   bool
}

func newTranscribed() *transcribed {
	w := &transcribed{}
	w.more = sync.NewCond(&w.mu)
	return w
}

func (w *transcribed) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.written = append(w.written, p...)
	w.more.Broadcast()
	return len(p), nil
}

func (w *transcribed) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	w.more.Broadcast()
}

func (w *transcribed) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.written)
}

// await waits until pattern is in what was written and returns the match, its groups included.
func (w *transcribed) await(t *testing.T, pattern string) []string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	late := time.AfterFunc(tooLong, w.end)
	defer late.Stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		if m := re.FindSubmatch(w.written); m != nil {
			var groups []string
			for _, g := range m {
				groups = append(groups, string(g))
			}
			return groups
		}
		if w.ended {
			t.Fatalf("no %q in %q", pattern, clip(string(w.written)))
		}
		w.more.Wait()
	}
}

// lines returns the whole lines written so far.
func (w *transcribed) lines() []string {
	text := w.text()
	text = text[:strings.LastIndexByte(text, '\n')+1]
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}
