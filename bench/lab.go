package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// patience bounds each wait and each single run of one contender.
const patience = 2 * time.Minute

// A lab is where the benchmarks are done: the options, and a directory for
// programs and files, that is removed at the end.
type lab struct {
	options
	dir  string
	port int // the last port given out
}

func newLab(o options) (*lab, error) {
	if _, err := os.Stat("c/zeros.c"); err != nil {
		return nil, fmt.Errorf("the bench directory is not here, run `go -C bench run .`: %w", err)
	}
	if _, err := os.Stat("/proc/net/tcp"); err != nil {
		return nil, fmt.Errorf("the benchmarks read /proc and so need Linux: %w", err)
	}
	if err := adoptOrphans(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(o.tmp, "parley-bench-")
	if err != nil {
		return nil, err
	}
	return &lab{options: o, dir: dir, port: 20000 + os.Getpid()%5000}, nil
}

func (l *lab) close() error { return os.RemoveAll(l.dir) }

// path returns where the file or program name lies in the lab.
func (l *lab) path(name string) string { return filepath.Join(l.dir, name) }

// buildC compiles c/name.c, once.
func (l *lab) buildC(ctx context.Context, name string) (string, error) {
	return l.build(ctx, name, "gcc", "-O2", "-Wall", "-Wextra", "-o", l.path(name), "c/"+name+".c")
}

// buildGo compiles the Go program in the directory dir, once.
func (l *lab) buildGo(ctx context.Context, name, dir string, flags ...string) (string, error) {
	argv := append([]string{"go", "-C", dir, "build", "-o", l.path(name)}, flags...)
	return l.build(ctx, name, append(argv, ".")...)
}

func (l *lab) build(ctx context.Context, name string, argv ...string) (string, error) {
	path := l.path(name)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", name, err, out)
	}
	return path, nil
}

// find returns the path of a program that is compared: parley is built from
// this checkout unless another was given, the others are those installed.
func (l *lab) find(ctx context.Context, name string) (string, error) {
	if name != "parley" {
		return installed(name)
	}
	if l.parley == "" {
		return l.buildGo(ctx, "parley", "../cmd/parley")
	}
	return filepath.Abs(l.parley)
}

// withPort returns the command line of path with args, in which PORT stands
// for the port.
func withPort(path string, args []string, port string) []string {
	argv := []string{path}
	for _, arg := range args {
		argv = append(argv, strings.ReplaceAll(arg, "PORT", port))
	}
	return argv
}

// installed returns the path of a peer on this machine. Debian puts servers
// where most users' PATH does not look.
func installed(name string) (string, error) {
	for _, file := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(file); err == nil {
			return path, nil
		}
	}
	return "", missingError{name}
}

// A missingError says that a peer is not on this machine. The benchmark goes
// on without it.
type missingError struct{ name string }

func (e missingError) Error() string { return e.name + " is not installed" }

// freePort returns a port below those that the system gives to callers, so
// that no caller can take it before the listener does.
func (l *lab) freePort() (string, error) {
	for range 1000 {
		l.port++
		ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", l.port))
		if err == nil {
			return strconv.Itoa(l.port), ln.Close()
		}
	}
	return "", errors.New("no free port found")
}

// listen starts a listener and waits until the kernel shows that it listens:
// a trial call would be taken for the first caller.
func listen(ctx context.Context, c command, port string) (*process, error) {
	p, err := start(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := awaitListener(ctx, port); err != nil {
		return nil, p.failed(err)
	}
	return p, nil
}

func awaitListener(ctx context.Context, port string) error {
	number, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		if listening(number) {
			return nil
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			return fmt.Errorf("wait for a listener on port %s: %w", port, err)
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
