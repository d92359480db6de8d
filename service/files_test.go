package service_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley"
	"parley/service"
)

// A tree is a directory that is served, beside things that must not be.
type tree struct{ dir, outside string }

func newTree(t *testing.T) tree {
	t.Helper()
	base := t.TempDir()
	tr := tree{filepath.Join(base, "served"), filepath.Join(base, "outside")}
	for name, text := range map[string]string{
		"served/hello.txt": "Hello there!", "served/.secret": "SECRET", "served/.git/config": "SECRET",
		"served/sub/a b.txt": "in sub", "served/sub/.hidden": "SECRET", "served/site/index.html": "<p>index</p>",
		"outside/secret.txt": "SECRET",
	} {
		name = filepath.Join(base, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{
		"inside": "sub", "out-file": "../outside/secret.txt", "out-dir": "../outside", "out-abs": tr.outside,
		"out-root": "/", "loop": "loop", "nowhere": "missing", "sub/up": "..",
	} {
		if err := os.Symlink(to, filepath.Join(tr.dir, name)); err != nil {
			t.Skip(err)
		}
	}
	return tr
}

func filesOf(t *testing.T, dir string) *service.FileServer {
	t.Helper()
	f, err := service.Files(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// raw says a request to h and returns all that is replied; the request asks for the close.
func raw(t *testing.T, call func() *parley.Conn, method, path string) string {
	t.Helper()
	c := call()
	fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n", method, path)
	reply, err := io.ReadAll(c)
	if err != nil {
		t.Errorf("%s %s: %v", method, path, err)
	}
	return string(reply)
}

func TestFiles(t *testing.T) {
	tr := newTree(t)
	call := served(t, filesOf(t, tr.dir).Handle)
	for _, tt := range []struct {
		method, path string
		status       int
		has          string
	}{
		{"GET", "/hello.txt", 200, "\r\n\r\nHello there!"},
		{"HEAD", "/hello.txt", 200, "Content-Length: 12\r\n"},
		{"GET", "/sub/a%20b.txt", 200, "in sub"},
		{"GET", "/inside/a%20b.txt", 200, "in sub"}, // a link that stays inside
		{"GET", "/sub/up/hello.txt", 200, "Hello there!"},
		{"GET", "/site/", 200, "<p>index</p>"},
		{"GET", "/site", 301, "Location: site/"},
		{"GET", "/site/index.html", 301, "Location: ./"},
		{"GET", "/sub/", 200, `<a href="a%20b.txt">`},
		{"GET", "/sub/../hello.txt", 200, "Hello there!"},
		{"GET", "/missing", 404, ""},
		{"GET", "/.secret", 404, ""},
		{"GET", "/%2esecret", 404, ""},
		{"GET", "/.git/config", 404, ""},
		{"GET", "/.git/", 404, ""},
		{"GET", "/sub/.hidden", 404, ""},
		{"GET", "/inside/.hidden", 404, ""},
		{"GET", "/out-file", 404, ""},
		{"GET", "/out-dir/secret.txt", 404, ""},
		{"GET", "/out-dir/", 404, ""},
		{"GET", "/out-abs/secret.txt", 404, ""},
		{"GET", "/out-root/etc/passwd", 404, ""},
		{"GET", "/loop", 404, ""},
		{"GET", "/nowhere", 404, ""},
		{"GET", "/hello.txt/more", 404, ""},
		{"GET", "/../outside/secret.txt", 404, ""},
		{"GET", "/%2e%2e/outside/secret.txt", 404, ""},
		{"GET", "/sub/%2e%2e/%2E%2e/outside/secret.txt", 404, ""},
		{"GET", "/..%2foutside%2fsecret.txt", 404, ""},
		{"GET", "/..%5coutside%5csecret.txt", 404, ""},
		{"GET", "//outside/secret.txt", 404, ""},
		{"GET", "/hello.txt%00", 404, ""},
		{"GET", "/" + strings.Repeat("x", 5000), 404, ""},
		{"POST", "/hello.txt", 405, "Allow: GET, HEAD\r\n"},
		{"PUT", "/new.txt", 405, "Allow: GET, HEAD\r\n"},
		{"DELETE", "/hello.txt", 405, "Allow: GET, HEAD\r\n"},
		{"OPTIONS", "*", 405, "Allow: GET, HEAD\r\n"},
		{"GET", "not a path", 400, ""},
	} {
		got := raw(t, call, tt.method, tt.path)
		if !strings.HasPrefix(got, fmt.Sprintf("HTTP/1.1 %d ", tt.status)) || !strings.Contains(got, tt.has) {
			t.Errorf("%s %.60s: want %d and %q, got\n%s", tt.method, tt.path, tt.status, tt.has, got)
		}
		if strings.Contains(got, "SECRET") || tt.method == "HEAD" && strings.Contains(got, "Hello") {
			t.Errorf("%s %s shows what it must not:\n%s", tt.method, tt.path, got)
		}
	}
}

// What cannot be had is not listed.
func TestFilesListing(t *testing.T) {
	tr := newTree(t)
	got := raw(t, served(t, filesOf(t, tr.dir).Handle), "GET", "/")
	var names []string
	for line := range strings.Lines(got) {
		if _, rest, ok := strings.Cut(line, `<a href="`); ok {
			name, _, _ := strings.Cut(rest, `"`)
			names = append(names, name)
		}
	}
	if want := []string{"hello.txt", "inside", "site/", "sub/"}; !slices.Equal(names, want) {
		t.Errorf("the listing has %q, want %q", names, want)
	}
}

func TestFilesRange(t *testing.T) {
	c := served(t, filesOf(t, newTree(t).dir).Handle)()
	fmt.Fprint(c, "GET /hello.txt HTTP/1.1\r\nHost: here\r\nRange: bytes=6-10\r\nConnection: close\r\n\r\n")
	reply, err := io.ReadAll(c)
	if err != nil || !strings.HasPrefix(string(reply), "HTTP/1.1 206 ") || !strings.HasSuffix(string(reply), "\r\n\r\nthere") {
		t.Errorf("%q, %v", reply, err)
	}
}

// The directory is the one that was opened, whatever is called so later.
func TestFilesKeepsItsDirectory(t *testing.T) {
	tr := newTree(t)
	call := served(t, filesOf(t, tr.dir).Handle)
	if err := os.Rename(tr.dir, tr.dir+".old"); err != nil {
		t.Skip(err)
	}
	if err := os.Symlink(tr.outside, tr.dir); err != nil {
		t.Fatal(err)
	}
	if got := raw(t, call, "GET", "/hello.txt"); !strings.HasSuffix(got, "Hello there!") {
		t.Errorf("after a rename: %s", got)
	}
	if got := raw(t, call, "GET", "/secret.txt"); !strings.HasPrefix(got, "HTTP/1.1 404 ") {
		t.Errorf("what took the directory's name is served: %s", got)
	}
}

func TestFilesNeedsADirectory(t *testing.T) {
	if _, err := service.Files(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing directory: %v", err)
	}
	if _, err := service.Files(filepath.Join(newTree(t).dir, "hello.txt")); err == nil {
		t.Error("a file is taken for a directory")
	}
}

func TestFilesNeedAStream(t *testing.T) {
	err := filesOf(t, t.TempDir()).Handle(t.Context(), parley.NewConn(&sender{port: 40000}, nil))
	if !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("over datagrams: %v", err)
	}
}

// net/http's own client, with conversations that are used again, and a file larger than any buffer.
func TestFilesWithHTTPClient(t *testing.T) {
	tr := newTree(t)
	large := bytes.Repeat([]byte("0123456789abcdef"), 1<<18)
	if err := os.WriteFile(filepath.Join(tr.dir, "large"), large, 0o644); err != nil {
		t.Fatal(err)
	}
	call, calls := served(t, filesOf(t, tr.dir).Handle), 0
	client := http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		calls++
		return call(), nil
	}}}
	defer client.CloseIdleConnections()
	for range 3 {
		reply, err := client.Get("http://here/large")
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(reply.Body)
		reply.Body.Close()
		if err != nil || !bytes.Equal(got, large) {
			t.Fatalf("%d of %d bytes, %v", len(got), len(large), err)
		}
	}
	if calls != 1 {
		t.Errorf("3 requests took %d conversations, want 1", calls)
	}
}

