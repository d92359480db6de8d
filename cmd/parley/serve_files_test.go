//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// public makes a directory to serve, beside one that is secret.
func public(t *testing.T) string {
	t.Helper()
	base := t.TempDir()
	dir := base + "/public"
	for name, text := range map[string]string{
		"public/index.html": "the first page\n", "public/sub/file.txt": "a file\n", "public/.hidden": "hidden\n", "public/.git/config": "hidden\n",
		"public/two words.txt": "two words\n", "secret/key": "secret\n",
	} {
		if err := os.MkdirAll(filepath.Dir(base+"/"+name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(base+"/"+name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// link makes a link called name in dir, as somebody else might while dir is served.
func link(t *testing.T, to, name string) {
	t.Helper()
	if err := os.Symlink(to, name); err != nil {
		t.Fatal(err)
	}
}

// get returns the status and what curl gets with it.
func get(t *testing.T, args ...string) (status, body string) {
	t.Helper()
	p := start(t, peer(t, "curl", append([]string{"-sS", "--path-as-is", "-w", "\n%{http_code}"}, args...)...))
	p.leaves(0, `^$`)
	text := p.out.text()
	at := strings.LastIndexByte(text, '\n')
	return text[at+1:], text[:at]
}

// TestFiles: what is served, and what is not, by curl.
func TestFiles(t *testing.T) {
	t.Parallel()
	dir := public(t)
	link(t, "sub/file.txt", dir+"/within")
	link(t, "../secret/key", dir+"/outside")
	link(t, "/etc/passwd", dir+"/passwd")
	link(t, "/", dir+"/root")
	link(t, ".hidden", dir+"/shown")
	v, address := serving1(t, "serve", "files=127.0.0.1:0", dir)
	for _, tt := range []struct{ path, status, body string }{
		{"/", "200", "the first page\n"},
		{"/sub/file.txt", "200", "a file\n"},
		{"/two%20words.txt", "200", "two words\n"},
		{"/within", "200", "a file\n"},
		{"/.hidden", "404", ""}, {"/.git/config", "404", ""}, {"/sub/../.hidden", "404", ""}, {"/none", "404", ""},
		{"/outside", "404", ""}, {"/passwd", "404", ""}, {"/root/etc/passwd", "404", ""},
		{"/../secret/key", "", ""}, {"/%2e%2e/secret/key", "", ""}, {"/sub/..%2f..%2fsecret/key", "", ""}, {"//etc/passwd", "", ""},
	} {
		status, body := get(t, "http://"+address+tt.path)
		if tt.status != "" && status != tt.status || status == "200" && body != tt.body {
			t.Errorf("%s: %s %q, want %s %q", tt.path, status, body, tt.status, tt.body)
		}
	}
	if status, body := get(t, "-I", "http://"+address+"/sub/file.txt"); status != "200" || !strings.Contains(body, "Content-Length: 7\r\n") {
		t.Errorf("HEAD: %s %q", status, body)
	}
	if _, body := get(t, "http://"+address+"/sub/"); strings.Contains(body, "hidden") {
		t.Errorf("a list shows what is hidden: %q", body)
	}
	for _, method := range []string{"POST", "PUT", "DELETE"} {
		if status, _ := get(t, "-X", method, "http://"+address+"/sub/file.txt"); !strings.HasPrefix(status, "4") {
			t.Errorf("%s: status %s", method, status)
		}
	}
	p := start(t, peer(t, "curl", "-sS", "http://"+address+"/sub/file.txt", "http://"+address+"/within")) // one conversation
	p.leaves(0, ``)
	p.says("a file\na file\n")
	if _, err := os.Stat(dir + "/sub/file.txt"); err != nil {
		t.Error(err)
	}
	v.signal(syscall.SIGTERM)
	v.leaves(0, ``)
}

// TestFilesNotThere: said before anybody calls.
func TestFilesNotThere(t *testing.T) {
	t.Parallel()
	start(t, parley("serve", "files=0", "/no/such/directory")).leaves(1, `/no/such/directory: no such file or directory`)
	start(t, parley("serve", "files=0", file(t, "plain", "text"))).leaves(1, `not a directory|no directory`)
}
