//go:build unix

package local

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"parley"
)

// An end that is only written to ends when a write was refused, so that who waits for its end can leave; not when a write was
// late.
func TestRefusedWriteEndsSilence(t *testing.T) {
	r, w := rawPipe(t)
	reader := ours(t, r)
	e := newEnd(Addr{"pipe", "x"}, nil, ours(t, w))
	defer e.Close()
	must(t, e.SetWriteDeadline(time.Now().Add(-time.Second)))
	if _, err := e.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("after its deadline a write is %v", err)
	}
	must(t, e.SetWriteDeadline(time.Time{}))
	if isClosed(e.in.(*silent).ended) {
		t.Fatal("a write that was late has ended it")
	}
	must(t, e.SetReadDeadline(time.Now().Add(10*time.Second)))
	ended := make(chan error, 1)
	go func() {
		_, err := e.Read(make([]byte, 1))
		ended <- err
	}()
	must(t, reader.Close())
	if _, err := e.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("a write that nobody reads is %v, want EPIPE", err)
	}
	if err := <-ended; err != io.EOF {
		t.Errorf("after it a read is %v, want io.EOF", err)
	}
}

// Whoever writes to the file of such an end tells it of a failure by saying the end.
func TestRefusedFileEndsSilence(t *testing.T) {
	r, w := rawPipe(t)
	must(t, syscall.Close(r))
	e := newEnd(Addr{"pipe", "x"}, nil, ours(t, w))
	defer e.Close()
	_, out := e.Files()
	if _, err := out.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Fatalf("a write that nobody reads is %v, want EPIPE", err)
	}
	must(t, e.CloseWrite())
	if _, err := e.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("a read is %v, want io.EOF", err)
	}
}

// What could not be opened is known by the same error as a missing file, whatever it is, and says the same as ever.
func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	for address, want := range map[string]error{
		"fd:999":                 syscall.EBADF,
		"exec:no-such-command":   exec.ErrNotFound,
		"exec:" + dir + "/none":  fs.ErrNotExist,
		"exec:cat?dir=/no/where": fs.ErrNotExist,
		"file:" + dir:            syscall.EISDIR,
		"file:" + dir + "/none":  fs.ErrNotExist,
		"pipe:" + dir + "/n/one": fs.ErrNotExist,
		"pipe:" + dir + "?write": errors.ErrUnsupported,
	} {
		_, err := parley.Dial(t.Context(), address)
		var file *fs.PathError
		if !errors.As(err, &file) || !errors.Is(err, want) {
			t.Errorf("%s: %v, want an *fs.PathError and %v", address, err, want)
		}
	}
	_, err := parley.Dial(t.Context(), "fd:x")
	var mistake *parley.AddressError
	var file *fs.PathError
	if errors.As(err, &file) || !errors.As(err, &mistake) {
		t.Errorf("a wrong address is %v, want a *parley.AddressError and nothing else", err)
	}
	err = missing(t, "pipe:"+filepath.Join(dir, "nobody"))
	if errors.As(err, &file) {
		t.Errorf("an end of ctx is %v, want no *fs.PathError", err)
	}
}

// A socket whose other end has gone, as the system says, has no half-close to fail.
func TestHalfCloseOfGoneSocket(t *testing.T) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0) // not connected: as one that is not any more
	must(t, err)
	f := ours(t, fd)
	if err := shutdownWrite(f); !errors.Is(err, syscall.ENOTCONN) {
		t.Skipf("here that is %v", err)
	}
	e := newEnd(Addr{"exec", "gone"}, f, f)
	defer e.Close()
	if err := e.CloseWrite(); err != nil {
		t.Error(err)
	}
}
