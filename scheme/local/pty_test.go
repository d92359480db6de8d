//go:build unix

package local_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley"
	"parley/parleytest"
	"parley/scheme/local"
)

// makesPTY dials a pty address, and returns the path of the terminal.
func makesPTY(t *testing.T, address string) (c *parley.Conn, path string) {
	t.Helper()
	c, err := parley.Dial(inTime(t), address)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, c.RemoteAddr().String()
}

// opens opens a terminal, as a program would that has been told of it.
func opens(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if err := f.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return f
}

func writes(t *testing.T, w io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
}

// reads fails t unless the next bytes of r are want.
func reads(t *testing.T, r io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(r, got); string(got) != want {
		t.Fatalf("read %q, %v, want %q", got[:n], err, want)
	}
}

// stty asks about a terminal.
func stty(t *testing.T, path string, args ...string) string {
	t.Helper()
	f := opens(t, path)
	defer f.Close()
	cmd := exec.Command("stty", args...)
	cmd.Stdin = f
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("stty %q: %v", args, err)
	}
	return strings.TrimSpace(string(out))
}

// Bytes pass as they are, both ways.
func TestPTY(t *testing.T) {
	parleytest.Leaks(t)
	c, path := makesPTY(t, "pty:")
	if !strings.HasPrefix(path, "/dev/") || c.RemoteAddr().Network() != "pty" {
		t.Errorf("the terminal is %q of %s", path, c.RemoteAddr().Network())
	}
	f := opens(t, path)
	every := "\x00\x03\x04\x11\x13\r\n\x1a\x1c\x7f\x80\xff end"
	writes(t, c, every)
	reads(t, f, every)
	writes(t, f, every)
	reads(t, c, every)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if n, err := f.Read(make([]byte, 1)); n > 0 || err == nil {
		t.Errorf("after Close the terminal still says %d bytes, %v", n, err)
	}
	f.Close()
}

func TestPTYCooked(t *testing.T) {
	c, path := makesPTY(t, "pty:?raw=no")
	f := opens(t, path)
	writes(t, c, "line\r")
	reads(t, c, "line\r\n") // the echo
	reads(t, f, "line\n")
	writes(t, f, "one\ntwo\n")
	reads(t, c, "one\r\ntwo\r\n")
	writes(t, c, "half a line")
	if err := c.CloseWrite(); err != nil { // types Ctrl-D, twice after half a line
		t.Fatal(err)
	}
	reads(t, f, "half a line")
	if n, err := f.Read(make([]byte, 10)); n != 0 || err != io.EOF {
		t.Errorf("after the end: %d, %v, want io.EOF", n, err)
	}
	if _, err := c.Write([]byte("more")); err == nil {
		t.Error("said more after CloseWrite")
	}
	writes(t, f, "still\n")
	f.Close()
	if text := hearsAll(t, c); text != "half a linestill\r\n" {
		t.Errorf("heard %q", text)
	}
}

// In raw mode there is nothing that says the end.
func TestPTYHalfClose(t *testing.T) {
	c, path := makesPTY(t, "pty:")
	if err := c.CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("CloseWrite: %v, want errors.ErrUnsupported", err)
	}
	f := opens(t, path)
	writes(t, c, "and more")
	reads(t, f, "and more")
}

func TestPTYSize(t *testing.T) {
	for params, want := range map[string]string{"": "24 80", "?size=132x43": "43 132"} {
		_, path := makesPTY(t, "pty:"+params)
		if got := stty(t, path, "size"); got != want {
			t.Errorf("pty:%s has the size %s, want %s", params, got, want)
		}
	}
}

// needsLinux skips what only Linux can tell.
func needsLinux(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux says whether anybody has had a terminal open")
	}
}

// Hearing waits until somebody has opened the terminal; when all have closed it, that is the end.
func TestPTYWaits(t *testing.T) {
	needsLinux(t)
	c, path := makesPTY(t, "pty:")
	_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("before anybody was there: %v, want os.ErrDeadlineExceeded", err)
	}
	_ = c.SetReadDeadline(time.Time{})
	heard := make(chan string)
	go func() { text, _ := io.ReadAll(c); heard <- string(text) }()
	until(t, "somebody reads", func() bool { return !c.State().Hearing.IsZero() })
	first, second := opens(t, path), opens(t, path)
	writes(t, first, "one ")
	first.Close()
	writes(t, second, "two")
	second.Close()
	if text := <-heard; text != "one two" {
		t.Errorf("heard %q", text)
	}
}

