package examples_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// A main of more lines would say that the library leaves too much to its user.
const mainLines = 15

func TestExamplesAreShortAndSayHowToRunThem(t *testing.T) {
	files, err := filepath.Glob("*/main.go")
	if err != nil || len(files) < 7 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	for _, file := range files {
		name := filepath.Dir(file)
		t.Run(name, func(t *testing.T) {
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, file, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if n := linesOfMain(fset, f); n == 0 || n > mainLines {
				t.Errorf("main has %d lines, from func to the last brace; want 1 to %d", n, mainLines)
			}
			title := strings.ToUpper(name[:1]) + name[1:] + " "
			if doc := f.Doc.Text(); !strings.HasPrefix(doc, title) || !strings.Contains(doc, "\tgo run ./examples/"+name+" ") {
				t.Errorf("the package comment must begin with %q and say how to go run it:\n%s", title, doc)
			}
		})
	}
}

func linesOfMain(fset *token.FileSet, f *ast.File) int {
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.Name == "main" {
			return fset.Position(fn.End()).Line - fset.Position(fn.Pos()).Line + 1
		}
	}
	return 0
}
