// Requestd is the other end of the example request: it hears a request that ends with a line END REQUEST, replies with
// the same in capitals, and closes. It talks with many callers at once.
//
//	go run ./examples/requestd            listens on port 7071, for callers on this machine
//	go run ./examples/requestd :7071      for callers from anywhere
//
// To try it, ask it from another terminal:
//
//	go run ./examples/request
//	printf 'name\nage\nEND REQUEST\n' | nc localhost 7071
//
// An interrupt (Ctrl-C) ends it when the requests begun have been answered.
package main

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"log"
	"log/slog"
	"os"
	"os/signal"

	"parley"
	"parley/frame"
)

// requests is how this end talks; the other end has the same the other way round.
var requests = parley.Config{
	Frame:     frame.UntilClose(),
	HearFrame: frame.MustParse(`end "END REQUEST"`),
}

func main() {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ln, err := requests.Listen(ctx, cmp.Or(flag.Arg(0), "7071"))
	if err != nil {
		log.Fatal(err)
	}
	log.Println("listening on", ln.Address())
	server := parley.Server{Handler: answer, Log: slog.Default()}
	if err := server.Serve(ctx, ln); err != nil {
		log.Fatal(err)
	}
}

// answer holds one conversation: one request, one reply. Saying the reply says the end too, as its format is the close.
func answer(ctx context.Context, c *parley.Conn) error {
	request, err := c.Receive(ctx)
	if err != nil {
		return err
	}
	return c.Send(ctx, bytes.ToUpper(request))
}
