package relay_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"

	"parley"
	"parley/relay"
)

func ExampleParseFaults() {
	up, down, err := relay.ParseFaults("latency=50ms±20ms,down:bandwidth=8Mbit/s,close-after=1MB", 42)
	fmt.Println("to the target:", up)
	fmt.Println("and back:     ", down)
	fmt.Println(err)

	_, _, err = relay.ParseFaults("latency=50", 42)
	fmt.Println(err)
	// Output:
	// to the target: latency=50ms±20ms
	// and back:      latency=50ms±20ms,bandwidth=1MB/s,close-after=1MB
	// <nil>
	// fault "latency=50": want a time, such as 50ms, 2s or 1m (write it like latency=50ms±20ms)
}

// Does a client notice that its answer was cut short? Behind this relay every answer ends, quite cleanly, after 5 bytes.
func ExampleFaults() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	target := named(ctx, "a")
	up, down, err := relay.ParseFaults("down:close-after=5", 1)
	if err != nil {
		log.Fatal(err)
	}
	r := &relay.Relay{Targets: []string{target.Address()}, Options: relay.Options{AtoB: up, BtoA: down}}
	ln, err := parley.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- (&parley.Server{Handler: r.Handle}).Serve(ctx, ln) }()

	c, err := parley.Dial(ctx, ln.Address())
	if err != nil {
		log.Fatal(err)
	}
	part, err := c.Ask(ctx, []byte("hello"))
	fmt.Printf("%q, cut short: %v\n", part, errors.Is(err, io.ErrUnexpectedEOF))
	c.Close()
	stop()
	<-served
	// Output: "a hea", cut short: true
}

// The table is made for help texts.
func ExampleFaultKinds() {
	for _, k := range relay.FaultKinds()[:3] {
		fmt.Printf("%-20s %s\n", k.Syntax, k.Summary)
	}
	// Output:
	// latency=50ms±20ms    everything arrives that much later, at random within ± (or +-); the order is kept
	// bandwidth=1MB/s      no more arrives a second; B, kB, MB, GB, KiB, MiB, GiB, or bit, kbit, Mbit, Gbit
	// slice=1..9           bytes are said in pieces of a random size, each by a write of its own; slice=5 for one size
}
