package cli

import (
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestProgressLine(t *testing.T) {
	for _, test := range []struct {
		name string
		then progressFacts // two seconds after nothing had passed
		want string
	}{
		{"nothing", progressFacts{}, "up 0 B, down 0 B, 0 B/s, 0 conversations"},
		{"no size", progressFacts{up: 1500, down: 3e9, open: 1}, "up 1.5 kB, down 3.0 GB, 1.5 GB/s, 1 conversation"},
		{"size", progressFacts{up: 5e6, down: 0, open: 1, total: 20e6},
			"[#####---------------] 25%, 6s left, up 5.0 MB, down 0 B, 2.5 MB/s, 1 conversation"},
		{"at the end", progressFacts{up: 20, open: 1, total: 20}, "[####################] 100%, up 20 B, down 0 B, 10 B/s, 1 conversation"},
		{"more than the size", progressFacts{up: 40, open: 1, total: 20}, "[####################] 100%, up 40 B, down 0 B, 20 B/s, 1 conversation"},
		{"no forecast", progressFacts{up: 0, open: 1, total: 20}, "[--------------------] 0%, up 0 B, down 0 B, 0 B/s, 1 conversation"},
		{"a long way", progressFacts{up: 1, open: 1, total: 1e18}, "[--------------------] 0%, up 1 B, down 0 B, 0 B/s, 1 conversation"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var facts progressFacts
			p := newProgress(new(ui), func() progressFacts { return facts })
			begin := time.Unix(1000, 0)
			p.line(begin)
			facts = test.then
			if got := p.line(begin.Add(2 * time.Second)); got != test.want {
				t.Errorf("shows %s\nwant  %s", got, test.want)
			}
		})
	}
}

// The rate is that of the last seconds: what was fast at first and then stood still shows none.
func TestProgressRate(t *testing.T) {
	p := newProgress(new(ui), nil)
	now := time.Unix(1000, 0)
	p.rate(now, 0)
	if got := p.rate(now.Add(progressEvery), 1000); got != 4000 {
		t.Errorf("after the first quarter of a second: %v", got)
	}
	var got float64
	for i := range progressPoints {
		got = p.rate(now.Add(time.Duration(i+2)*progressEvery), 1000)
	}
	if got != 0 || len(p.past) != progressPoints {
		t.Errorf("after a pause the rate is %v of %d points, want 0 of %d", got, len(p.past), progressPoints)
	}
	if got := p.rate(now.Add(time.Minute), 900); got != 0 {
		t.Errorf("what was counted too high at first makes it %v", got)
	}
}

func TestBytesText(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1.0 kB", 999_949: "999.9 kB", 999_950: "1.0 MB", 2e9: "2.0 GB", 10e12: "10.0 TB", 1<<63 - 1: "9.2 EB",
	} {
		if got := bytesText(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}

// onTerminal runs f in virtual time with a ui that takes a file for a terminal, and returns what is written.
func onTerminal(t *testing.T, f func(u *ui)) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "terminal")
	synctest.Test(t, func(t *testing.T) {
		file, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		f(&ui{err: file, errTerm: true})
	})
	written, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(written)
}

// screen is what a terminal shows in the end: the lines, and what stands on the last one.
func screen(written string) (lines []string, last string) {
	var row []byte
	at := 0
	for _, c := range []byte(written) {
		switch c {
		case '\r':
			at = 0
		case '\n':
			lines = append(lines, strings.TrimRight(string(row), " "))
			row, at = nil, 0
		default:
			row = append(row[:at], append([]byte{c}, row[min(at+1, len(row)):]...)...)
			at++
		}
	}
	return lines, strings.TrimRight(string(row), " ")
}

func TestProgressOnTerminal(t *testing.T) {
	var up atomic.Int64
	up.Store(123456)
	var during string
	written := onTerminal(t, func(u *ui) {
		p := newProgress(u, func() progressFacts { return progressFacts{up: up.Load()} })
		p.start()
		<-time.After(progressEvery + time.Millisecond)
		synctest.Wait()
		during = u.status
		u.note("something has happened")
		up.Store(1)
		<-time.After(progressEvery)
		synctest.Wait()
		if _, err := u.Write([]byte("1 client> x\n")); err != nil {
			t.Error(err)
		}
		<-time.After(2 * progressEvery)
		synctest.Wait()
		p.stop()
		p.stop()
	})
	if !strings.HasPrefix(during, "up 123.5 kB, down 0 B") {
		t.Errorf("a quarter of a second after the start it shows %q", during)
	}
	lines, last := screen(written)
	if want := []string{"parley: something has happened", "1 client> x"}; strings.Join(lines, "\n") != strings.Join(want, "\n") || last != "" {
		t.Errorf("left on the terminal are %q and %q, want %q only; written was %q", lines, last, want, written)
	}
	if n := strings.Count(written, "up "); n != 4 {
		t.Errorf("the line was written %d times in a second, want 4", n)
	}
}

// A line that gets shorter leaves nothing of the longer one, and one that is too long is cut, as a terminal would wrap it.
func TestProgressOverwrites(t *testing.T) {
	written := onTerminal(t, func(u *ui) {
		u.setStatus("a long text")
		u.setStatus("short")
	})
	if _, last := screen(written); last != "short" {
		t.Errorf("the terminal shows %q, want short", last)
	}
	if got := fitted("12345", 3); got != "123" {
		t.Errorf("cut to %q", got)
	}
}

func TestProgressNoTerminal(t *testing.T) {
	written := onTerminal(t, func(u *ui) {
		u.errTerm = false
		p := newProgress(u, func() progressFacts { return progressFacts{} })
		p.start()
		<-time.After(time.Second)
		p.stop()
		u.note("told")
	})
	if written != "parley: told\n" {
		t.Errorf("written was %q", written)
	}
}
