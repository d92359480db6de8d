// Daytime asks a machine what time it is there (RFC 867): it calls, and reads until the other end closes.
//
//	go run ./examples/daytime                 calls the daytime port of this machine
//	go run ./examples/daytime localhost:1313
//
// Few machines answer on the daytime port nowadays. To try it, let nc tell the date to one caller:
//
//	date | nc -lN localhost 1313
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

func main() {
	flag.Parse()
	ctx := context.Background()
	untilClose := parley.Config{Frame: frame.UntilClose()}
	c, err := untilClose.Dial(ctx, cmp.Or(flag.Arg(0), "localhost:daytime(13)"))
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	text, err := c.Receive(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("response from %s port %d was:\n%s", c.RemoteHost(), c.RemotePort(), text)
}
