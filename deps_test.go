package parley_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The tests of this file keep the plan of the house: who may import whom, how long things may grow, what a package is
// called. They ask the go command about every package of this module, and need nothing else.

// imports says what packages may import besides the standard library.
var imports = []struct {
	of      string
	may     []string
	tests   []string // what their tests may import too
	because string
}{
	{"parley", []string{"parley/frame", "parley/internal/idle", "parley/internal/inbox", "parley/internal/merge", "parley/internal/mutex", "parley/internal/sock", "parley/internal/sys"}, []string{"parley"},
		"who dials TCP pays for TCP; what root's tests import lands in the go.sum of every user"},
	{"parley/frame", []string{"parley/internal/nearest"}, []string{"parley/frame"}, "formats are for programs that have nothing to do with sockets, too"},
	{"parley/internal/child", []string{"golang.org/x/sys/unix"}, nil, "it knows processes, not what they are for"},
	{"parley/internal/nearest", nil, nil, "it is a leaf"},
	{"parley/internal/idle", nil, []string{"parley/internal/idle"}, "root imports it"},
	{"parley/internal/merge", nil, []string{"parley/internal/merge"}, "root imports it"},
	{"parley/internal/inbox", []string{"parley/frame"}, []string{"parley/internal/inbox"}, "root imports it"},
	{"parley/internal/mutex", nil, []string{"parley/internal/mutex"}, "root imports it"},
	{"parley/internal/sys", nil, nil, "it is a leaf, and talks to the system through package syscall"},
	{"parley/internal/sock", []string{"parley/internal/nearest", "parley/internal/sys"}, []string{"parley/internal/sock"}, "root imports it"},
	{"parley/transcript", nil, []string{"parley/transcript"}, "who reads transcripts needs no sockets"},
	{"parley/parleytest", []string{"parley", "parley/frame"}, []string{"parley/parleytest", "golang.org/x/net/nettest"},
		"users' tests import it, and root's rules hold for them"},
	{"parley/relay", []string{"parley", "parley/frame", "parley/transcript", "parley/internal/nearest", "parley/internal/sock", "parley/internal/sys"},
		[]string{"parley/relay", "parley/parleytest", "parley/scheme/local"}, "siblings do not lean on each other"},
	{"parley/scheme/local", []string{"parley", "parley/internal/child", "parley/internal/mutex", "parley/internal/sock", "parley/internal/sys", "github.com/creack/pty", "github.com/fsnotify/fsnotify", "golang.org/x/sys/unix"},
		[]string{"parley/scheme/local", "parley/parleytest"}, "schemes do not lean on each other"},
	{"parley/service", []string{"parley", "parley/frame", "parley/internal/child", "parley/internal/escape", "github.com/creack/pty", "golang.org/x/sys/unix"}, []string{"parley/service", "parley/parleytest"}, "siblings do not lean on each other"},
	{"parley/guard", []string{"parley", "parley/frame", "parley/internal/sock", "golang.org/x/time/rate"}, []string{"parley/guard", "parley/parleytest"},
		"siblings do not lean on each other"},
	{"parley/internal/escape", nil, []string{"parley/internal/escape"}, "it is a leaf"},
	{"parley/internal/meter", []string{"parley", "parley/frame", "parley/internal/sys"}, []string{"parley/internal/meter", "parley/parleytest"},
		"it counts for any verb, and knows none"},
	{"parley/internal/sandbox", []string{"github.com/landlock-lsm/go-landlock/landlock", "github.com/landlock-lsm/go-landlock/landlock/syscall", "golang.org/x/sys/unix"},
		[]string{"parley/internal/sandbox", "parley/parleytest"}, "it knows files and ports, not what they are for"},
	{"parley/scheme/systemd", []string{"parley", "parley/internal/sock", "github.com/coreos/go-systemd/v22/activation", "github.com/coreos/go-systemd/v22/daemon"},
		[]string{"parley/scheme/systemd", "parley/parleytest"}, "schemes do not lean on each other"},
	{"parley/fetch", []string{"parley", "parley/frame"}, []string{"parley/fetch", "parley/parleytest"}, "siblings do not lean on each other"},
	{"parley/clock", []string{"parley", "parley/frame"}, []string{"parley/clock", "parley/parleytest"}, "siblings do not lean on each other"},
	{"parley/probe", []string{"parley", "parley/frame"}, []string{"parley/probe", "parley/parleytest"}, "siblings do not lean on each other"},
}

