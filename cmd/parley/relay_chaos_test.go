//go:build unix

package main

import (
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestChaosRelay carries 100 MB to a target and back through a relay, by TCP and by TLS, while callers beside it break off, stall
// or leave at random: what comes back must be what was said. With PARLEY_CHAOS it is 10 GB for each minute that it says, and a
// tenth of it by TLS.
func TestChaosRelay(t *testing.T) {
	size := chaosSize(t)
	cert := certify(t, "localhost", nil)
	for _, a := range []string{"tcp:127.0.0.1:0", "tls:127.0.0.1:0?cert=" + cert.file} {
		t.Run(a[:3], func(t *testing.T) {
			size := size
			if a[:3] == "tls" {
				size = max(size/10, 100<<20)
			}
			v, address := relaying(t, a, chaosTarget(t), "--log", "text", "--max-conns", "0")
			var beside sync.WaitGroup
			stop := make(chan struct{})
			for n := range 8 {
				beside.Go(func() { misuse(address, rand.New(rand.NewPCG(uint64(n), 1)), stop) })
			}
			said, heard := transferBoth(t, a[:3], address, size)
			close(stop)
			beside.Wait()
			if said != heard {
				t.Errorf("of %d bytes what came back is not what was said", size)
			}
			v.alive()
			if got := exchangeChaos(t, a[:3], address); got != "after all" {
				t.Errorf("heard %q afterwards", got)
			}
			v.signal(syscall.SIGTERM)
			v.leaves(0, `reset`) // of those beside it
		})
	}
}

// chaosSize is how many bytes are carried each way.
func chaosSize(t *testing.T) int64 {
	t.Helper()
	text := os.Getenv("PARLEY_CHAOS")
	if text == "" {
		return 100 << 20
	}
	lasts, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return max(100<<20, int64(lasts.Minutes()*10e9))
}

// chaosTarget says to each caller what it hears.
func chaosTarget(t *testing.T) string {
	return serve(t, func(c *net.TCPConn) {
		memory := make([]byte, 256<<10)
		_, _ = io.CopyBuffer(struct{ io.Writer }{c}, struct{ io.Reader }{c}, memory) // through memory, as a program does
		_ = c.CloseWrite()
	})
}

func dialChaos(t *testing.T, network, address string) net.Conn {
	t.Helper()
	if network == "tls" {
		return talkTLS(t, address, &tls.Config{InsecureSkipVerify: true}).Conn
	}
	return dial(t, "tcp", address)
}

func exchangeChaos(t *testing.T, network, address string) string {
	t.Helper()
	c := talkOver(t, dialChaos(t, network, address))
	c.say("after all")
	c.end()
	return c.rest()
}

// transferBoth says size bytes that cannot be guessed, and returns the hash of what was said and of what came back.
func transferBoth(t *testing.T, network, address string, size int64) (said, heard [sha256.Size]byte) {
	t.Helper()
	c := dialChaos(t, network, address)
	_ = c.SetDeadline(time.Time{}) // it is as long as PARLEY_CHAOS makes it; go test has a limit
	var saying sync.WaitGroup
	saying.Go(func() {
		sum := sha256.New()
		if _, err := io.CopyBuffer(struct{ io.Writer }{c}, io.TeeReader(newNoise(size), sum), make([]byte, 256<<10)); err != nil {
			t.Errorf("saying: %v", err)
			c.Close()
			return
		}
		if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Errorf("saying the end: %v", err)
		}
		said = sumOf(sum)
	})
	sum := sha256.New()
	if n, err := io.CopyBuffer(sum, struct{ io.Reader }{c}, make([]byte, 256<<10)); err != nil || n != size {
		t.Errorf("heard %d bytes of %d: %v", n, size, err)
	}
	saying.Wait()
	return said, sumOf(sum)
}

func newNoise(size int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{4}), size)
}

func sumOf(h hash.Hash) [sha256.Size]byte { return [sha256.Size]byte(h.Sum(nil)) }

// misuse is one caller after the other who does not behave, until stop.
func misuse(address string, r *rand.Rand, stop <-chan struct{}) {
	for n := 0; ; n++ {
		select {
		case <-stop:
			if n >= 5 {
				return
			}
		default:
		}
		c, err := net.Dial("tcp", address)
		if err != nil {
			continue // who does not behave is not let in for ever
		}
		tcp := c.(*net.TCPConn)
		_ = c.SetDeadline(time.Now().Add(time.Duration(1+r.IntN(200)) * time.Millisecond))
		switch r.IntN(5) {
		case 0: // is torn away in the middle of something
			_, _ = io.CopyN(c, zeroes{}, int64(r.IntN(1<<20)))
			_ = tcp.SetLinger(0)
		case 1: // leaves without hearing the answer
			_, _ = fmt.Fprintf(c, "a line that is answered to nobody %d\n", n)
		case 2: // says all it can and hears nothing
			_, _ = io.Copy(c, zeroes{})
		case 3: // says the end, and is torn away while it hears
			_, _ = io.CopyN(c, zeroes{}, 64<<10)
			_ = tcp.CloseWrite()
			_, _ = io.CopyN(io.Discard, c, int64(r.IntN(1<<16)))
			_ = tcp.SetLinger(0)
		case 4: // comes and breaks off
			_ = tcp.SetLinger(0)
		}
		c.Close()
	}
}

// TestChaosRelayCrowd: 2,000 callers are there at once, 10,000 with PARLEY_CHAOS, or as many as there are descriptors for; each
// hears its own words, and its end.
func TestChaosRelayCrowd(t *testing.T) {
	count := 2000
	if os.Getenv("PARLEY_CHAOS") != "" {
		count = 10_000
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if fits := int(min(limit.Max, 1<<20)-100) / 2; count > fits { // the relay has two for each
		t.Logf("%d callers, as %d descriptors are allowed", fits, limit.Max)
		count = fits
	}
	echo := socketDir(t) + "/echo"
	serving(t, "serve", "echo="+echo, "--max-conns", "0")
	names := make([]string, count)
	v, address := relaying(t, "127.0.0.1:0", "unix:"+echo, "--max-conns", "0")
	crowd := make([]*talker, count)
	for i := range crowd {
		names[i] = fmt.Sprintf("I am caller %d\n", i)
		crowd[i] = talk(t, address)
		crowd[i].say(names[i])
	}
	for i, c := range crowd { // all are there when the first is heard
		c.hears(names[i])
	}
	for i, c := range crowd {
		c.say("again, " + names[i])
		c.end()
	}
	for i, c := range crowd {
		if got := c.rest(); got != "again, "+names[i] {
			t.Fatalf("caller %d heard %q", i, got)
		}
		c.Close()
	}
	v.signal(syscall.SIGTERM)
	v.leaves(0, ``)
}