// All that was written is heard before the end, however much it is.
func TestPTYMuch(t *testing.T) {
	needsLinux(t)
	c, path := makesPTY(t, "pty:")
	f := opens(t, path)
	text := strings.Repeat("0123456789abcdef\n", 20_000)
	go func() {
		_, _ = io.WriteString(f, text)
		f.Close()
	}()
	if got := hearsAll(t, c); got != text {
		t.Errorf("heard %d bytes, want %d", len(got), len(text))
	}
}

// The terminal stays when all have closed it: who opens it again is heard, and hears what was said meanwhile.
func TestPTYOpenedAgain(t *testing.T) {
	needsLinux(t)
	c, path := makesPTY(t, "pty:")
	nc := c.NetConn()
	for _, text := range []string{"once", "again", "and again"} {
		f := opens(t, path)
		writes(t, f, text)
		f.Close()
		_ = nc.SetReadDeadline(time.Now().Add(20 * time.Second))
		if got, err := io.ReadAll(nc); string(got) != text || err != nil {
			t.Errorf("heard %q, %v, want %q", got, err, text)
		}
	}
	writes(t, nc, "are you there?")
	f := opens(t, path)
	reads(t, f, "are you there?")
	if got := stty(t, path, "-a"); !strings.Contains(got, "-icanon") || !strings.Contains(got, "-echo ") {
		t.Errorf("it is not raw any more: %s", got)
	}
}

// Without waiting, nobody there is the end.
func TestPTYDoesNotWait(t *testing.T) {
	needsLinux(t)
	c, path := makesPTY(t, "pty:?wait=no")
	nc := c.NetConn()
	_ = nc.SetReadDeadline(time.Now().Add(20 * time.Second))
	if n, err := nc.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("nobody is there: %d, %v, want io.EOF", n, err)
	}
	f := opens(t, path)
	writes(t, f, "here")
	reads(t, nc, "here")
}

func TestPTYMistakes(t *testing.T) {
	parleytest.Leaks(t)
	for address, words := range map[string][]string{
		"pty:/tmp/x":               {"no target", "pty:?link=/tmp/x"},
		"pty:?link":                {"param link", "say where"},
		"pty:?raw=perhaps":         {"raw=perhaps", "raw=no"},
		"pty:?wait=2":              {"wait=2"},
		"pty:?size=80":             {"size=80", "COLUMNSxLINES", "80x24"},
		"pty:?link=/no/such/dir/x": {"link=/no/such/dir/x", "no such file or directory"},
		"pty:?lnik=/tmp/x":         {"unknown param", "lnik"},
	} {
		c, err := parley.Dial(inTime(t), address)
		if err == nil {
			c.Close()
			t.Errorf("%s: no error", address)
			continue
		}
		for _, word := range words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %v; want %q in it", address, err, word)
			}
		}
	}
}

func TestPTYLink(t *testing.T) {
	link := filepath.Join(t.TempDir(), "terminal")
	c, path := makesPTY(t, "pty:?link="+link)
	if to, err := os.Readlink(link); to != path || err != nil {
		t.Errorf("the link leads to %q, %v, want %s", to, err, path)
	}
	f := opens(t, link)
	writes(t, f, "hello")
	reads(t, c, "hello")
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(link); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the link is still there: %v", err)
	}
}

// A relative path stays what it was, even if the program goes elsewhere.
func TestPTYLinkRelative(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	c, _ := makesPTY(t, "pty:?link=terminal")
	t.Chdir("/")
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "terminal")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the link is still there: %v", err)
	}
}

// Only a link that such a conversation has left behind is replaced.
func TestPTYLinkTaken(t *testing.T) {
	dir := t.TempDir()
	other, theirs := makesPTY(t, "pty:")
	defer other.Close()
	gone := filepath.Join(filepath.Dir(theirs), "no-such-terminal")
	for name, test := range map[string]struct {
		make     func(path string) error
		replaced bool
		want     string
	}{
		"a file":             {func(p string) error { return os.WriteFile(p, []byte("mine"), 0o600) }, false, "no link to a terminal"},
		"a directory":        {func(p string) error { return os.Mkdir(p, 0o700) }, false, "no link to a terminal"},
		"a link to a file":   {func(p string) error { return os.Symlink("/etc/passwd", p) }, false, "/etc/passwd, which is no terminal"},
		"a link to nothing":  {func(p string) error { return os.Symlink(filepath.Join(dir, "nothing"), p) }, false, "which is no terminal"},
		"a link in use":      {func(p string) error { return os.Symlink(theirs, p) }, false, theirs + ", a terminal that is in use"},
		"a link left behind": {func(p string) error { return os.Symlink(gone, p) }, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			parleytest.Leaks(t)
			path := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
			if err := test.make(path); err != nil {
				t.Fatal(err)
			}
			before, _ := os.Lstat(path)
			c, err := parley.Dial(inTime(t), "pty:?link="+path)
			if err == nil {
				defer c.Close()
			}
			if (err == nil) != test.replaced {
				t.Fatalf("dial: %v, want it replaced: %v", err, test.replaced)
			}
			if test.replaced {
				return
			}
			if !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v; want fs.ErrExist, and %q in it", err, test.want)
			}
			if after, err := os.Lstat(path); err != nil || !os.SameFile(before, after) {
				t.Errorf("what was there is not there any more: %v", err)
			}
		})
	}
}

