package local

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"parley"
)

// adds writes more to a file, as its writer does.
func adds(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	must(t, err)
	_, err = f.WriteString(text)
	must(t, errors.Join(err, f.Close()))
}

// hears fails the test unless the next line is want.
func hears(t *testing.T, c *parley.Conn, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	got, err := c.Receive(ctx)
	if err != nil || string(got) != want {
		t.Fatalf("heard %q and %v, want %q", got, err, want)
	}
}

func TestFollowGrowing(t *testing.T) {
	path := fileOf(t, "old\n")
	all, news := dial(t, "file:"+path+"?follow"), dial(t, "file:"+path+"?follow&from=end")
	hears(t, all, "old")
	for _, line := range []string{"one", "two", "three"} {
		adds(t, path, line+"\n")
		hears(t, all, line)
		hears(t, news, line)
	}
}

func TestFollowTruncated(t *testing.T) {
	path := fileOf(t, "before, and rather long\n")
	c := dial(t, "file:"+path+"?follow")
	hears(t, c, "before, and rather long")
	must(t, os.Truncate(path, 0)) // logrotate's copytruncate
	adds(t, path, "after\n")
	hears(t, c, "after")
	adds(t, path, "and on\n")
	hears(t, c, "and on")
}

// logrotate moves the file away and may make an empty one; the writer goes on with the old one until it is told.
func TestFollowReplaced(t *testing.T) {
	path := fileOf(t, "one\n")
	c := dial(t, "file:"+path+"?follow")
	hears(t, c, "one")
	for _, away := range []string{path + ".1", filepath.Join(t.TempDir(), "moved")} {
		must(t, os.Rename(path, away))
		adds(t, away, "to the old one\n")
		hears(t, c, "to the old one")
		adds(t, path, "")
		adds(t, away, "the last of the old one\n")
		adds(t, path, "the first of the new one\n")
		hears(t, c, "the last of the old one")
		hears(t, c, "the first of the new one")
	}
}

func TestFollowRenamedOver(t *testing.T) {
	path := fileOf(t, "one\n")
	c := dial(t, "file:"+path+"?follow&from=end")
	adds(t, path+".new", "two\n")
	must(t, os.Rename(path+".new", path))
	hears(t, c, "two")
}

func TestFollowRemovedAndMadeAgain(t *testing.T) {
	path := fileOf(t, "one\n")
	c := dial(t, "file:"+path+"?follow")
	hears(t, c, "one")
	must(t, os.Remove(path))
	adds(t, path, "two\n")
	hears(t, c, "two")
}

func TestFollowThroughLink(t *testing.T) {
	meant := fileOf(t, "one\n")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(meant, link); err != nil {
		t.Skip(err)
	}
	c := dial(t, "file:"+link+"?follow")
	hears(t, c, "one")
	adds(t, meant, "two\n")
	hears(t, c, "two")
}

func TestFollowWithoutNews(t *testing.T) {
	path := fileOf(t, "one\n")
	f, err := openToRead(path)
	must(t, err)
	l := newFollow(path, f)
	must(t, l.watcher.Close())
	l.watcher = nil // as where the system has no more
	c := parley.NewConn(&end{addr: Addr{"file", path}, in: l, out: &untaken{}}, nil)
	defer c.Close()
	hears(t, c, "one")
	adds(t, path, "two\n")
	hears(t, c, "two")
}

func TestFollowDeadline(t *testing.T) {
	path := fileOf(t, "")
	c := dial(t, "file:"+path+"?follow")
	must(t, c.SetReadDeadline(time.Now().Add(time.Millisecond)))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("until its deadline a read is %v", err)
	}
	must(t, c.SetReadDeadline(time.Time{}))
	adds(t, path, "later\n")
	hears(t, c, "later")
}

func TestFollowReplacedByDirectory(t *testing.T) {
	path := fileOf(t, "one\n")
	c := dial(t, "file:"+path+"?follow")
	hears(t, c, "one")
	must(t, os.Remove(path))
	must(t, os.Mkdir(path, 0o700))
	adds(t, filepath.Join(path, "so that it has a size"), "x")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if got, err := c.Receive(ctx); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("heard %q and %v, want an error that names the directory", got, err)
	}
}
