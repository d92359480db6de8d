package meter

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley"
)

var update = flag.Bool("update", false, "write what the tests see to testdata")

// golden compares got with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.ReplaceAll(string(want), "\r\n", "\n"); got != want {
		t.Errorf("got:\n%s\nwant what is in %s:\n%s\n(if what is new is right: go test -update)", got, path, want)
	}
}

// busy makes the service do a bit of everything, leaves one conversation open, and calls f.
func busy(t *testing.T, f func(st *stage)) {
	onStage(t, answer, func(st *stage) {
		st.meter.Listening("files", "127.0.0.1:8080")
		st.meter.Refused("answer", "per-host")
		st.meter.Refused("answer", "per-host")
		st.meter.Refused("answer", "denied")
		st.meter.Observe("files")(parley.Event{Kind: parley.AcceptFailed})
		st.meter.Observe("files")(parley.Event{Kind: parley.Dropped})
		well := st.call("well")
		for range 98 {
			st.ask(well, "fast")
		}
		st.ask(well, "slow")
		st.end(well)
		for _, bad := range []string{"fail", "fail", "panic"} {
			c := st.call("bad-" + bad)
			_ = c.Send(st.Context(), []byte(bad))
			_, _ = c.Receive(st.Context())
			st.end(c)
		}
		cut := st.call("cut")
		_, _ = cut.Write([]byte("no end"))
		st.end(cut)
		open := st.call("open")
		st.ask(open, "here")
		synctest.Wait()
		f(st)
	})
}

func text(t *testing.T, m *Meter) string {
	t.Helper()
	var b bytes.Buffer
	n, err := m.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatalf("WriteTo: %d, %v after %d bytes", n, err, b.Len())
	}
	return b.String()
}

func TestWriteTo(t *testing.T) {
	busy(t, func(st *stage) { golden(t, "metrics.txt", text(t, st.meter)) })
}

func TestSummary(t *testing.T) {
	busy(t, func(st *stage) { golden(t, "summary.txt", utc(st.meter).Summary()) })
}

// utc makes what m says of its beginning independent of where the test runs.
func utc(m *Meter) *Meter {
	m.started = m.started.UTC()
	return m
}

func TestStatus(t *testing.T) {
	busy(t, func(st *stage) {
		<-time.After(time.Minute)
		for i := range longest {
			st.call(fmt.Sprintf("later-%d", i))
			<-time.After(time.Second)
		}
		synctest.Wait()
		got := strings.Replace(st.meter.Status(), fmt.Sprintf("process %d,", os.Getpid()), "process PID,", 1)
		golden(t, "status.txt", got)
	})
}

// A caller chooses the name of his Unix socket, and could choose one that paints the terminal.
func TestNamesArePrintable(t *testing.T) {
	m := New()
	m.Listening("chat", "unix:\x1b[2J")
	if got := m.Status() + m.Summary(); strings.Contains(got, "\x1b") {
		t.Errorf("got %q", got)
	}
	for name, want := range map[string]string{"@x": "@x", "Größe": "Größe", "\x1b[2J": `"\x1b[2J"`, "a\nb": `"a\nb"`, `a"b`: `"a\"b"`} {
		if got := printable(name); got != want {
			t.Errorf("printable(%q) = %s, want %s", name, got, want)
		}
	}
}

// Prometheus itself must find nothing to say against any name, type or value.
func TestPromtool(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil && os.Getenv("PARLEY_PEERS") == "required" {
		t.Fatal("promtool is missing, and PARLEY_PEERS=required")
	} else if err != nil {
		t.Skip("promtool is missing")
	}
	var page string
	busy(t, func(st *stage) {
		st.meter.Refused("a \"quoted\\\n\xff name", "a \"reason\"\n")
		page = text(t, st.meter)
	})
	for name, page := range map[string]string{"of a busy program": page, "of one that serves nothing": text(t, New())} {
		cmd := exec.Command(promtool, "check", "metrics")
		cmd.Stdin = strings.NewReader(page)
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("promtool check metrics %s: %v\n%s\n%s", name, err, out, page)
		}
	}
}

