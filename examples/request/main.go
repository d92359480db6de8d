// Request says a request of several lines, which ends with a line END REQUEST, and prints the reply, which ends with
// the close.
//
//	go run ./examples/request                                  asks port 7071 on this machine
//	go run ./examples/request other.host:7071 $'name\nage'
//
// To try it, let the other end run in another terminal:
//
//	go run ./examples/requestd
//
// A request that itself has a line END REQUEST is an error, and nothing of it is said.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"log"

	"parley"
	"parley/frame"
)

// requests is how this end talks; the other end has the same the other way round.
var requests = parley.Config{
	Frame:     frame.MustParse(`end "END REQUEST"`),
	HearFrame: frame.UntilClose(),
}

func main() {
	flag.Parse()
	ctx := context.Background()
	c, err := requests.Dial(ctx, cmp.Or(flag.Arg(0), "7071"))
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	reply, err := c.Ask(ctx, []byte(cmp.Or(flag.Arg(1), "name\nage")))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", reply)
}
