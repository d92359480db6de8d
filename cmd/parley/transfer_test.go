//go:build unix

package main

import (
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const transferSize = 64 << 20

// noise writes a file of transferSize bytes that cannot be guessed, and returns it with its hash.
func noise(t *testing.T, seed byte) (file string, hash [sha256.Size]byte) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "noise")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.CopyN(io.MultiWriter(f, sum), rand.NewChaCha8([32]byte{seed}), transferSize); err != nil {
		t.Fatal(err)
	}
	return file, [sha256.Size]byte(sum.Sum(nil))
}

func hashOf(t *testing.T, file string) [sha256.Size]byte {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		t.Fatal(err)
	}
	return [sha256.Size]byte(sum.Sum(nil))
}

// between gives cmd a file to say and a file for what it hears, and returns the latter's name.
func between(t *testing.T, cmd *exec.Cmd, in string) (out string) {
	t.Helper()
	r, err := os.Open(in)
	if err != nil {
		t.Fatal(err)
	}
	out = filepath.Join(t.TempDir(), "heard")
	w, err := os.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	cmd.Stdin, cmd.Stdout = r, w
	return out
}

// TestTransfer says 64 MB in both directions at once and compares hashes.
func TestTransfer(t *testing.T) {
	t.Parallel()
	ours, ourHash := noise(t, 1)
	theirs, theirHash := noise(t, 2)
	check := func(t *testing.T, p *program, pOut string, v *program, vOut string) {
		t.Helper()
		v.leaves(0, ``)
		p.leaves(0, ``)
		if hashOf(t, vOut) != theirHash {
			t.Error("parley has not heard what the other end said")
		}
		if hashOf(t, pOut) != ourHash {
			t.Error("the other end has not heard what parley said")
		}
	}
	t.Run("call socat", func(t *testing.T) {
		cmd := peer(t, "socat", "-dd", "-b65536", "-t40", "TCP-LISTEN:0,bind=127.0.0.1", "-")
		pOut := between(t, cmd, theirs)
		p, address := peerServer(t, cmd, socatListens)
		cmd = parley("call", address)
		vOut := between(t, cmd, ours)
		check(t, p, pOut, start(t, cmd), vOut)
	})
	t.Run("listen to nc", func(t *testing.T) {
		cmd := parley("listen", "0", "--once")
		vOut := between(t, cmd, ours)
		v, address := listen(t, cmd)
		cmd = peer(t, "nc", append([]string{"-N"}, strings.Split(address, ":")...)...)
		pOut := between(t, cmd, theirs)
		check(t, start(t, cmd), pOut, v, vOut)
	})
	for _, address := range []string{"tls:0", filepath.Join(socketDir(t), "s")} {
		scheme, _, _ := strings.Cut(address, "/")
		t.Run("parley to parley "+scheme, func(t *testing.T) {
			cmd := parley("listen", address, "--once")
			vOut := between(t, cmd, ours)
			v, to := listen(t, cmd)
			cmd = parley("call", to)
			pOut := between(t, cmd, theirs)
			check(t, start(t, cmd), pOut, v, vOut)
		})
	}
}

// TestLongReply: a reply until the close is printed as it comes, however long it is.
func TestLongReply(t *testing.T) {
	t.Parallel()
	theirs, hash := noise(t, 3)
	need(t, "cat")
	p := peer(t, "socat", "-dd", "-b65536", "-t40", "TCP-LISTEN:0,bind=127.0.0.1", "SYSTEM:read request; cat "+theirs)
	_, address := peerServer(t, p, socatListens)
	cmd := parley("ask", address, "go", "--reply-frame", "until close")
	out := between(t, cmd, os.DevNull)
	start(t, cmd).leaves(0, `^$`)
	if hashOf(t, out) != hash {
		t.Error("the reply is not what was said")
	}
}
