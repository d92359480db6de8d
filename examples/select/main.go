// Select hears many sockets in one loop: the callers of any number of addresses, and datagrams.
//
//	go run ./examples/select                          listens on 7070 and 7071, and for datagrams on udp:7070
//	go run ./examples/select 7070 /tmp/talk udp::7070
//
// To try it, talk to it from other terminals:
//
//	go run ./examples/hello 7070
//	nc localhost 7071
//	nc -u localhost 7070
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"strings"

	"parley"
	"parley/frame"
)

// lines makes lines of datagrams too; without it a datagram would be one frame, line ends and all.
var lines = parley.Config{Frame: frame.Line()}

func main() {
	flag.Parse()
	ctx := context.Background()
	sources := listen(ctx, flag.Args())
	for f, err := range parley.Merge(ctx, sources...) {
		if err != nil {
			log.Println(err)
		} else {
			fmt.Printf("%s %s: %s\n", f.From.Network(), f.From, f.Data)
		}
	}
}

// listen listens on each address, or on three if there are none.
func listen(ctx context.Context, addresses []string) (sources []parley.Source) {
	if len(addresses) == 0 {
		addresses = []string{"7070", "7071", "udp:7070"}
	}
	for _, address := range addresses {
		source, where, err := open(ctx, address)
		if err != nil {
			log.Fatal(err)
		}
		log.Println("listening on", where)
		sources = append(sources, source)
	}
	return sources
}

// open listens for datagrams if address begins with udp, and else for callers.
func open(ctx context.Context, address string) (source parley.Source, where string, err error) {
	if strings.HasPrefix(address, "udp") {
		pc, err := lines.ListenPacket(ctx, address)
		if err != nil {
			return nil, "", err
		}
		return pc, pc.Address(), nil
	}
	ln, err := lines.Listen(ctx, address)
	if err != nil {
		return nil, "", err
	}
	return ln, ln.Address(), nil
}