func TestServeHTTP(t *testing.T) {
	m := New()
	m.Listening("echo", "127.0.0.1:7")
	for method, want := range map[string]int{"GET": http.StatusOK, "HEAD": http.StatusOK, "POST": http.StatusMethodNotAllowed} {
		w := httptest.NewRecorder()
		m.ServeHTTP(w, httptest.NewRequest(method, "/metrics", nil))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", method, w.Code, want)
		}
		if want == http.StatusOK && w.Header().Get("Content-Type") != "text/plain; version=0.0.4; charset=utf-8" {
			t.Errorf("%s: %v", method, w.Header())
		}
		if method == "GET" && !strings.Contains(w.Body.String(), `parley_conversations_open{service="echo"} 0`) {
			t.Errorf("no echo in %s", w.Body)
		}
	}
}

func TestReasonsAreBounded(t *testing.T) {
	m := New()
	for i := range 10 * maxNames {
		m.Refused("echo", fmt.Sprint("reason ", i))
	}
	refused := m.accounts()[0].refused
	if len(refused) != maxNames+1 || refused["other"] != 9*maxNames {
		t.Errorf("%d reasons, %d other", len(refused), refused["other"])
	}
}

// Counters that go back look to Prometheus as if the program had begun anew.
func TestCountersNeverGoBack(t *testing.T) {
	onStage(t, answer, func(st *stage) {
		const callers, frames = 8, 50
		done := make(chan struct{}, callers)
		for i := range callers {
			go func() {
				for range frames {
					c := st.call(fmt.Sprintf("caller-%d", i))
					st.ask(c, "hello")
					c.Close()
				}
				done <- struct{}{}
			}()
		}
		var last account
		for left := callers; left > 0; {
			select {
			case <-done:
				left--
			default:
			}
			a := st.meter.accounts()[0]
			if a.bytesHeard < last.bytesHeard || a.bytesSaid < last.bytesSaid || a.total < last.total {
				t.Fatalf("went back from %+v to %+v", last, a)
			}
			last = a
		}
		synctest.Wait()
		a := st.meter.accounts()[0]
		if a.open != 0 || a.total != callers*frames || a.bytesHeard != 6*callers*frames || a.framesSaid != callers*frames {
			t.Errorf("at the end: %+v", a)
		}
	})
}

// A conversation that is observed and never held, or observed before it is held, leaves nothing behind.
func TestNothingIsLeft(t *testing.T) {
	turnAway := func(ctx context.Context, c *parley.Conn) error {
		_, err := c.Receive(ctx)
		return err
	}
	outside(t, turnAway)
	onStage(t, answer, func(st *stage) {
		c := st.call("held")
		st.ask(c, "hello")
		st.end(c)
		if n := size(st.meter.service("answer")); n != 0 {
			t.Errorf("%d conversations are left", n)
		}
	})
}

// outside has one caller whose frame is heard outside of the Meter's Handler.
func outside(t *testing.T, h parley.Handler) {
	m := New()
	caller, accepted := pipe(t, &parley.Config{Observe: m.Observe("answer")})
	if err := caller.Send(t.Context(), []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := h(t.Context(), accepted); err != nil {
		t.Fatal(err)
	}
	s := m.service("answer")
	if a := s.account(); a.framesHeard != 1 || a.open != 0 {
		t.Errorf("while it is open: %+v", a)
	}
	accepted.Close()
	if n := size(s); n != 0 {
		t.Errorf("%d conversations are left", n)
	}
}

// A conversation that its Handler has closed is counted until the Handler returns, and once.
func TestClosedByItsHandler(t *testing.T) {
	var closed, goOn chan bool // of the bubble
	h := func(ctx context.Context, c *parley.Conn) error {
		_, err := c.Receive(ctx)
		c.Close()
		closed <- true
		<-goOn
		return err
	}
	onStage(t, h, func(st *stage) {
		closed, goOn = make(chan bool), make(chan bool)
		if err := st.call("caller").Send(st.Context(), []byte("hello")); err != nil {
			t.Fatal(err)
		}
		<-closed
		before := st.meter.accounts()[0]
		goOn <- true
		synctest.Wait()
		after := st.meter.accounts()[0]
		if before.open != 1 || before.bytesHeard != 6 || after.open != 0 || after.bytesHeard != 6 || after.total != 1 {
			t.Errorf("closed: %+v; returned: %+v", before, after)
		}
	})
}

func size(s *service) (n int) {
	for range s.live.all() {
		n++
	}
	return n
}

// WriteTo says what the writer's error was.
func TestWriteToFails(t *testing.T) {
	r, w := io.Pipe()
	r.Close()
	if _, err := New().WriteTo(w); err != io.ErrClosedPipe {
		t.Errorf("got %v", err)
	}
}
