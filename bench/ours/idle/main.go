// Idle holds idle conversations with a parley Server: a Handler for each
// caller that waits for a line and sends it back.
//
// For each line on standard input it collects garbage, gives free memory back
// to the system, and prints how many conversations are open.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"runtime/debug"
	"sync/atomic"

	"parley"
)

var open atomic.Int64

func main() {
	port := flag.String("port", "0", "port to listen on")
	flag.Parse()

	ctx := context.Background()
	ln, err := parley.Listen(ctx, "127.0.0.1:"+*port)
	if err != nil {
		log.Fatal(err)
	}
	go serve(ctx, ln)
	for asked := bufio.NewScanner(os.Stdin); asked.Scan(); {
		debug.FreeOSMemory()
		fmt.Println(open.Load())
	}
}

func serve(ctx context.Context, ln *parley.Listener) {
	server := &parley.Server{Handler: echo}
	log.Fatal(server.Serve(ctx, ln))
}

func echo(ctx context.Context, c *parley.Conn) error {
	open.Add(1)
	defer open.Add(-1)
	for f, err := range c.Frames(ctx) {
		if err != nil {
			return err
		}
		if err := c.Send(ctx, f.Data); err != nil {
			return err
		}
	}
	return nil
}
