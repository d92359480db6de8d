package sys

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// socketPair returns the two ends of a conversation on network.
func socketPair(t *testing.T, network string) (a, b net.Conn) {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "s")
	}
	ln, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	a, err = net.Dial(network, ln.Addr().String())
	if err == nil {
		b, err = ln.Accept()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

func rawConn(t *testing.T, c any) syscall.RawConn {
	t.Helper()
	rc, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	return rc
}

// passed counts what a PassThrough tells.
type passed struct{ took, gave, waits int }

func (p *passed) moves() Moves {
	return Moves{func(n int) { p.took += n }, func(n int) { p.gave += n }, func() { p.waits++ }, func() {}}
}

// passAll is what a relay does: it passes through while much comes, and else copies, until the end.
func passAll(from io.Reader, to io.Writer, fromRaw, toRaw syscall.RawConn, p *passed) error {
	buf := make([]byte, 64<<10)
	for {
		if fromErr, toErr := PassThrough(fromRaw, toRaw, p.moves()); fromErr != nil || toErr != nil {
			return errors.Join(fromErr, toErr)
		}
		n, err := from.Read(buf)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return err
		}
	}
}

func TestPassThrough(t *testing.T) {
	data := bytes.Repeat([]byte("all that is said arrives, in order\n"), 1<<18) // 9 MB
	for _, from := range []string{"tcp", "unix"} {
		for _, to := range []string{"tcp", "unix", "file"} {
			t.Run(from+" to "+to, func(t *testing.T) {
				speaker, heard := socketPair(t, from)
				go func() {
					_, _ = speaker.Write(data)
					speaker.Close()
				}()
				var p passed
				sum := make(chan [32]byte, 1)
				var err error
				if to == "file" {
					f, createErr := os.Create(filepath.Join(t.TempDir(), "f"))
					if createErr != nil {
						t.Fatal(createErr)
					}
					defer f.Close()
					err = passAll(heard, f, rawConn(t, heard), rawConn(t, f), &p)
					got, _ := os.ReadFile(f.Name())
					sum <- sha256.Sum256(got)
				} else {
					said, listener := socketPair(t, to)
					go func() {
						got, _ := io.ReadAll(listener)
						sum <- sha256.Sum256(got)
					}()
					err = passAll(heard, said, rawConn(t, heard), rawConn(t, said), &p)
					said.Close()
				}
				if err != nil {
					t.Fatal(err)
				}
				if <-sum != sha256.Sum256(data) {
					t.Error("what arrived is not what was said")
				}
				if p.took == 0 || p.took != p.gave {
					t.Errorf("took %d bytes and gave %d by splice(2)", p.took, p.gave)
				}
				checkPipes(t)
			})
		}
	}
}

// checkPipes fails the test if a pipe is not back.
func checkPipes(t *testing.T) {
	t.Helper()
	pipes.Lock()
	defer pipes.Unlock()
	if pipes.made != len(pipes.free) || pipes.made > keptPipes {
		t.Errorf("%d pipes were made, and %d are back", pipes.made, len(pipes.free))
	}
}

// TestPassThroughLeavesLittleToOthers: a wait that brings little ends it, and none of it is lost.
func TestPassThroughLeavesLittleToOthers(t *testing.T) {
	speaker, heard := socketPair(t, "tcp")
	said, listener := socketPair(t, "tcp")
	var p passed
	m := p.moves()
	m.Waits = func() { p.waits++; _, _ = speaker.Write([]byte("little")) }
	if fromErr, toErr := PassThrough(rawConn(t, heard), rawConn(t, said), m); fromErr != nil || toErr != nil {
		t.Fatal(fromErr, toErr)
	}
	if p != (passed{6, 6, 1}) {
		t.Errorf("got %+v", p)
	}
	got := make([]byte, 6)
	if _, err := io.ReadFull(listener, got); err != nil || string(got) != "little" {
		t.Errorf("heard %q, %v", got, err)
	}
}

// TestPassThroughWithoutPipes: when all pipes are in use it moves nothing, and says nothing against it.
func TestPassThroughWithoutPipes(t *testing.T) {
	var taken []*ownPipe
	for range maxPipes {
		p := takePipe()
		if p == nil {
			t.Fatalf("no pipe after %d", len(taken))
		}
		taken = append(taken, p)
	}
	defer checkPipes(t)
	defer func() {
		for _, p := range taken {
			p.letGo(true)
		}
	}()
	speaker, heard := socketPair(t, "tcp")
	said, _ := socketPair(t, "tcp")
	_, _ = speaker.Write([]byte("something"))
	var p passed
	if fromErr, toErr := PassThrough(rawConn(t, heard), rawConn(t, said), p.moves()); fromErr != nil || toErr != nil || p.took != 0 {
		t.Errorf("got %v, %v, %+v", fromErr, toErr, p)
	}
}

// TestPassThroughErrors tells the errors of the two ends apart.
func TestPassThroughErrors(t *testing.T) {
	t.Run("reset", func(t *testing.T) {
		speaker, heard := socketPair(t, "tcp")
		said, _ := socketPair(t, "tcp")
		_ = speaker.(*net.TCPConn).SetLinger(0)
		speaker.Close()
		var p passed
		fromErr, toErr := PassThrough(rawConn(t, heard), rawConn(t, said), p.moves())
		if !errors.Is(fromErr, syscall.ECONNRESET) || toErr != nil {
			t.Errorf("got %v, %v", fromErr, toErr)
		}
	})
	t.Run("nobody listens", func(t *testing.T) {
		speaker, heard := socketPair(t, "unix")
		said, listener := socketPair(t, "unix")
		listener.Close()
		_, _ = speaker.Write(make([]byte, 1000))
		var p passed
		fromErr, toErr := PassThrough(rawConn(t, heard), rawConn(t, said), p.moves())
		if !errors.Is(toErr, syscall.EPIPE) || fromErr != nil || p.took != 1000 || p.gave != 0 {
			t.Errorf("got %v, %v, %+v", fromErr, toErr, p)
		}
		checkPipes(t)
	})
}

func TestKindOf(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	name := filepath.Join(t.TempDir(), "f")
	for _, tt := range []struct {
		flags int
		want  Kind
	}{{os.O_CREATE | os.O_WRONLY, File}, {os.O_WRONLY | os.O_APPEND, Other}, {os.O_RDONLY, File}} {
		f, err := os.OpenFile(name, tt.flags, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if got := KindOf(f); got != tt.want {
			t.Errorf("open with %#x: %d, want %d", tt.flags, got, tt.want)
		}
		f.Close()
		if got := KindOf(f); got != Other {
			t.Errorf("closed: %d", got)
		}
	}
	if full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0); err == nil {
		if KindOf(full) != Other {
			t.Error("a device is taken for something better")
		}
		full.Close()
	}
	if KindOf(r) != Pipe || KindOf(w) != Pipe {
		t.Error("a pipe is not known for one")
	}
	a, _ := socketPair(t, "tcp")
	f, err := a.(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if KindOf(f) != Stream {
		t.Error("a TCP socket is not known for one")
	}
}
