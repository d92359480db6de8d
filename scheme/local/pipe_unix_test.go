//go:build unix

package local

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley"
)

// missing dials a pipe until a moment later, and returns the error.
func missing(t *testing.T, address string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	c, err := parley.Dial(ctx, address)
	if err == nil {
		c.Close()
		t.Fatalf("opened %s, though nobody is at its other end", address)
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%s: %v, want context.DeadlineExceeded", address, err)
	}
	return err
}

func TestPipeWithoutOtherEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	for address, want := range map[string]string{
		"pipe:" + path:                       "nobody writes to " + path + ": ",
		"pipe:" + path + "?read":             "nobody writes to " + path + ": ",
		"pipe:" + path + "?write":            "nobody reads " + path + ": ",
		"pipe:" + path + "?to=" + path + "2": "nobody writes to " + path + ", and nobody reads " + path + "2: ",
	} {
		if err := missing(t, address); !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", address, err, want)
		}
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s left the pipe that it had made", address)
		}
	}
}

// Whoever waits is not stuck if the pipe is removed meanwhile.
func TestPipeRemovedMeanwhile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := parley.Dial(ctx, "pipe:"+path)
		done <- err
	}()
	for os.Remove(path) != nil {
		<-time.After(time.Millisecond)
	}
	cancel()
	if err := <-done; err == nil || errors.Is(err, context.Canceled) == errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the error is %v, want one that says that nobody came, or that it is gone", err)
	}
}

func TestPipeMistakes(t *testing.T) {
	file := fileOf(t, "")
	for address, want := range map[string]string{
		"pipe:":                       "which pipe?",
		"pipe:/tmp/x?read&write":      "one pipe carries one direction",
		"pipe:/tmp/x?write&to=/tmp/y": "one pipe carries one direction",
		"pipe:/tmp/x?to=/tmp/x":       "one pipe carries one direction",
		"pipe:/tmp/x?to=":             "which pipe?",
		"pipe:/tmp/x?mode=rw":         "mode=0600 for example",
		"pipe:/tmp/x?follow":          "unknown param",
		"pipe:" + file:                "is no named pipe, but a file",
		"pipe:" + filepath.Dir(file):  "is no named pipe, but a directory",
		"pipe:" + file + "/x":         "cannot make the pipe",
		"pipe:/dev/null":              "is no named pipe, but a device",
	} {
		c, err := parley.Dial(t.Context(), address)
		if err == nil {
			c.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", address, err, want)
		}
	}
	for _, address := range []string{"file:" + filepath.Dir(file) + "/pipe", "file:/dev/zero"} {
		_ = makePipe(strings.TrimPrefix(address, "file:"), 0o600)
		if c, err := parley.Dial(t.Context(), address); err == nil || !strings.Contains(err.Error(), "no file") {
			t.Errorf("%s: %v and %v, want an error that says that it is no file", address, c, err)
		}
	}
}

// Pipes have the permissions asked for, and go when they are closed, if they were made here.
func TestPipeIsMadeAndRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	other := make(chan error, 1)
	go func() {
		for {
			if _, err := os.Lstat(path); err == nil {
				break
			}
			<-time.After(time.Millisecond)
		}
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err == nil {
			_, err = f.WriteString("hello\n")
			err = errors.Join(err, f.Close())
		}
		other <- err
	}()
	c := dial(t, "pipe:"+path+"?mode=0620")
	info, err := os.Lstat(path)
	must(t, err)
	if info.Mode().Perm() != 0o620 {
		t.Errorf("the pipe's mode is %v", info.Mode())
	}
	if got := hearAll(t, c); got != "hello\n" {
		t.Errorf("heard %q", got)
	}
	must(t, <-other)
	must(t, c.Close())
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after Close the pipe is still there (%v)", err)
	}
}

func TestPipeThatWasThereStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	must(t, makePipe(path, 0o600))
	missing(t, "pipe:"+path)
	reader := make(chan error, 1)
	go func() {
		f, err := os.Open(path)
		if err == nil {
			err = f.Close()
		}
		reader <- err
	}()
	c := dial(t, "pipe:"+path+"?write")
	must(t, <-reader)
	must(t, c.Close())
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("a pipe that was there before is gone: %v", err)
	}
}
