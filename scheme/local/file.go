package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"syscall"

	"parley"
	"parley/internal/sock"
)

var fileParams = []parley.Param{
	{Name: "write", Summary: "write what is said there, from the beginning; make the file if it is missing"},
	{Name: "append", Summary: "write what is said at its end"},
	{Name: "to", Value: "FILE", Summary: "read this file, and write what is said to that one"},
	{Name: "mode", Value: "OCTAL", Summary: "the permissions of a file that is made (default 0644)"},
	{Name: "follow", Summary: "go on as the file grows, is truncated or replaced, and never end"},
	{Name: "from", Value: "end", Summary: "with follow: only what is added from now on"},
}

// A fileWish is what the params of a file address ask for.
type fileWish struct {
	path, to                       string
	write, append, follow, fromEnd bool
	mode                           fs.FileMode
}

func fileWishOf(a parley.Addr) (w fileWish, err error) {
	w = fileWish{path: a.Target, to: a.Params["to"]}
	for name, flag := range map[string]*bool{"write": &w.write, "append": &w.append, "follow": &w.follow} {
		if *flag, err = flagOf(a, name, false); err != nil {
			return w, err
		}
	}
	if w.mode, err = modeOf(a, 0o644); err != nil {
		return w, err
	}
	_, hasTo := a.Params["to"]
	_, hasMode := a.Params["mode"]
	from, hasFrom := a.Params["from"]
	w.fromEnd = from == "end"
	switch {
	case w.path == "":
		return w, sock.Mistake("which file? write file:PATH")
	case hasTo && w.to == "":
		return w, sock.Mistake("param to=: which file? write to=PATH")
	case hasTo && w.write:
		return w, sock.Mistake("params to and write: either what is said goes to %s, or to %s", w.to, w.path)
	case w.follow && !hasTo && (w.write || w.append):
		return w, sock.Mistake("param follow is for reading; to keep what is said too, add to=FILE")
	case hasFrom && !w.fromEnd:
		return w, sock.Mistake("param from=%s: write from=end", from)
	case hasFrom && !w.follow:
		return w, sock.Mistake("param from is for follow; add it")
	case hasMode && !hasTo && !w.write && !w.append:
		return w, sock.Mistake("param mode is for a file that is made: with write, append or to")
	}
	return w, nil
}

// writesOnly reports whether the file is not read.
func (w fileWish) writesOnly() bool { return w.to == "" && (w.write || w.append) }

func dialFile(_ context.Context, a parley.Addr, _ *parley.Config) (net.Conn, error) {
	w, err := fileWishOf(a)
	if err != nil {
		return nil, err
	}
	addr := Addr{"file", w.path}
	if w.writesOnly() {
		out, err := openToWrite(w.path, w.append, w.mode)
		if err != nil {
			return nil, err
		}
		return newEnd(addr, nil, out), nil
	}
	in, err := openToRead(w.path)
	if err != nil {
		return nil, err
	}
	e := newEnd(addr, in, nil)
	e.out = &untaken{onlyRead(addr, "; to keep what is said to it, add ?to=FILE")}
	if err := w.complete(e, in); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

// complete adds to e, which reads in, what else is wished for.
func (w fileWish) complete(e *end, in *os.File) error {
	if w.to != "" {
		if isSameFile(in, w.to) {
			return sock.Mistake("param to=%s: that is the file that is read; write another", w.to)
		}
		out, err := openToWrite(w.to, w.append, w.mode)
		if err != nil {
			return err
		}
		e.out = outputOf(out)
	}
	if w.fromEnd {
		if _, err := in.Seek(0, io.SeekEnd); err != nil {
			return err
		}
	}
	if w.follow {
		e.in = newFollow(w.path, in)
	}
	return nil
}

func isSameFile(f *os.File, path string) bool {
	a, err := f.Stat()
	if err != nil {
		return false
	}
	b, err := os.Stat(path)
	return err == nil && os.SameFile(a, b)
}

func openToRead(path string) (*os.File, error) {
	info, err := os.Stat(path) // before, as opening a pipe may wait, and opening a device may do things
	if err != nil {
		return nil, err
	}
	if err := checkFile(path, info); err != nil {
		return nil, err
	}
	return os.Open(path)
}

// openToWrite opens a file to write from its beginning, or at its end, and makes it if it is missing.
func openToWrite(path string, atEnd bool, mode fs.FileMode) (*os.File, error) {
	info, err := os.Stat(path)
	if err == nil {
		err = checkFile(path, info)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	how := os.O_TRUNC
	if atEnd {
		how = os.O_APPEND
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|how, mode)
}

// checkFile refuses what is no regular file, and says what is for it.
func checkFile(path string, info fs.FileInfo) error {
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		return fmt.Errorf("%s: %w; name a file in it", path, syscall.EISDIR)
	case mode&fs.ModeNamedPipe != 0:
		return fmt.Errorf("%s is a named pipe, and no file (%w); write pipe:%s", path, errors.ErrUnsupported, path)
	case mode&fs.ModeSocket != 0:
		return fmt.Errorf("%s is a socket, and no file (%w); write unix:%s", path, errors.ErrUnsupported, path)
	}
	return fmt.Errorf("%s is a device, and no file (%w); redirect it by the shell, and write - or fd:N", path, errors.ErrUnsupported)
}
