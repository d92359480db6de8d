//go:build unix

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"parley/transcript"
)

// TestRelayTap: each byte that passes is in the transcript, in its order, with how each conversation began and ended.
func TestRelayTap(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "tap.jsonl")
	v, address := relaying(t, "127.0.0.1:0", sortServer(t), "--tap", name, "--tap-keep", "0")
	texts := map[int64]string{}
	for call := range 3 {
		texts[int64(call+1)] = shuffledLines(3000 + call)
		if got := exchange(t, address, texts[int64(call+1)]); got != sorted(texts[int64(call+1)]) {
			t.Errorf("call %d heard %d bytes", call+1, len(got))
		}
		if !poll(func() bool { return countOf(t, name, `"t":"closed"`) == 2*(call+1) }) {
			t.Fatal("the transcript does not tell the end")
		}
	}
	v.signal(syscall.SIGTERM)
	v.leaves(0, `the tap is complete`)
	said, lines := map[string]map[int64]string{"client": {}, "server": {}}, map[string]int{}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for line, err := range transcript.NewReader(f).Lines() {
		if err != nil {
			t.Fatal(err)
		}
		switch l := line.(type) {
		case transcript.Hello:
			lines["hello"]++
		case transcript.Opened:
			lines["opened"]++
		case transcript.HalfClosed:
			lines["half-closed"]++
		case transcript.Closed:
			lines["closed"]++
			if l.How != "" && l.How != transcript.HowClean || l.Untaken != 0 {
				t.Errorf("call %d: %s closed: %q, %d bytes untaken", l.Call, l.Role, l.How, l.Untaken)
			}
		case transcript.Lost:
			t.Errorf("%d messages lost", l.Count)
		case transcript.Frame:
			if l.Bytes != int64(len(l.Data)) || l.Clipped {
				t.Errorf("%d bytes, of which %d are kept", l.Bytes, len(l.Data))
			}
			said[l.Role][l.Call] += string(l.Data)
		}
	}
	for call, text := range texts {
		if said["client"][call] != text || said["server"][call] != sorted(text) {
			t.Errorf("call %d: %d and %d bytes in the transcript, want %d each", call, len(said["client"][call]), len(said["server"][call]), len(text))
		}
	}
	if want := map[string]int{"hello": 1, "opened": 3, "half-closed": 6, "closed": 6}; !equalCounts(lines, want) {
		t.Errorf("there are %v, want %v", lines, want)
	}
}

func equalCounts(a, b map[string]int) bool {
	for k := range b {
		if a[k] != b[k] {
			return false
		}
	}
	return len(a) == len(b)
}

func countOf(t *testing.T, name, text string) int {
	t.Helper()
	return strings.Count(contents(t, name), text)
}

// TestRelayTapKeep: of long messages a part is kept, their size is right, and what passes is whole.
func TestRelayTapKeep(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "tap.jsonl")
	text := strings.Repeat("x", 100_000) + "\n"
	p := start(t, stdin(parley("relay", "-", "exec:cat", "--frame", "line", "--tap", name, "--tap-keep", "10"), text))
	p.leaves(0, `the tap is complete`)
	p.says(text)
	for _, role := range []string{"client", "server"} {
		frames := framesIn(t, name, role)
		if len(frames) != 1 || string(frames[0].Data) != "xxxxxxxxxx" || !frames[0].Clipped || frames[0].Bytes != 100_001 {
			t.Errorf("%s: %+v", role, frames)
		}
	}
}

// TestRelayTapBroken: how a conversation broke off is in the transcript.
func TestRelayTapBroken(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "tap.jsonl")
	v, address := relaying(t, "127.0.0.1:0", saysServer(t, "hello\n"), "--tap", name)
	c := talk(t, address)
	c.hears("hello\n")
	c.reset()
	v.err.await(t, `reset`)
	v.signal(syscall.SIGTERM)
	v.leaves(0, ``)
	if text := contents(t, name); !strings.Contains(text, `"how":"reset"`) {
		t.Errorf("no reset in %s", text)
	}
}

// TestRelayTapAdds: a transcript that is there is added to.
func TestRelayTapAdds(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "tap.jsonl")
	for _, text := range []string{"one\n", "two\n"} {
		start(t, stdin(parley("relay", "-", "exec:cat", "--tap", name), text)).leaves(0, ``)
	}
	var heard []string
	for _, f := range framesIn(t, name, "server") {
		heard = append(heard, string(f.Data))
	}
	if !slices.Equal(heard, []string{"one\n", "two\n"}) {
		t.Errorf("in the transcript are %q", heard)
	}
}

// TestRelayShow: what a person sees of hostile bytes. Standard output has what was said and nothing else.
func TestRelayShow(t *testing.T) {
	t.Parallel()
	const text = "a\x1b[2J\xff\n"
	for show, want := range map[string]string{
		"text": `(?m)^1 client> a\\x1b\[2J\\xff\\n$`,
		"hex":  `(?m)^00000000  61 1b 5b 32 4a ff 0a +\|a\.\[2J\.\.\| +1 client$`,
		"json": `(?m)^\{.*"role":"client".*\}$`,
	} {
		t.Run(show, func(t *testing.T) {
			t.Parallel()
			p := start(t, stdin(parley("relay", "-", "exec:cat", "--show", show), text))
			p.leaves(0, want)
			p.says(text)
			if strings.Contains(p.err.text(), "\x1b") {
				t.Errorf("it has reached the terminal: %q", p.err.text())
			}
			if show != "json" {
				return
			}
			n := 0
			for line, err := range transcript.NewReader(strings.NewReader(p.err.text())).Lines() {
				if f, ok := line.(transcript.Frame); err == nil && ok && string(f.Data) == text {
					n++
				}
			}
			if n != 2 {
				t.Errorf("%d messages of %q", n, p.err.text())
			}
		})
	}
}