// onlyFor says which packages only a few may import.
var onlyFor = []struct {
	pkg     string
	users   []string
	because string
}{
	{"parley/internal/cli", []string{"parley/cmd/parley"}, "the program is made of the library, not the other way round"},
	{"parley/scheme/all", []string{"parley/cmd/parley"}, "each scheme beyond the built-in ones is opt-in by import"},
	{"parley/guard", []string{"parley/internal/cli", "parley/cmd/parley"}, "limits are put before a handler by whoever runs it, not by the handler"},
	{"github.com/spf13/cobra", []string{"parley/internal/cli"}, "flags are the program's business"},
	{"github.com/spf13/pflag", []string{"parley/internal/cli"}, "flags are the program's business"},
}

const (
	maxFileLines     = 600
	maxFunctionLines = 80
	maxRootLines     = 2500
)

// longFunctions are those that may exceed maxFunctionLines, with the reason: "parley/internal/cli.Main": "a table".
var longFunctions = map[string]string{}

// A listedPackage is what go list says of a package.
type listedPackage struct {
	Dir, ImportPath, Name              string
	GoFiles, IgnoredGoFiles            []string
	Imports, TestImports, XTestImports []string
}

// packagesOn lists this module for a system, as files differ between them.
func packagesOn(goos string) ([]listedPackage, error) {
	cmd := exec.Command("go", "list", "-e", "-json=Dir,ImportPath,Name,GoFiles,IgnoredGoFiles,Imports,TestImports,XTestImports", "./...")
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH=amd64", "CGO_ENABLED=0", "GOPROXY=off", "GOFLAGS=-mod=readonly", "GOWORK=off")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, &stderr)
	}
	var packages []listedPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listedPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, err
		}
		packages = append(packages, p)
	}
}

// packagesByOS is asked once: go list takes a while.
var packagesByOS = sync.OnceValues(func() (map[string][]listedPackage, error) {
	all := map[string][]listedPackage{}
	for _, goos := range []string{"linux", "darwin", "windows"} {
		packages, err := packagesOn(goos)
		if err != nil {
			return nil, err
		}
		all[goos] = packages
	}
	return all, nil
})

func allPackages(t *testing.T) map[string][]listedPackage {
	t.Helper()
	all, err := packagesByOS()
	if err != nil {
		t.Fatal(err)
	}
	if len(all["linux"]) < 4 {
		t.Fatalf("go list found %d packages only", len(all["linux"]))
	}
	return all
}

// isStandard reports whether an import is of the standard library: paths of other modules begin with a domain name, ours
// with parley.
func isStandard(pkg string) bool {
	first, _, _ := strings.Cut(pkg, "/")
	return first != "parley" && !strings.Contains(first, ".")
}

func TestImports(t *testing.T) {
	for goos, packages := range allPackages(t) {
		for _, p := range packages {
			for _, rule := range imports {
				if rule.of != p.ImportPath {
					continue
				}
				mayImport(t, goos, p.ImportPath, p.Imports, rule.may, rule.because)
				inTests := slices.Concat(rule.may, rule.tests)
				mayImport(t, goos, "the tests of "+p.ImportPath, slices.Concat(p.TestImports, p.XTestImports), inTests, rule.because)
			}
		}
	}
}

func mayImport(t *testing.T, goos, who string, imported, may []string, because string) {
	t.Helper()
	for _, pkg := range imported {
		if !isStandard(pkg) && !slices.Contains(may, pkg) {
			t.Errorf("%s: %s may not import %s, because %s", goos, who, pkg, because)
		}
	}
}

func TestImportedOnlyBy(t *testing.T) {
	for goos, packages := range allPackages(t) {
		for _, p := range packages {
			for _, rule := range onlyFor {
				all := slices.Concat(p.Imports, p.TestImports, p.XTestImports)
				if slices.Contains(all, rule.pkg) && p.ImportPath != rule.pkg && !slices.Contains(rule.users, p.ImportPath) {
					t.Errorf("%s: %s may not import %s, because %s", goos, p.ImportPath, rule.pkg, rule.because)
				}
			}
		}
	}
}

