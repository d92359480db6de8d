package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"parley"
	"parley/internal/sock"
)

var pipeParams = []parley.Param{
	{Name: "read", Summary: "hear what is written there (default)"},
	{Name: "write", Summary: "write what is said there"},
	{Name: "to", Value: "PATH", Summary: "hear this pipe, and write what is said to that one"},
	{Name: "mode", Value: "OCTAL", Summary: "the permissions of a pipe that is made because it is missing (default 0600)"},
}

// A pipeWish is what a pipe address asks for: a path to hear, one to write, or both.
type pipeWish struct {
	read, write string
	mode        fs.FileMode
}

func pipeWishOf(a parley.Addr) (w pipeWish, err error) {
	read, err := flagOf(a, "read", false)
	if err != nil {
		return w, err
	}
	write, err := flagOf(a, "write", false)
	if err != nil {
		return w, err
	}
	if w.mode, err = modeOf(a, 0o600); err != nil {
		return w, err
	}
	to, hasTo := a.Params["to"]
	switch {
	case a.Target == "" || hasTo && to == "":
		return w, sock.Mistake("which pipe? write pipe:PATH, and to=PATH for another one to write")
	case read && write, write && hasTo:
		return w, sock.Mistake("one pipe carries one direction: write pipe:PATH?to=PATH with two of them")
	case to == a.Target:
		return w, sock.Mistake("param to=%s: that is the pipe that is heard; one pipe carries one direction", to)
	case write:
		w.write = a.Target
	default:
		w.read, w.write = a.Target, to
	}
	return w, nil
}

// pipes is an end made of one or two FIFOs. Those that it has made go when it is closed.
type pipes struct {
	*end
	once sync.Once
	made []madePipe
}

func (p *pipes) Close() error {
	err := p.end.Close()
	p.once.Do(func() { removeAll(p.made) })
	return err
}

// A madePipe is a FIFO that was missing.
type madePipe struct {
	path string
	info fs.FileInfo
}

// removeAll removes the pipes that are still those that were made.
func removeAll(made []madePipe) {
	for _, m := range made {
		if info, err := os.Lstat(m.path); err == nil && os.SameFile(info, m.info) {
			_ = os.Remove(m.path)
		}
	}
}

func dialPipe(ctx context.Context, a parley.Addr, _ *parley.Config) (net.Conn, error) {
	w, err := pipeWishOf(a)
	if err != nil {
		return nil, err
	}
	p := new(pipes)
	if err := p.prepare(w); err != nil {
		removeAll(p.made)
		return nil, err
	}
	in, out, err := w.open(ctx)
	if err != nil {
		removeAll(p.made)
		return nil, err
	}
	addr := Addr{"pipe", a.Target}
	p.end = newEnd(addr, in, out)
	if out == nil {
		p.out = &untaken{onlyRead(addr, "; to say something too, add ?to=PATH")}
	}
	return p, nil
}

// prepare sees to it that both are pipes.
func (p *pipes) prepare(w pipeWish) error {
	for _, path := range []string{w.read, w.write} {
		if path == "" {
			continue
		}
		m, err := preparePipe(path, w.mode)
		if err != nil {
			return err
		}
		if m != nil {
			p.made = append(p.made, *m)
		}
	}
	return nil
}

// preparePipe makes a pipe if it is missing, and returns it then.
func preparePipe(path string, mode fs.FileMode) (*madePipe, error) {
	err := makePipe(path, mode)
	made := err == nil
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("cannot make the pipe %s: %w", path, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode()&fs.ModeNamedPipe == 0 {
		return nil, fmt.Errorf("%s is no named pipe, but %s (%w); for a file write file:%s", path, kindOf(info.Mode()), errors.ErrUnsupported, path)
	}
	if !made {
		return nil, nil
	}
	return &madePipe{path, info}, nil
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode.IsRegular():
		return "a file"
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	}
	return "a device"
}

// open opens both at once, as the other end may open them in any order and waits for each.
func (w pipeWish) open(ctx context.Context) (in, out *os.File, err error) {
	either, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	var missing [2]string
	begin := func(i int, path string, how int, f **os.File) {
		if path == "" {
			return
		}
		all.Go(func() {
			var err error
			if *f, err = openPipe(either, path, how); err != nil && either.Err() == nil {
				cancel(err) // the other need not wait any more
			} else if err != nil {
				missing[i] = err.Error()
			}
		})
	}
	begin(0, w.read, os.O_RDONLY, &in)
	begin(1, w.write, os.O_WRONLY, &out)
	all.Wait()
	cause := context.Cause(either)
	if cause == nil {
		return in, out, nil
	}
	for _, f := range []*os.File{in, out} {
		if f != nil {
			f.Close()
		}
	}
	if ctx.Err() != nil {
		words := slices.DeleteFunc(missing[:], func(m string) bool { return m == "" })
		cause = fmt.Errorf("%s: %w", strings.Join(words, ", and "), ctx.Err())
	}
	return nil, nil, cause
}

// openPipe opens one pipe, for which its other end must be open too. When ctx ends it says who is missing.
func openPipe(ctx context.Context, path string, how int) (*os.File, error) {
	type result struct {
		f   *os.File
		err error
	}
	opened := make(chan result, 1)
	wake, done := wakerOf(path, how)
	defer done()
	go func() {
		f, err := os.OpenFile(path, how, 0)
		opened <- result{f, err}
	}()
	select {
	case r := <-opened:
		return r.f, r.err
	case <-ctx.Done():
	}
	for wake() {
		select {
		case r := <-opened:
			if r.f != nil {
				r.f.Close()
			}
			return nil, nobody(path, how)
		case <-time.After(time.Millisecond): // it was not waiting yet
		}
	}
	return nil, nobody(path, how)
}

func nobody(path string, how int) error {
	if how == os.O_WRONLY {
		return fmt.Errorf("nobody reads %s", path)
	}
	return fmt.Errorf("nobody writes to %s", path)
}