func TestFilesWithCurl(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip(err)
	}
	address := served(t, filesOf(t, newTree(t).dir).Handle)().RemoteAddr().String()
	for path, want := range map[string]string{
		"/hello.txt": "Hello there! 200", "/.secret": "404 page not found\n 404", "/../outside/secret.txt": "404 page not found\n 404",
		"/%2e%2e/outside/secret.txt": "404 page not found\n 404",
	} {
		out, err := exec.Command(curl, "-sS", "--path-as-is", "-w", " %{http_code}", "http://"+address+path).Output()
		if err != nil || string(out) != want {
			t.Errorf("curl %s: %q, %v; want %q", path, out, err, want)
		}
	}
}

func TestFilesOverTLS(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	ln, err := parley.Listen(ctx, "tls:127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- (&parley.Server{Handler: filesOf(t, newTree(t).dir).Handle}).Serve(ctx, ln) }()
	// The certificate was made for the occasion, and who checks pins is tested elsewhere.
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	reply, err := client.Get("https://" + ln.Addr().String() + "/hello.txt")
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(reply.Body)
	reply.Body.Close()
	if string(got) != "Hello there!" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	end() // with the client's conversation idle
	if err := <-done; err != nil {
		t.Error(err)
	}
	client.CloseIdleConnections()
}

func TestFilesEndlessHeader(t *testing.T) {
	c := served(t, filesOf(t, newTree(t).dir).Handle)()
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: here\r\n")
	said := make(chan int, 1)
	go sayHeaders(c, said)
	reply, err := io.ReadAll(c)
	if !strings.HasPrefix(string(reply), "HTTP/1.1 431 ") {
		t.Errorf("an endless header is answered by %q, %v", reply, err)
	}
	c.Close()
	if n := <-said; n == 0 {
		t.Error("nothing was said")
	}
}

// sayHeaders says header lines until nobody hears them.
func sayHeaders(c *parley.Conn, said chan<- int) {
	n := 0
	for {
		if _, err := fmt.Fprintf(c, "X-%d: %s\r\n", n, strings.Repeat("x", 1000)); err != nil {
			said <- n
			return
		}
		n++
	}
}

func TestFilesSlowHeader(t *testing.T) {
	dir := newTree(t).dir
	synctest.Test(t, func(t *testing.T) {
		files, err := service.Files(dir)
		if err != nil {
			t.Fatal(err)
		}
		s := servedInMemory(t, files.Handle)
		c := s.call()
		before := time.Now()
		go sayOneByteASecond(c, "GET / HTTP/1.1\r\nHost: here\r\nX: "+strings.Repeat("x", 100))
		// net/http may take the ten bytes for a bad request; and it closes while more is being said, which is a reset.
		if reply, _ := io.ReadAll(c); len(reply) > 0 && !strings.HasPrefix(string(reply), "HTTP/1.1 400 ") {
			t.Errorf("half a request is answered by %q", reply)
		}
		if took := time.Since(before); took != 10*time.Second {
			t.Errorf("a slow caller is let go after %v, want 10s", took)
		}
		c.Close()
		if err := errors.Join(s.ended(), files.Close()); err != nil {
			t.Error(err)
		}
		<-time.After(5 * time.Second) // for sayOneByteASecond
	})
}

func sayOneByteASecond(c *parley.Conn, text string) {
	for _, b := range []byte(text) {
		if _, err := c.Write([]byte{b}); err != nil {
			return
		}
		<-time.After(time.Second)
	}
}

func TestFilesIdleCaller(t *testing.T) {
	dir := newTree(t).dir
	for name, first := range map[string]string{
		"new":                "",
		"after a request":    "GET /hello.txt HTTP/1.1\r\nHost: here\r\n\r\n",
		"after two at once":  "GET /hello.txt HTTP/1.1\r\nHost: here\r\n\r\nGET /sub/ HTTP/1.1\r\nHost: here\r\n\r\n",
		"after a body":       "GET /hello.txt HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\n\r\nabc",
		"after what is lost": "GET /missing HTTP/1.1\r\nHost: here\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Run("ends with the server", func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { testIdleCaller(t, dir, first, true) })
			})
			t.Run("is let go", func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { testIdleCaller(t, dir, first, false) })
			})
		})
	}
}