// parsed calls f for every file of every package that is not a test, whatever system it is for.
func parsed(t *testing.T, f func(p listedPackage, name string, fset *token.FileSet, file *ast.File)) {
	t.Helper()
	for _, p := range allPackages(t)["linux"] {
		for _, name := range slices.Concat(p.GoFiles, p.IgnoredGoFiles) {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				t.Error(err)
				continue
			}
			f(p, name, fset, file)
		}
	}
}

func TestPackageDocs(t *testing.T) {
	docs := map[string][]string{}
	names := map[string]string{}
	parsed(t, func(p listedPackage, name string, _ *token.FileSet, file *ast.File) {
		if file.Name.Name != p.Name { // a file of another program, left out by a build constraint
			return
		}
		names[p.ImportPath] = p.Name
		if file.Doc == nil || file.Doc.Text() == "" {
			return
		}
		docs[p.ImportPath] = append(docs[p.ImportPath], name)
		checkDoc(t, p, name, file.Doc.Text())
	})
	for pkg := range names {
		if len(docs[pkg]) != 1 {
			t.Errorf("%s has %d package comments (in %v); want exactly one", pkg, len(docs[pkg]), docs[pkg])
		}
	}
}

func checkDoc(t *testing.T, p listedPackage, name, text string) {
	for _, word := range []string{"Copyright", "SPDX-License", "All rights reserved"} {
		if strings.Contains(text, word) {
			t.Errorf("%s: the package comment in %s is a licence; put an empty line after it", p.ImportPath, name)
		}
	}
	if want := "Package " + p.Name + " "; p.Name != "main" && !strings.HasPrefix(text, want) {
		t.Errorf("%s: the package comment in %s begins with %.30q, want %q", p.ImportPath, name, text, want)
	}
}

func TestSizes(t *testing.T) {
	root := 0
	long := map[string]bool{}
	parsed(t, func(p listedPackage, name string, fset *token.FileSet, file *ast.File) {
		lines := fset.File(file.FileStart).LineCount()
		if lines > maxFileLines {
			t.Errorf("%s/%s has %d lines, more than %d: a file is one noun", p.ImportPath, name, lines, maxFileLines)
		}
		if p.ImportPath == "parley" {
			root += lines
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				checkFunction(t, p.ImportPath, f, fset, long)
			}
		}
	})
	if root > maxRootLines {
		t.Errorf("package parley has %d lines, more than %d: move a room out of the front door", root, maxRootLines)
	}
	for name := range longFunctions {
		if !long[name] {
			t.Errorf("%s is no longer too long; take it out of longFunctions", name)
		}
	}
}

func checkFunction(t *testing.T, pkg string, f *ast.FuncDecl, fset *token.FileSet, long map[string]bool) {
	first, last := fset.Position(f.Pos()), fset.Position(f.End())
	lines := last.Line - first.Line + 1
	if lines <= maxFunctionLines {
		return
	}
	name := pkg + "." + f.Name.Name
	long[name] = true
	if longFunctions[name] == "" {
		t.Errorf("%s: %s has %d lines, more than %d: a function has one level of thought", first, name, lines, maxFunctionLines)
	}
}

func TestPackageNames(t *testing.T) {
	out, err := exec.Command("go", "list", "std").Output()
	if err != nil {
		t.Fatal(err)
	}
	taken := map[string]string{}
	for pkg := range strings.FieldsSeq(string(out)) {
		if !strings.Contains(pkg, "internal/") && !strings.HasPrefix(pkg, "vendor/") {
			taken[path.Base(pkg)] = "the standard library has " + pkg
		}
	}
	for _, name := range []string{"util", "utils", "common", "helper", "helpers", "types", "misc", "shared", "base"} {
		taken[name] = "it says not what is in it"
	}
	for _, p := range allPackages(t)["linux"] {
		if why, ok := taken[p.Name]; ok {
			t.Errorf("%s: no package is called %s: %s", p.ImportPath, p.Name, why)
		}
	}
}

// A replace would make the program impossible to install by go install, and users would build something else than we do.
func TestGoModReplacesNothing(t *testing.T) {
	out, err := exec.Command("go", "mod", "edit", "-json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Module  struct{ Path string }
		Replace []any
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	if mod.Module.Path != "parley" || len(mod.Replace) > 0 {
		t.Errorf("go.mod is of %q and has %d replace lines, want parley and none", mod.Module.Path, len(mod.Replace))
	}
}
