// Receiver prints the lines of every caller, as they come.
//
//	go run ./examples/receiver            listens on port 7070, for callers on this machine
//	go run ./examples/receiver :7070      for callers from anywhere
//	go run ./examples/receiver /tmp/talk  on a Unix socket
//
// To try it, call it from another terminal:
//
//	go run ./examples/hello
//	nc localhost 7070
//
// One loop hears all callers, and a caller that stops in the middle of a line is told of and ends nobody else's
// conversation.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"log"

	"parley"
)

func main() {
	flag.Parse()
	ln, err := parley.Listen(context.Background(), cmp.Or(flag.Arg(0), "7070"))
	if err != nil {
		log.Fatal(err)
	}
	log.Println("listening on", ln.Address())
	for f, err := range ln.Frames(context.Background()) {
		if err != nil {
			log.Println(err)
		} else {
			fmt.Printf("%s: %s\n", f.From, f.Data)
		}
	}
}