// testIdleCaller says first, and then nothing.
func testIdleCaller(t *testing.T, dir, first string, serverEnds bool) {
	files, err := service.Files(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := servedInMemory(t, files.Handle)
	c := s.call()
	before := time.Now()
	fmt.Fprint(c, first)
	synctest.Wait()
	want := time.Minute
	switch {
	case serverEnds:
		want = 0
		if err := s.ended(); err != nil {
			t.Error(err)
		}
	case first == "":
		want = 10 * time.Second
	}
	reply, err := io.ReadAll(c)
	if got, asked := bytes.Count(reply, []byte("HTTP/1.1 ")), strings.Count(first, "GET"); got != asked || err != nil {
		t.Errorf("%d requests have %d replies, %v:\n%s", asked, got, err, reply)
	}
	if took := time.Since(before); took != want {
		t.Errorf("it ended after %v, want %v", took, want)
	}
	c.Close()
	if !serverEnds {
		if err := s.ended(); err != nil {
			t.Error(err)
		}
	}
	if err := files.Close(); err != nil {
		t.Error(err)
	}
}

// A request that has begun when the Server begins to end is answered whole, whether all of it has been said or not.
func TestFilesFinishWhatHasBegun(t *testing.T) {
	tr := newTree(t)
	large := bytes.Repeat([]byte("x"), 1<<20) // more than a Network holds
	if err := os.WriteFile(filepath.Join(tr.dir, "large"), large, 0o644); err != nil {
		t.Fatal(err)
	}
	const request = "GET /large HTTP/1.1\r\nHost: here\r\n\r\n"
	for _, said := range []int{1, 20, len(request)} {
		synctest.Test(t, func(t *testing.T) {
			files, err := service.Files(tr.dir)
			if err != nil {
				t.Fatal(err)
			}
			s := servedInMemory(t, files.Handle)
			c := s.call()
			fmt.Fprint(c, request[:said])
			synctest.Wait()
			s.end()
			synctest.Wait()
			fmt.Fprint(c, request[said:])
			reply, err := io.ReadAll(c)
			if _, body, _ := bytes.Cut(reply, []byte("\r\n\r\n")); !bytes.Equal(body, large) || err != nil {
				t.Errorf("with %d bytes of the request said, %d of %d bytes come, %v", said, len(body), len(large), err)
			}
			c.Close()
			if err := errors.Join(<-s.done, files.Close()); err != nil {
				t.Error(err)
			}
		})
	}
}

// One who never reads is cut off with the others when the grace is over.
func TestFilesCutOff(t *testing.T) {
	tr := newTree(t)
	if err := os.WriteFile(filepath.Join(tr.dir, "large"), make([]byte, 1<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		files, err := service.Files(tr.dir)
		if err != nil {
			t.Fatal(err)
		}
		s := servedInMemory(t, files.Handle)
		c := s.call()
		defer c.Close()
		fmt.Fprint(c, "GET /large HTTP/1.1\r\nHost: here\r\n\r\n")
		synctest.Wait()
		if err := s.ended(); !errors.Is(err, parley.ErrServerEnding) {
			t.Errorf("Serve returns %v", err)
		}
		if err := files.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestFilesClosed(t *testing.T) {
	files, err := service.Files(newTree(t).dir)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 2)
	call := served(t, func(ctx context.Context, c *parley.Conn) error {
		err := files.Handle(ctx, c)
		ended <- err
		return err
	})
	c := call()
	fmt.Fprint(c, "GET /hello.txt HTTP/1.1\r\nHost: here\r\n\r\n")
	if _, err := c.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := files.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("a conversation under way: %v", err)
	}
	call()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("a conversation afterwards: %v, want net.ErrClosed", err)
	}
}
