package relay_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"parley/frame"
	"parley/relay"
	"parley/transcript"
)

// What passed over any stream is in the transcript, byte for byte, with both ends of both.
func TestTapOfJoin(t *testing.T) {
	for _, p := range streams() {
		t.Run(p.name, func(t *testing.T) {
			var out bytes.Buffer
			tap := relay.NewTap(&out, relay.TapOptions{Keep: -1})
			request, reply := bytes.Repeat([]byte("request\n"), 40_000), bytes.Repeat([]byte("reply\xff"), 50_000)
			j := join(t, p, p, &relay.Options{Tap: tap})
			askAll(t, j, request, reply)
			if _, err := j.wait(t); err != nil {
				t.Fatal(err)
			}
			if err := tap.Close(); err != nil {
				t.Fatal(err)
			}
			said := map[string][]byte{}
			var ends []string
			for l, err := range transcript.NewReader(&out).Lines() {
				if err != nil {
					t.Fatal(err)
				}
				switch l := l.(type) {
				case transcript.Frame:
					said[l.Role] = append(said[l.Role], l.Data...)
				case transcript.HalfClosed:
					ends = append(ends, l.Role+" has ended")
				case transcript.Closed:
					ends = append(ends, l.Role+" "+l.How)
				}
			}
			if !bytes.Equal(said["client"], request) || !bytes.Equal(said["server"], reply) {
				t.Errorf("the transcript has %d bytes of the client and %d of the server, want %d and %d, the same",
					len(said["client"]), len(said["server"]), len(request), len(reply))
			}
			if want := "[client has ended server has ended client clean server clean]"; fmt.Sprint(ends) != want {
				t.Errorf("the ends are %v, want %v", ends, want)
			}
		})
	}
}

// askAll has the client say all of request and its end, and then the server all of reply.
func askAll(t *testing.T, j *joined, request, reply []byte) {
	t.Helper()
	go func() {
		_, _ = j.client.Write(request)
		_ = j.client.CloseWrite()
	}()
	if got, err := io.ReadAll(j.server); err != nil || !bytes.Equal(got, request) {
		t.Fatalf("the server heard %d bytes, %v", len(got), err)
	}
	go func() {
		_, _ = j.server.Write(reply)
		_ = j.server.CloseWrite()
	}()
	if got, err := io.ReadAll(j.client); err != nil || !bytes.Equal(got, reply) {
		t.Fatalf("the client heard %d bytes, %v", len(got), err)
	}
}

// Bulk through a Join over TCP, from a client to a server in this process, with a Tap and without.
func BenchmarkTapBulk(b *testing.B) {
	b.Run("none", func(b *testing.B) { benchBulk(b, nil) })
	b.Run("pieces", func(b *testing.B) { benchBulk(b, &relay.TapOptions{}) })
	b.Run("lines", func(b *testing.B) {
		benchBulk(b, &relay.TapOptions{Frame: [2]frame.Format{frame.Line(), frame.Line()}})
	})
}

func benchBulk(b *testing.B, opts *relay.TapOptions) {
	j, tap := benchJoin(b, opts)
	heard := make(chan error, 1)
	go func() {
		_, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{j.server}, make([]byte, 256<<10))
		heard <- err
	}()
	p := bytes.Repeat([]byte("a line of sixty-four bytes, as the programs of this world say..\n"), 1024)
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		if _, err := j.client.Write(p); err != nil {
			b.Fatal(err)
		}
	}
	_ = j.client.CloseWrite()
	if err := <-heard; err != nil {
		b.Fatal(err)
	}
	_ = j.server.CloseWrite()
	_, _ = j.wait(b)
	tellLost(b, tap)
}

// Requests and replies of 64 bytes through a Join over TCP, with a Tap and without.
func BenchmarkTapRequests(b *testing.B) {
	for name, opts := range map[string]*relay.TapOptions{"none": nil, "pieces": {}} {
		b.Run(name, func(b *testing.B) {
			j, tap := benchJoin(b, opts)
			request, reply := bytes.Repeat([]byte("x"), 64), make([]byte, 64)
			echoed := make(chan error, 1)
			go func() {
				_, err := io.Copy(j.server, j.server)
				echoed <- err
			}()
			for b.Loop() {
				if _, err := j.client.Write(request); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(j.client, reply); err != nil {
					b.Fatal(err)
				}
			}
			_ = j.client.CloseWrite()
			if err := <-echoed; err != nil {
				b.Fatal(err)
			}
			_ = j.server.CloseWrite()
			_, _ = j.wait(b)
			tellLost(b, tap)
		})
	}
}

func benchJoin(b *testing.B, opts *relay.TapOptions) (*joined, *relay.Tap) {
	var tap *relay.Tap
	if opts != nil {
		file, err := os.Create(filepath.Join(b.TempDir(), "tap"))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { file.Close() })
		tap = relay.NewTap(file, *opts)
	}
	tcp := streams()[0]
	return join(b, tcp, tcp, &relay.Options{Tap: tap}), tap
}

func tellLost(b *testing.B, tap *relay.Tap) {
	if tap == nil {
		return
	}
	if err := tap.Close(); err != nil {
		b.Error(err)
	}
	lost, _ := tap.Lost()
	b.ReportMetric(float64(lost)/float64(b.N), "lost/op")
}
