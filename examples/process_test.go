package examples_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// programs is where TestMain has built the examples.
var programs string

func TestMain(m *testing.M) {
	os.Exit(runAll(m))
}

func runAll(m *testing.M) int {
	dir, err := os.MkdirTemp("", "parley-examples-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "./...")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build ./...: %v\n%s", err, out)
		return 1
	}
	programs = dir
	return m.Run()
}

func program(name string) string { return filepath.Join(programs, name) }

// guard ends what a failing test would wait for; a test that passes never comes near it.
func guard(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// run runs a program to its end.
func run(t *testing.T, path string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := exec.CommandContext(guard(t), path, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// mustRun is run for a program that must succeed, and returns what it printed.
func mustRun(t *testing.T, path string, args ...string) string {
	t.Helper()
	stdout, stderr, err := run(t, path, args...)
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", filepath.Base(path), args, err, stderr)
	}
	return stdout
}

// A process is a program that runs until the test is over.
type process struct {
	cmd            *exec.Cmd
	stdout, stderr *lines
	ended          chan struct{} // closed when err is set
	err            error
}

func start(t *testing.T, path string, args ...string) *process {
	t.Helper()
	p := &process{
		cmd:    exec.CommandContext(guard(t), path, args...),
		stdout: &lines{whole: make(chan string, 100)},
		stderr: &lines{whole: make(chan string, 100)},
		ended:  make(chan struct{}),
	}
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go p.wait()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it may have ended
		<-p.ended
	})
	return p
}

func (p *process) wait() {
	p.err = p.cmd.Wait()
	close(p.stdout.whole)
	close(p.stderr.whole)
	close(p.ended)
}

// listens waits until p says where it listens, and returns the address.
func (p *process) listens(t *testing.T) string {
	t.Helper()
	_, address, ok := strings.Cut(p.stderr.next(t), "listening on ")
	if !ok {
		t.Fatal("the first line on standard error is not where it listens")
	}
	return address
}

// lines are what a process writes, cut into lines.
type lines struct {
	part  []byte
	whole chan string
}

func (l *lines) Write(p []byte) (int, error) {
	l.part = append(l.part, p...)
	for {
		line, rest, ok := bytes.Cut(l.part, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		l.whole <- string(line)
		l.part = rest
	}
}

// next waits for a line.
func (l *lines) next(t *testing.T) string {
	t.Helper()
	line, ok := <-l.whole
	if !ok {
		t.Fatal("the program ended instead of printing a line")
	}
	return line
}
