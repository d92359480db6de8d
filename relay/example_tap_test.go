package relay_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"parley"
	"parley/frame"
	"parley/parleytest"
	"parley/relay"
	"parley/transcript"
)

// What passes is shown, and could be written to a file besides.
func ExampleTap() {
	tap := relay.NewTap(nil, relay.TapOptions{
		Frame: [2]frame.Format{frame.Line(), frame.Line()},
		Show: func(l transcript.Line) {
			if f, ok := l.(transcript.Frame); ok {
				fmt.Printf("%s says %q\n", f.Role, f.Data)
			}
		},
	})
	client, a := conversation()
	b, server := conversation()
	joined := make(chan error)
	go func() {
		_, err := relay.Join(context.Background(), a, b, &relay.Options{Tap: tap})
		joined <- err
	}()

	ctx := context.Background()
	go func() {
		for f, err := range server.Frames(ctx) {
			if err != nil {
				log.Fatal(err)
			}
			if err := f.Reply(ctx, []byte("hello, "+string(f.Data))); err != nil {
				log.Fatal(err)
			}
		}
		_ = server.CloseWrite()
	}()
	if _, err := client.Ask(ctx, []byte("world")); err != nil {
		log.Fatal(err)
	}
	_ = client.CloseWrite()
	if _, err := io.Copy(io.Discard, client); err != nil {
		log.Fatal(err)
	}
	fmt.Println(<-joined, tap.Close())
	lost, _ := tap.Lost()
	fmt.Println(lost, "lost")
	// Output:
	// client says "world"
	// server says "hello, world"
	// <nil> <nil>
	// 0 lost
}

// A tap that writes a transcript tells at the end what it is worth.
func ExampleTap_Close() {
	tap := relay.NewTap(os.Stdout, relay.TapOptions{})
	if err := tap.Close(); err != nil {
		log.Print(err)
	}
	if messages, bytes := tap.Lost(); messages > 0 {
		log.Printf("%d messages (%d bytes) are missing in it", messages, bytes)
	}
}

// conversation returns both ends of one in memory.
func conversation() (caller, accepted *parley.Conn) {
	cfg := &parley.Config{Schemes: []parley.Scheme{new(parleytest.Network).Scheme()}}
	ln, err := cfg.Listen(context.Background(), "mem:")
	if err != nil {
		log.Fatal(err)
	}
	defer ln.Close()
	caller, err = cfg.Dial(context.Background(), ln.Address())
	if err != nil {
		log.Fatal(err)
	}
	nc, err := ln.Accept()
	if err != nil {
		log.Fatal(err)
	}
	return caller, nc.(*parley.Conn)
}
