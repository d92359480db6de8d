// Echo echoes with a parley Server: frames of 64 bytes, or raw bytes.
package main

import (
	"context"
	"flag"
	"log"

	"parley"
	"parley/frame"
)

func main() {
	port := flag.String("port", "0", "port to listen on")
	raw := flag.Bool("raw", false, "echo bytes with Read and Write, not frames")
	flag.Parse()

	handler := echoFrames
	if *raw {
		handler = echoBytes
	}
	ctx := context.Background()
	cfg := &parley.Config{Frame: frame.MustParse("64 bytes")}
	ln, err := cfg.Listen(ctx, "127.0.0.1:"+*port)
	if err != nil {
		log.Fatal(err)
	}
	server := &parley.Server{Handler: handler}
	log.Fatal(server.Serve(ctx, ln))
}

func echoFrames(ctx context.Context, c *parley.Conn) error {
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

func echoBytes(_ context.Context, c *parley.Conn) error {
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return err
		}
		if _, err := c.Write(buf[:n]); err != nil {
			return err
		}
	}
}
