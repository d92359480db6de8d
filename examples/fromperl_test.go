package examples_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What docs/from-perl.md shows must compile, on both sides.

var fenced = regexp.MustCompile("(?ms)^```(go|perl)\n(.*?)^```$")

func snippets(t *testing.T, language string) []string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "docs", "from-perl.md"))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, m := range fenced.FindAllStringSubmatch(string(page), -1) {
		if m[1] == language {
			found = append(found, m[2])
		}
	}
	if len(found) < 7 {
		t.Fatalf("%d snippets in %s, want those of the seven classics at least", len(found), language)
	}
	return found
}

// imports are the packages that snippets may use, by name.
var imports = map[string]string{
	"bytes": "bytes", "errors": "errors", "fmt": "fmt", "frame": "parley/frame", "io": "io", "log": "log", "os": "os",
	"parley": "parley", "syscall": "syscall",
}

func TestGoOfFromPerlCompiles(t *testing.T) {
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	overlay := map[string]string{} // files of a package that exists for the compiler only
	for i, text := range snippets(t, "go") {
		name := fmt.Sprintf("snippet%d.go", i)
		source := "package fromperl\n\nimport \"context\"\n"
		for word, path := range imports {
			if regexp.MustCompile(`\b` + word + `\.`).MatchString(text) {
				source += fmt.Sprintf("import %q\n", path)
			}
		}
		source += fmt.Sprintf("func snippet%d(ctx context.Context) error {\n%sreturn nil\n}\n", i, text)
		write(t, filepath.Join(dir, name), source)
		overlay[filepath.Join(here, "fromperl", name)] = filepath.Join(dir, name)
	}
	list, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "overlay.json"), string(list))
	cmd := exec.CommandContext(guard(t), "go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "./fromperl")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestPerlOfFromPerlCompiles(t *testing.T) {
	path := perl(t)
	for i, text := range snippets(t, "perl") {
		file := filepath.Join(t.TempDir(), "snippet.pl")
		write(t, file, "use strict; use warnings FATAL => 'all'; use IO::Socket::INET; use IO::Select;\n"+text)
		if out, err := exec.CommandContext(guard(t), path, "-c", file).CombinedOutput(); err != nil {
			t.Errorf("snippet %d: %v\n%s%s", i, err, out, strings.TrimSpace(text))
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
