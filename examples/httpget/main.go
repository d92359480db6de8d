// Httpget gets a page by HTTP/1.0 (RFC 1945) and prints it, headers and all.
//
//	go run ./examples/httpget                             gets / from port 8000 on this machine
//	go run ./examples/httpget localhost:8000 /go.mod
//	go run ./examples/httpget tls:other.host:443 /        over TLS
//
// To try it, serve the files of this directory from another terminal:
//
//	python3 -m http.server --bind localhost 8000
//
// The two directions have different formats: the request ends with a blank line, the reply with the close.
package main

import (
	"cmp"
	"context"
	"flag"
	"log"
	"os"

	"parley"
	"parley/frame"
)

// http10 limits a page to 16 MiB, for it is held in memory.
var http10 = parley.Config{
	Frame:     frame.MustParse("crlf blank line"),
	HearFrame: frame.UntilClose(),
	MaxFrame:  16 << 20,
}

func main() {
	flag.Parse()
	ctx := context.Background()
	c, err := http10.Dial(ctx, cmp.Or(flag.Arg(0), "localhost:8000"))
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	page, err := c.Ask(ctx, []byte("GET "+cmp.Or(flag.Arg(1), "/")+" HTTP/1.0"))
	if err != nil {
		log.Fatal(err)
	}
	os.Stdout.Write(page)
}
