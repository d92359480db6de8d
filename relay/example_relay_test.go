package relay_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"time"

	"parley"
	"parley/relay"
)

// named serves a target that answers with its name.
func named(ctx context.Context, name string) *parley.Listener {
	ln, err := parley.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	answer := func(ctx context.Context, c *parley.Conn) error {
		for f, err := range c.Frames(ctx) {
			if err != nil {
				return err
			}
			if err := f.Reply(ctx, fmt.Appendf(nil, "%s heard %q", name, f.Data)); err != nil {
				return err
			}
		}
		return nil
	}
	go func() { _ = (&parley.Server{Handler: answer}).Serve(ctx, ln) }()
	return ln
}

// Callers are shared out between two targets, and get the other when one is down.
func ExampleRelay() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	a, b := named(ctx, "a"), named(ctx, "b")
	r := &relay.Relay{
		Targets:    []string{a.Address(), b.Address()},
		Balance:    relay.RoundRobin,
		RetryFor:   10 * time.Second,
		ProbeEvery: 5 * time.Second,
		Changed:    func(target string, up bool, why error) { log.Println(target, up, why) },
	}
	ln, err := parley.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	if err := r.Check(ln.Addr()); err != nil {
		log.Fatal(err)
	}
	go r.Run(ctx)
	served := make(chan error)
	go func() { served <- (&parley.Server{Handler: r.Handle}).Serve(ctx, ln) }()

	for range 3 {
		c, err := parley.Dial(ctx, ln.Address())
		if err != nil {
			log.Fatal(err)
		}
		reply, err := c.Ask(ctx, []byte("hello"))
		fmt.Printf("%s %v\n", reply, err)
		if err := c.CloseWrite(); err != nil {
			log.Fatal(err)
		}
		_, err = io.Copy(io.Discard, c)
		fmt.Println(err)
		c.Close()
	}
	stop()
	fmt.Println(<-served)
	// Output:
	// a heard "hello" <nil>
	// <nil>
	// b heard "hello" <nil>
	// <nil>
	// a heard "hello" <nil>
	// <nil>
	// <nil>
}

// A Relay is a handler; it can stand behind what else handlers stand behind, and can be called by itself.
func ExampleRelay_Handle() {
	r := &relay.Relay{
		Targets: []string{"127.0.0.1:7070"},
		Dial: func(context.Context, string) (*parley.Conn, error) { // as if nobody listened there
			return nil, errors.New("connection refused")
		},
	}
	here, there := net.Pipe()
	defer there.Close()
	err := r.Handle(context.Background(), parley.NewConn(here, nil))
	fmt.Println(errors.Is(err, relay.ErrNoTarget), err)
	// Output: true no target could be reached: connection refused
}

// Check finds a relay that would call itself before the first caller comes.
func ExampleRelay_Check() {
	ln, err := parley.Listen(context.Background(), "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer ln.Close()
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	r := &relay.Relay{Targets: []string{"localhost:" + port}}
	fmt.Println(errors.Is(r.Check(ln.Addr()), relay.ErrLoop))
	// Output: true
}

func ExampleRelay_Run() {
	r := &relay.Relay{
		Targets:    []string{"127.0.0.1:7070"},
		ProbeEvery: time.Minute,
		Dial: func(context.Context, string) (*parley.Conn, error) {
			return nil, errors.New("connection refused")
		},
	}
	ctx, stop := context.WithCancel(context.Background())
	r.Changed = func(target string, up bool, why error) {
		fmt.Println(target, up, why)
		stop()
	}
	fmt.Println(r.Run(ctx))
	// Output:
	// 127.0.0.1:7070 false connection refused
	// <nil>
}

func ExampleParseRoute() {
	route, err := relay.ParseRoute("sni:*.Example.org,example.org=127.0.0.1:8443")
	fmt.Println(route.By, route.Names, route.Targets, err)
	_, err = relay.ParseRoute("sni:*=127.0.0.1:8443")
	fmt.Println(err)
	// Output:
	// sni [*.example.org example.org] [127.0.0.1:8443] <nil>
	// route "sni:*=127.0.0.1:8443": "*": a * stands for one whole label, the first: *.example.org
}

func ExampleRoute() {
	r := &relay.Relay{Targets: []string{"127.0.0.1:80"}}
	for _, text := range []string{"sni:api.example=127.0.0.1:8443", "alpn:h2=127.0.0.1:8444"} {
		route, err := relay.ParseRoute(text)
		if err != nil {
			log.Fatal(err)
		}
		r.Routes = append(r.Routes, route)
	}
	fmt.Println(r.Routes, r.Check())
	// Output: [sni:api.example=127.0.0.1:8443 alpn:h2=127.0.0.1:8444] <nil>
}

func ExampleParseBalance() {
	b, err := relay.ParseBalance("round-robin")
	fmt.Println(b, err)
	_, err = relay.ParseBalance("best")
	fmt.Println(err)
	// Output:
	// round-robin <nil>
	// no way to balance is called "best"; there are first, round-robin, least, hash
}
