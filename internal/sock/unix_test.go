package sock

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
)

func listenUnix(t testing.TB, path string, p Params) net.Listener {
	t.Helper()
	ln, err := ListenUnix(soon(t), path, p)
	return closes(t, ln, err)
}

// stale leaves the file of a socket that nobody listens on, as a program that was killed does.
func stale(t *testing.T, network, path string) {
	t.Helper()
	if network == "unixgram" {
		pc, err := net.ListenPacket(network, path)
		closes(t, pc, err).Close() // package net leaves its file
		return
	}
	ln, err := net.Listen(network, path)
	if err != nil {
		t.Fatal(err)
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false)
	ln.Close()
}

func TestUnixStaleSocketIsReplaced(t *testing.T) {
	path := socketPath(t)
	stale(t, "unix", path)
	ln := listenUnix(t, path, nil)
	nc, err := DialUnix(soon(t), path, nil)
	closes(t, nc, err)
	accept(t, ln)
	ln.Close()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file is left after close: %v", err)
	}
}

func TestUnixStaleDatagramSocketIsReplaced(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no Unix datagrams there")
	}
	path := socketPath(t)
	stale(t, "unixgram", path)
	pc, err := ListenUnixPacket(soon(t), path, Params{"type": "datagram"})
	closes(t, pc, err)
	pc.Close()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file is left after close: %v", err)
	}
}

// Somebody who listens is not pushed aside.
func TestUnixLiveSocketIsRefused(t *testing.T) {
	path := socketPath(t)
	ln := listenUnix(t, path, nil)
	second, err := ListenUnix(soon(t), path, nil)
	if !isInUse(err) {
		t.Errorf("listened twice: %v, %v", second, err)
	}
	says(t, "listen twice", err, "somebody listens on "+path+" already")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	nc, err := DialUnix(ctx, path, nil)
	closes(t, nc, err)
	accept(t, ln)
}

func TestUnixOtherFilesAreRefused(t *testing.T) {
	path := socketPath(t)
	for what, make := range map[string]func() error{
		"a file":      func() error { return os.WriteFile(path, []byte("precious"), 0o600) },
		"a directory": func() error { return os.Mkdir(path, 0o700) },
		"a link":      func() error { return os.Symlink("elsewhere", path) },
	} {
		if err := make(); err != nil {
			t.Skip(err)
		}
		ln, err := ListenUnix(soon(t), path, nil)
		says(t, what, err, path+" is there and is no socket", "choose another path")
		if err == nil {
			ln.Close()
		}
		if _, err := os.Lstat(path); err != nil {
			t.Errorf("%s is gone: %v", what, err)
		}
		os.Remove(path)
	}
}

func TestUnixMode(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no permissions there")
	}
	for text, want := range map[string]fs.FileMode{"600": 0o600, "0660": 0o660, "777": 0o777} {
		path := socketPath(t)
		listenUnix(t, path, Params{"mode": text})
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("mode=%s: %v, %v", text, info.Mode(), err)
		}
	}
	for _, text := range []string{"", "rw", "8", "-600", "600x", "77777"} {
		path := socketPath(t)
		ln, err := ListenUnix(soon(t), path, Params{"mode": text})
		if err == nil {
			ln.Close()
		}
		says(t, "mode="+text, err, "param mode="+text, "octal number such as 600")
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("mode=%s: the socket is left: %v", text, err)
		}
	}
}

func TestUnixAbstract(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("abstract names are Linux's")
	}
	name := "@parley-test-" + t.TempDir()
	ln := listenUnix(t, name, nil)
	nc, err := DialUnix(soon(t), name, nil)
	closes(t, nc, err)
	accept(t, ln)
	if _, err := ListenUnix(soon(t), name, nil); !isInUse(err) {
		t.Errorf("listened twice: %v", err)
	}
	ln.Close()
	if _, err := DialUnix(soon(t), name, nil); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("called after close: %v", err)
	}
}

// A caller may have a name too, by which it can be answered.
func TestUnixFrom(t *testing.T) {
	path, from := socketPath(t), socketPath(t)
	ln := listenUnix(t, path, nil)
	nc, err := DialUnix(soon(t), path, Params{"from": from})
	closes(t, nc, err)
	if got := accept(t, ln).RemoteAddr().String(); got != from {
		t.Errorf("called from %q, want %q", got, from)
	}
}

func TestUnixTypes(t *testing.T) {
	path := socketPath(t)
	_, err := ListenUnix(soon(t), path, Params{"type": "raw"})
	says(t, "type=raw", err, "param type=raw", "stream, datagram and seqpacket")
	_, err = ListenUnix(soon(t), "", nil)
	says(t, "no path", err, "empty path", "@name")
	_, err = ListenUnix(soon(t), path, Params{"type": "datagram"})
	if says(t, "datagrams", err, "no callers"); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	_, err = ListenUnixPacket(soon(t), path, nil)
	if says(t, "streams", err, "add ?type=datagram", "stream socket"); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	if runtime.GOOS != "linux" {
		return
	}
	listenUnix(t, path, Params{"type": "seqpacket"})
	_, err = DialUnix(soon(t), path, nil)
	says(t, "a stream to a seqpacket", err, "of another type", "?type=", "seqpacket")
	if !errors.Is(err, syscall.EPROTOTYPE) {
		t.Error(err)
	}
}
