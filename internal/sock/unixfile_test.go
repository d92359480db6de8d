package sock

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"parley/internal/sys"
)

func isThere(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// The permissions are those asked for from the start, not some moments later.
func TestUnixModeFromTheStart(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere the permissions come after the file")
	}
	for network := range UnixKinds {
		path, p := socketPath(t), Params{"mode": "600"}
		seen := fs.FileMode(0)
		look := func() {
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			seen = info.Mode().Perm()
		}
		var err error
		if network == "unixgram" {
			var pc net.PacketConn
			pc, err = listenPath(path, p, network, func(lc *net.ListenConfig) (net.PacketConn, error) {
				defer look()
				return lc.ListenPacket(t.Context(), network, path)
			})
			closes(t, pc, err)
		} else {
			var ln net.Listener
			ln, err = listenPath(path, p, network, func(lc *net.ListenConfig) (net.Listener, error) {
				defer look()
				return lc.Listen(t.Context(), network, path)
			})
			closes(t, ln, err)
		}
		if seen != 0o600 {
			t.Errorf("%s: the file was made with %v", network, seen)
		}
	}
}

// A mistake in the address is found before anything is touched.
func TestUnixModeMistakeTouchesNothing(t *testing.T) {
	path := socketPath(t)
	stale(t, "unix", path)
	_, err := ListenUnix(soon(t), path, Params{"mode": "rw"})
	says(t, "mode=rw", err, "param mode=rw")
	if !isThere(path) {
		t.Error("what was there is gone")
	}
	_, err = ListenUnix(soon(t), "@parley-mode", Params{"mode": "600"})
	says(t, "mode of an abstract name", err, "param mode=600", "has no file")
}

// The file goes before the socket does: after that it may be somebody else's.
func TestUnixDatagramFileGoesFirst(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no Unix datagrams there")
	}
	path := socketPath(t)
	pc, err := ListenUnixPacket(soon(t), path, Params{"type": "datagram"})
	closes(t, pc, err)
	rc, err := pc.(*unixPackets).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	err = rc.Control(func(uintptr) { // the socket is not closed while this goes on
		go func() { closed <- pc.Close() }()
		for deadline := time.Now().Add(patience); isThere(path); runtime.Gosched() {
			if time.Now().After(deadline) {
				t.Error("the file is there until the socket is closed")
				return
			}
		}
	})
	if err := errors.Join(err, <-closed); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	pc.Close()
	if !isThere(path) {
		t.Error("a second Close has removed somebody else's file")
	}
}

// A socket that has come in the place of a dead one meanwhile is not removed.
func TestUnixRemovesOnlyWhatItHasSeen(t *testing.T) {
	path := socketPath(t)
	stale(t, "unix", path)
	seen, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+"2"); err != nil {
		t.Fatal(err)
	}
	if err := removeSame(path, seen); err != nil {
		t.Errorf("nothing is there: %v", err)
	}
	ln, err := net.Listen("unix", path)
	closes(t, ln, err)
	if err := removeSame(path, seen); !sys.InUse.Is(err) {
		t.Error(err)
	}
	if !isThere(path) {
		t.Error("somebody's socket is removed")
	}
	if err := removeSame(path+"2", seen); err != nil || isThere(path+"2") {
		t.Errorf("the dead one is still there: %v", err)
	}
}

// A caller's own file goes with it, so that the next can call from there; and if nobody listens, there is none.
func TestUnixFromIsRemoved(t *testing.T) {
	for network, kind := range UnixKinds {
		if network != "unix" && runtime.GOOS != "linux" {
			continue
		}
		path, from := socketPath(t), socketPath(t)
		p := Params{"from": from, "type": kind}
		if network == "unixgram" {
			pc, err := ListenUnixPacket(soon(t), path, Params{"type": kind})
			closes(t, pc, err)
		} else {
			listenUnix(t, path, Params{"type": kind})
		}
		for range 2 {
			nc, err := DialUnix(soon(t), path, p)
			closes(t, nc, err)
			if !isThere(from) {
				t.Errorf("%s: no file", network)
			}
			nc.Close()
			if isThere(from) {
				t.Errorf("%s: the file is left after close", network)
			}
		}
		if _, err := DialUnix(soon(t), path+"-nobody", p); err == nil || isThere(from) {
			t.Errorf("%s: called nobody, and left the file: %v", network, err)
		}
		if err := os.WriteFile(from, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := DialUnix(soon(t), path, p); !sys.InUse.Is(err) || !isThere(from) {
			t.Errorf("%s: somebody else's file: %v, there %v", network, err, isThere(from))
		}
	}
}
