// Hello calls and says "Hello there!".
//
//	go run ./examples/hello                  calls port 7070 on this machine
//	go run ./examples/hello other.host:7070
//
// To try it, listen in another terminal:
//
//	go run ./examples/receiver
//	nc -l 7070
//
// It leaves when the other end's kernel has acknowledged the line, so a greeting that was lost is an error.
package main

import (
	"cmp"
	"context"
	"flag"
	"log"

	"parley"
)

func main() {
	flag.Parse()
	ctx := context.Background()
	c, err := parley.Dial(ctx, cmp.Or(flag.Arg(0), "7070"))
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if err := c.Send(ctx, []byte("Hello there!")); err != nil {
		log.Fatal(err)
	}
	if err := c.WaitTaken(ctx); err != nil {
		log.Fatal(err)
	}
}
