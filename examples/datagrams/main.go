// Datagrams answers every UDP datagram with the same in capitals, whoever sent it.
//
//	go run ./examples/datagrams             listens on port 7070, for this machine
//	go run ./examples/datagrams udp::7070   for anybody
//
// To try it, send lines from another terminal:
//
//	nc -u localhost 7070
package main

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"log"

	"parley"
)

func main() {
	flag.Parse()
	ctx := context.Background()
	pc, err := parley.ListenPacket(ctx, cmp.Or(flag.Arg(0), "udp:7070"))
	if err != nil {
		log.Fatal(err)
	}
	log.Println("listening on", pc.Address())
	for f, err := range pc.Frames(ctx) {
		answer(ctx, f, err)
	}
}

// answer replies to one sender. What goes wrong with one, heard or answered, is no reason to stop answering others.
func answer(ctx context.Context, f parley.Frame, err error) {
	if err == nil {
		err = f.Reply(ctx, bytes.ToUpper(f.Data))
	}
	if err != nil {
		log.Println(err)
	}
}
