// Echognet echoes with gnet: the echo server of its own documentation, with
// its loops as the flag says.
package main

import (
	"flag"
	"fmt"
	"log"

	"github.com/panjf2000/gnet/v2"
	"github.com/panjf2000/gnet/v2/pkg/logging"
)

type echo struct{ gnet.BuiltinEventEngine }

func (*echo) OnTraffic(c gnet.Conn) gnet.Action {
	// Next(-1) and Write are the pair that does not copy inside gnet.
	heard, err := c.Next(-1)
	if err != nil {
		return gnet.Close
	}
	if _, err := c.Write(heard); err != nil {
		return gnet.Close
	}
	return gnet.None
}

func main() {
	port := flag.Int("port", 0, "port to listen on")
	multicore := flag.Bool("multicore", false, "one event loop for each processor")
	flag.Parse()
	err := gnet.Run(&echo{}, fmt.Sprintf("tcp4://127.0.0.1:%d", *port),
		gnet.WithMulticore(*multicore),
		gnet.WithLogLevel(logging.ErrorLevel))
	if err != nil {
		log.Fatal(err)
	}
}
