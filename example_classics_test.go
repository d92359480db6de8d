package parley_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"parley"
	"parley/frame"
)

// The other ends that the examples talk with.

// serve holds conversations by h, on a free port of this machine. stop ends that.
func serve(cfg parley.Config, h parley.Handler) (address string, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ln, err := cfg.Listen(ctx, "0")
	if err != nil {
		panic(err)
	}
	done := make(chan error, 1)
	go func() { done <- (&parley.Server{Handler: h}).Serve(ctx, ln) }()
	return ln.Address(), func() {
		cancel()
		<-done
	}
}

// say calls address, says lines, and leaves.
func say(address string, lines ...string) {
	ctx := context.Background()
	c, err := parley.Dial(ctx, address)
	if err != nil {
		panic(err)
	}
	defer c.Close()
	for _, line := range lines {
		if err := c.Send(ctx, []byte(line)); err != nil {
			panic(err)
		}
	}
}

// echo replies to each frame with the same.
func echo(ctx context.Context, c *parley.Conn) error {
	for f, err := range c.Frames(ctx) {
		if err != nil {
			return err
		}
		if err := f.Reply(ctx, f.Data); err != nil {
			return err
		}
	}
	return nil
}

// quote replies to one frame by saying what was heard.
func quote(ctx context.Context, c *parley.Conn) error {
	text, err := c.Receive(ctx)
	if err != nil {
		return err
	}
	return c.Send(ctx, fmt.Appendf(nil, "I heard %q", text))
}

// The classics: seven small programs that everybody writes who learns sockets. They are under examples as programs too.

// A receiver prints the lines of every caller.
func Example_receiver() {
	ctx := context.Background()
	ln, err := parley.Listen(ctx, "0") // a free port; 7070 is that port
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ln.Close()
	go say(ln.Address(), "Hello there!", "bye")

	for f, err := range ln.Frames(ctx) {
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Printf("%s\n", f.Data)
		if string(f.Data) == "bye" {
			break
		}
	}
	// Output:
	// Hello there!
	// bye
}

// A caller that says "Hello there!", and makes sure that it was taken.
func Example_hello() {
	heard := make(chan string, 1)
	address, stop := serve(parley.Config{}, func(ctx context.Context, c *parley.Conn) error {
		line, err := c.Receive(ctx)
		heard <- fmt.Sprintf("%s, %v", line, err)
		return err
	})
	defer stop()

	ctx := context.Background()
	c, err := parley.Dial(ctx, address)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := c.Send(ctx, []byte("Hello there!")); err != nil {
		fmt.Println(err)
	}
	if err := c.WaitTaken(ctx); err != nil {
		fmt.Println(err)
	}
	c.Close()
	fmt.Println(<-heard)
	// Output:
	// Hello there!, <nil>
}

// A daytime client (RFC 867) reads until the close.
func Example_daytime() {
	address, stop := serve(parley.Config{}, func(ctx context.Context, c *parley.Conn) error {
		_, err := io.WriteString(c, "Friday, November 20, 2026\r\n")
		return err
	})
	defer stop()

	ctx := context.Background()
	cfg := parley.Config{Frame: frame.UntilClose()}
	c, err := cfg.Dial(ctx, address) // or "localhost:daytime(13)"
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	text, err := c.Receive(ctx)
	if err != nil {
		fmt.Println(err)
	}
	fmt.Printf("response from %s was:\n%s", c.RemoteHost(), text)
	// Output:
	// response from 127.0.0.1 was:
	// Friday, November 20, 2026
}

// An HTTP/1.0 GET (RFC 1945): the request ends with a blank line, the reply with the close.
func Example_httpGet() {
	address, stop := serve(
		parley.Config{HearFrame: frame.MustParse("crlf blank line"), Frame: frame.UntilClose()},
		func(ctx context.Context, c *parley.Conn) error {
			request, err := c.Receive(ctx)
			if err != nil {
				return err
			}
			return c.Send(ctx, append([]byte("HTTP/1.0 200 OK\r\n\r\nYou asked: "), request...))
		})
	defer stop()

	ctx := context.Background()
	cfg := parley.Config{Frame: frame.MustParse("crlf blank line"), HearFrame: frame.UntilClose()}
	c, err := cfg.Dial(ctx, address)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	page, err := c.Ask(ctx, []byte("GET / HTTP/1.0"))
	if err != nil {
		fmt.Println(err)
	}
	fmt.Printf("%s\n", bytes.ReplaceAll(page, []byte("\r\n"), []byte("\n")))
	// Output:
	// HTTP/1.0 200 OK
	//
	// You asked: GET / HTTP/1.0
}

// A request of lines that ends with a line END REQUEST, and a reply that ends with the close.
func Example_request() {
	asking := parley.Config{Frame: frame.MustParse(`end "END REQUEST"`), HearFrame: frame.UntilClose()}
	answering := parley.Config{Frame: asking.HearFrame, HearFrame: asking.Frame}
	address, stop := serve(answering, quote)
	defer stop()

	ctx := context.Background()
	c, err := asking.Dial(ctx, address)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	reply, err := c.Ask(ctx, []byte("name\nage"))
	fmt.Printf("%s, %v\n", reply, err)
	// Output:
	// I heard "name\nage", <nil>
}

// Many sockets in one loop: the callers of two listeners, and datagrams.
func Example_select() {
	ctx, enough := context.WithCancel(context.Background())
	defer enough()
	one, err1 := parley.Listen(ctx, "0")
	two, err2 := parley.Listen(ctx, "0")
	datagrams, err3 := parley.ListenPacket(ctx, "udp:0")
	if err := errors.Join(err1, err2, err3); err != nil {
		fmt.Println(err)
		return
	}
	defer one.Close()
	defer two.Close()
	defer datagrams.Close()
	go say(one.Address(), "a line to one")
	go say(two.Address(), "a line to two")
	go say(datagrams.Address(), "a datagram")

	heard := 0
	for f, err := range parley.Merge(ctx, one, two, datagrams) {
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Printf("%s: %s\n", f.From.Network(), f.Data)
		if heard++; heard == 3 {
			enough()
		}
	}
	// Unordered output:
	// tcp: a line to one
	// tcp: a line to two
	// udp: a datagram
}

// UDP datagrams answered, each to its sender.
func Example_datagrams() {
	ctx := context.Background()
	pc, err := parley.ListenPacket(ctx, "udp:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	answered := make(chan error)
	go func() {
		f, err := pc.Receive(ctx)
		if err == nil {
			err = f.Reply(ctx, bytes.ToUpper(f.Data))
		}
		answered <- err
	}()

	c, err := parley.Dial(ctx, pc.Address())
	if err != nil {
		fmt.Println(err)
		return
	}
	reply, err := c.Ask(ctx, []byte("hello"))
	fmt.Printf("%s, %v\n", reply, err)

	fmt.Println("answered:", <-answered)
	c.Close()
	pc.Close()
	// Output:
	// HELLO, <nil>
	// answered: <nil>
}
