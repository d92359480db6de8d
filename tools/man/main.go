// Man writes the man pages of parley from the help of its verbs, so that they cannot differ.
//
//	go -C tools run ./man ../docs/man
//
// cobra has a writer of man pages of its own. It takes help for Markdown, and so loses backslashes and flattens tables,
// both of which parley's help is full of.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"parley/internal/cli"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: man DIRECTORY")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "man:", err)
		os.Exit(1)
	}
}

// write writes every page to dir and removes those of verbs that are no more.
func write(dir string) error {
	pages, err := manual(cli.NewCommand())
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, p := range pages {
		if err := os.WriteFile(filepath.Join(dir, p.file()), []byte(p.text), 0o644); err != nil {
			return err
		}
	}
	return removeOthers(dir, pages)
}

func removeOthers(dir string, pages []page) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.[17]"))
	if err != nil {
		return err
	}
	for _, name := range files {
		if slices.ContainsFunc(pages, func(p page) bool { return p.file() == filepath.Base(name) }) {
			continue
		}
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	return nil
}
