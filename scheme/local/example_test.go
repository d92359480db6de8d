package local_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"parley"
	_ "parley/scheme/local"
)

// The lines of a file, and of what is added to it, also when logrotate puts another in its place. It ends when it is closed, or
// the context ends.
func Example_follow() {
	path := filepath.Join(os.TempDir(), fmt.Sprintf("parley-example-%d.log", os.Getpid()))
	if err := os.WriteFile(path, []byte("one\ntwo\n"), 0o600); err != nil {
		log.Fatal(err)
	}
	defer os.Remove(path)
	c, err := parley.Dial(context.Background(), "file:"+path+"?follow")
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	for f, err := range c.Frames(context.Background()) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s\n", f.Data)
		if string(f.Data) == "two" {
			break
		}
	}
	// Output:
	// one
	// two
}

// Another program writes to a named pipe, and this one hears it. A context says how long to wait for that program.
func Example_pipe() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c, err := parley.Dial(ctx, "pipe:/tmp/requests") // and in a shell: echo hello > /tmp/requests
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	request, err := c.Receive(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", request)
}

// A filter: what comes on standard input goes to standard output, line by line.
func Example_stdio() {
	c, err := parley.Dial(context.Background(), "-")
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	for f, err := range c.Frames(context.Background()) {
		if err != nil {
			log.Fatal(err)
		}
		if err := f.Reply(context.Background(), f.Data); err != nil {
			log.Fatal(err)
		}
	}
}
