package local

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley"
)

// fileOf makes a file of a text.
func fileOf(t *testing.T, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "file.txt")
	must(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestFileIsRead(t *testing.T) {
	path := fileOf(t, "one\ntwo\n")
	for _, address := range []string{"file:" + path, "file://" + path} {
		c := dial(t, address)
		if got := hearAll(t, c); got != "one\ntwo\n" {
			t.Errorf("%s: heard %q", address, got)
		}
		_, err := c.Write([]byte("x"))
		if want := path + " is only read; to keep what is said to it, add ?to=FILE"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("writing to what is only read: %v, want %q", err, want)
		}
		if err := c.CloseWrite(); err != nil {
			t.Errorf("saying the end to what is only read: %v", err)
		}
		in, out := c.NetConn().(*end).Files()
		if in == nil || out != nil {
			t.Errorf("the files are %v and %v, want one to read and none to write", in, out)
		}
		if a := c.RemoteAddr(); a.Network() != "file" || a.String() != path {
			t.Errorf("the address is %s %s, want file %s", a.Network(), a, path)
		}
	}
}

func TestFileIsWritten(t *testing.T) {
	for _, test := range []struct{ params, before, want string }{
		{"?write", "", "new\n"},
		{"?write", "something long that was there\n", "new\n"},
		{"?append", "", "new\n"},
		{"?append", "old\n", "old\nnew\n"},
		{"?write&append", "old\n", "old\nnew\n"},
	} {
		path := fileOf(t, test.before)
		if test.before == "" {
			must(t, os.Remove(path))
		}
		c := dial(t, "file:"+path+test.params)
		waiting := make(chan error, 1)
		go func() { _, err := c.Read(make([]byte, 1)); waiting <- err }()
		must(t, c.Send(t.Context(), []byte("new")))
		must(t, c.CloseWrite())
		if err := <-waiting; err != io.EOF {
			t.Errorf("%s: an end that is only written to ended with %v, want io.EOF", test.params, err)
		}
		if got := contents(t, path); got != test.want {
			t.Errorf("%s: the file holds %q, want %q", test.params, got, test.want)
		}
		if _, err := c.Write([]byte("x")); err == nil {
			t.Errorf("%s: said something after the end, and got no error", test.params)
		}
	}
}

func TestFileWithAnotherToWrite(t *testing.T) {
	from, to := fileOf(t, "question\n"), filepath.Join(t.TempDir(), "to.txt")
	c := dial(t, "file:"+from+"?to="+to+"&mode=0640")
	must(t, c.Send(t.Context(), []byte("answer")))
	if got := hearAll(t, c); got != "question\n" {
		t.Errorf("heard %q", got)
	}
	must(t, c.CloseWrite())
	if got := contents(t, to); got != "answer\n" {
		t.Errorf("%s holds %q", to, got)
	}
}

func TestFileMistakes(t *testing.T) {
	dir := t.TempDir()
	path := fileOf(t, "something to lose\n")
	for address, want := range map[string]string{
		"file:":                               "which file? write file:PATH",
		"file:" + dir:                         "is a directory; name a file in it",
		"file:" + dir + "?write":              "is a directory; name a file in it",
		"file:" + dir + "/no":                 "no such file",
		"file:" + path + "?to=" + path:        "that is the file that is read",
		"file:" + path + "?to=":               "write to=PATH",
		"file:" + path + "?to=x&write":        "either what is said goes to x, or to " + path,
		"file:" + path + "?follow&write":      "follow is for reading",
		"file:" + path + "?from=end":          "from is for follow",
		"file:" + path + "?follow&from=start": "write from=end",
		"file:" + path + "?mode=0600":         "for a file that is made",
		"file:" + path + "?write&mode=0999":   "mode=0644 for example",
		"file:" + path + "?follow=perhaps":    "follow=yes or follow=no",
		"file:" + path + "?whence=end":        "unknown param",
	} {
		c, err := parley.Dial(t.Context(), address)
		if err == nil {
			c.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", address, err, want)
		}
	}
	if got := contents(t, path); got != "something to lose\n" {
		t.Errorf("after mistakes only, the file holds %q", got)
	}
	_, err := parley.Dial(t.Context(), "file:"+dir+"/no")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file is %v, want fs.ErrNotExist", err)
	}
	if _, err = parley.Listen(t.Context(), "file:"+path); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("listening is %v, want errors.ErrUnsupported", err)
	}
}

// A file larger than 32 bits can count is read where it was left off, here by who knows its file.
func TestLargeFile(t *testing.T) {
	path := fileOf(t, "")
	const size = 5 << 30
	must(t, os.Truncate(path, size))
	c := dial(t, "file:"+path+"?to="+path+".out")
	in, _ := c.NetConn().(*end).Files()
	_, err := in.Seek(size-10, io.SeekStart)
	must(t, err)
	if got := hearAll(t, c); got != strings.Repeat("\x00", 10) {
		t.Errorf("the last bytes are %q", got)
	}
}

func TestFileDeadline(t *testing.T) {
	c := dial(t, "file:"+fileOf(t, "here\n"))
	must(t, c.SetReadDeadline(time.Now().Add(-time.Hour)))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after its deadline a read is %v", err)
	}
	must(t, c.SetReadDeadline(time.Time{}))
	if got := hearAll(t, c); got != "here\n" {
		t.Errorf("after a deadline that was taken back heard %q", got)
	}
}

func TestFileClosed(t *testing.T) {
	for _, params := range []string{"", "?write", "?follow", "?append"} {
		c := dial(t, "file:"+fileOf(t, "")+params)
		nc := c.NetConn()
		if params == "?write" || params == "?follow" {
			waiting := make(chan error, 1)
			go func() { _, err := c.Read(make([]byte, 1)); waiting <- err }()
			for c.State().Hearing.IsZero() {
				<-time.After(time.Millisecond)
			}
			must(t, nc.Close())
			if err := <-waiting; !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: a read during Close is %v, want net.ErrClosed", params, err)
			}
		}
		must(t, nc.Close())
		must(t, nc.Close())
		_, readErr := nc.Read(make([]byte, 1))
		_, writeErr := nc.Write([]byte("x"))
		if !errors.Is(readErr, net.ErrClosed) || !errors.Is(writeErr, net.ErrClosed) {
			t.Errorf("%s: after Close a read is %v and a write %v, want net.ErrClosed", params, readErr, writeErr)
		}
	}
}