// Close leaves what somebody else has put in the place of the link.
func TestPTYLinkReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "terminal")
	c, _ := makesPTY(t, "pty:?link="+path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(path); string(text) != "mine" || err != nil {
		t.Errorf("the file is %q, %v", text, err)
	}
}

func TestPTYClose(t *testing.T) {
	parleytest.Leaks(t)
	c, _ := makesPTY(t, "pty:")
	reading := make(chan error, 1)
	go func() { _, err := c.Read(make([]byte, 1)); reading <- err }()
	until(t, "somebody reads", func() bool { return !c.State().Hearing.IsZero() })
	for range 2 {
		if err := c.NetConn().Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-reading; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Read during Close: %v, want net.ErrClosed", err)
	}
}

func TestExecPTY(t *testing.T) {
	for _, test := range []struct{ address, says, hears string }{
		{"exec:tty?pty", "", "/dev/"},
		{"exec:stty size?pty", "", "24 80\r\n"},
		{"exec:stty size?pty&size=100x30", "", "30 100\r\n"},
		{script("[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo all", "&pty"), "", "all\r\n"},
		{script("[ -t 2 ] || echo else", "&pty&stderr=null"), "", "else\r\n"},
		{script("[ -t 2 ] && echo merged", "&pty&stderr=merge"), "", "merged\r\n"},
		{script("cat; echo end", "&pty"), "l1\nl2\n", "l1\r\nl2\r\nend\r\n"},
		{script("cat; echo; echo end", "&pty"), "l1\nhalf", "half\r\nend\r\n"},
		{script("read x; exec <&-; sleep .1; echo two", "&pty"), "l1\nl2\n", "two\r\n"},
		{script("ps -o pid= -o pgid= -o sid= -p $$ | tr -s ' ' '\\n' | sort -u | grep -c .", "&pty"), "", "1\r\n"}, // it leads group and session
	} {
		t.Run(test.address, func(t *testing.T) {
			parleytest.Leaks(t)
			c := runs(t, test.address)
			saysAll(t, c, test.says)
			text := hearsAll(t, c)
			if !strings.HasSuffix(text, test.hears) && !strings.HasPrefix(text, test.hears) {
				t.Errorf("heard %q, want %q at its beginning or end", text, test.hears)
			}
			if err := waits(inTime(t), c); err != nil {
				t.Error(err)
			}
		})
	}
}

// Where the program has turned Ctrl-D off, there is no end to say.
func TestExecPTYRaw(t *testing.T) {
	c := runs(t, script("stty raw -echo; echo ready; cat", "&pty"))
	if line := hearsLine(t, c); !strings.HasSuffix(line, "ready") {
		t.Fatalf("heard %q", line)
	}
	if err := c.CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("CloseWrite: %v, want errors.ErrUnsupported", err)
	}
	writes(t, c, "\x04as it is")
	reads(t, c, "\x04as it is")
}

// Who sits at a terminal is hung up: shells there do not heed SIGTERM.
func TestExecPTYHangup(t *testing.T) {
	c := runs(t, script("trap '' TERM; echo ready; while :; do sleep .01; done", "&pty&stderr=null"))
	hearsLine(t, c)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	failsAs(t, "Wait", waits(inTime(t), c), &local.ExitError{Command: "sh", Status: -1, Signal: "hangup"}, "command sh: ended by signal: hangup")
}

// A command that has ended is heard to its end, also when nobody has read for long.
func TestExecPTYLastWords(t *testing.T) {
	c := runs(t, script(`i=0; while [ $i -lt 200 ]; do echo "line $i"; i=$((i+1)); done`, "&pty"))
	if err := waits(inTime(t), c); err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for i := range 200 {
		fmt.Fprintf(&want, "line %d\r\n", i)
	}
	if text := hearsAll(t, c); text != want.String() {
		t.Errorf("heard %d bytes, want %d", len(text), want.Len())
	}
}
