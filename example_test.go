package parley_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"syscall"
	"time"

	"parley"
	"parley/frame"
)

// Dial takes any address; the error says what failed on which, and why.
func ExampleDial() {
	address, stop := serve(parley.Config{}, echo)
	ctx := context.Background()

	c, err := parley.Dial(ctx, address)
	if err != nil {
		fmt.Println(err)
		return
	}
	reply, err := c.Ask(ctx, []byte("Hello there!"))
	fmt.Printf("%s, %v\n", reply, err)
	c.Close()
	stop()

	_, err = parley.Dial(ctx, address)
	fmt.Println("now refused:", errors.Is(err, syscall.ECONNREFUSED))
	_, err = parley.Dial(ctx, "localhost:no-such-service")
	fmt.Println(err)
	// Output:
	// Hello there!, <nil>
	// now refused: true
	// dial localhost:no-such-service: unknown service "no-such-service"; write its port number, or no-such-service(number)
}

// A context bounds one call. What had come when it ended is kept for the next.
func ExampleDial_context() {
	goOn := make(chan bool)
	address, stop := serve(parley.Config{}, func(ctx context.Context, c *parley.Conn) error {
		fmt.Fprint(c, "Hello ")
		<-goOn
		fmt.Fprint(c, "there!\n")
		return nil
	})
	defer stop()
	c, err := parley.Dial(context.Background(), address)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()

	short, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, err = c.Receive(short)
	fmt.Println("half a line:", errors.Is(err, context.DeadlineExceeded))

	close(goOn)
	line, err := c.Receive(context.Background())
	fmt.Printf("%s, %v\n", line, err)
	// Output:
	// half a line: true
	// Hello there!, <nil>
}

// A Listener's Accept, as in package net, where each caller is talked with in turn.
func ExampleListen() {
	ctx := context.Background()
	ln, err := parley.Listen(ctx, "0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ln.Close()
	go say(ln.Address(), "first")

	nc, err := ln.Accept()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer nc.Close()
	line, err := nc.(*parley.Conn).Receive(ctx)
	fmt.Printf("%s, %v\n", line, err)
	// Output:
	// first, <nil>
}

// Serve until the context ends, which may be when the user interrupts (signal.NotifyContext).
func ExampleServe() {
	ctx, end := context.WithCancel(context.Background())
	go end()
	err := parley.Serve(ctx, "0", echo)
	fmt.Println("ended:", err)
	// Output:
	// ended: <nil>
}

// Conns is the accept loop. It outlasts a system that is short of descriptors, and ends with the context.
func ExampleListener_Conns() {
	ctx, enough := context.WithCancel(context.Background())
	defer enough()
	ln, err := parley.Listen(ctx, "0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ln.Close()
	go say(ln.Address(), "Hello there!")

	for c, err := range ln.Conns(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		line, err := c.Receive(ctx)
		fmt.Printf("%s, %v\n", line, err)
		c.Close()
		enough()
	}
	// Output:
	// Hello there!, <nil>
}

// The frames of all callers in one loop; Conn tells them apart, and Reply answers the one who spoke.
func ExampleListener_Frames() {
	ctx := context.Background()
	ln, err := parley.Listen(ctx, "0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ln.Close()
	replies := make(chan string)
	for _, name := range []string{"Ann", "Bob"} {
		go func() {
			c, err := parley.Dial(ctx, ln.Address())
			if err != nil {
				panic(err)
			}
			defer c.Close()
			reply, err := c.Ask(ctx, []byte(name))
			replies <- fmt.Sprintf("%s, %v", reply, err)
		}()
	}

	said := 0
	for f, err := range ln.Frames(ctx) {
		if err != nil {
			fmt.Println(err)
			continue
		}
		if err := f.Reply(ctx, append([]byte("Good morning, "), f.Data...)); err != nil {
			fmt.Println(err)
		}
		fmt.Println(<-replies)
		if said++; said == 2 {
			break
		}
	}
	// Unordered output:
	// Good morning, Ann, <nil>
	// Good morning, Bob, <nil>
}

// Ask is one frame out and the next one in.
func ExampleConn_Ask() {
	address, stop := serve(parley.Config{}, echo)
	defer stop()
	ctx := context.Background()
	c, err := parley.Dial(ctx, address)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	for _, question := range []string{"one", "two"} {
		reply, err := c.Ask(ctx, []byte(question))
		fmt.Printf("%s, %v\n", reply, err)
	}
	// Output:
	// one, <nil>
	// two, <nil>
}

// After a failed Ask the reply may still come, so the next question would get the wrong one. It is refused instead.
func ExampleConn_Ask_outOfStep() {
	address, stop := serve(parley.Config{}, func(ctx context.Context, c *parley.Conn) error {
		_, err := io.Copy(io.Discard, c) // hears, and never replies
		return err
	})
	defer stop()
	c, err := parley.Dial(context.Background(), address)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()

	short, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, err = c.Ask(short, []byte("are you there?"))
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	_, err = c.Ask(context.Background(), []byte("and now?"))
	fmt.Println(errors.Is(err, parley.ErrOutOfStep))
	// Output:
	// true
	// true
}

// io.EOF is a clean end, between two frames. What comes with io.ErrUnexpectedEOF is the beginning of a frame.
func ExampleConn_Receive() {
	address, stop := serve(parley.Config{}, func(ctx context.Context, c *parley.Conn) error {
		_, err := fmt.Fprint(c, "a line\nand hal")
		return err
	})
	defer stop()
	ctx := context.Background()
	c, err := parley.Dial(ctx, address)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	for {
		line, err := c.Receive(ctx)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			fmt.Printf("the other end stopped after %q\n", line)
			continue
		}
		if err == io.EOF {
			fmt.Println("the end")
			return
		}
		fmt.Printf("%q, %v\n", line, err)
	}
	// Output:
	// "a line", <nil>
	// the other end stopped after "and hal"
	// the end
}

// A conversation's frames in a loop, which ends when the other end has.
func ExampleConn_Frames() {
	cfg := parley.Config{Frame: frame.MustParse("netstring")}
	address, stop := serve(cfg, func(ctx context.Context, c *parley.Conn) error {
		return errors.Join(c.Send(ctx, []byte("one")), c.Send(ctx, []byte("two\nlines")))
	})
	defer stop()
	ctx := context.Background()
	c, err := cfg.Dial(ctx, address)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	for f, err := range c.Frames(ctx) {
		fmt.Printf("%q, %v\n", f.Data, err)
	}
	// Output:
	// "one", <nil>
	// "two\nlines", <nil>
}

// Half-close: say the end, and go on listening.
func ExampleConn_CloseWrite() {
	address, stop := serve(parley.Config{}, func(ctx context.Context, c *parley.Conn) error {
		all, err := io.ReadAll(c) // until the caller has said the end
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(c, "%d bytes\n", len(all))
		return err
	})
	defer stop()
	c, err := parley.Dial(context.Background(), address)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	fmt.Fprint(c, "one\ntwo\n")
	if err := c.CloseWrite(); err != nil {
		fmt.Println(err)
	}
	answer, err := io.ReadAll(c)
	fmt.Printf("%s%v\n", answer, err)
	// Output:
	// 8 bytes
	// <nil>
}

// State tells what a conversation is doing, to whoever wonders why nothing happens.
func ExampleConn_State() {
	address, stop := serve(parley.Config{}, echo)
	defer stop()
	ctx := context.Background()
	c, err := parley.Dial(ctx, address)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	if _, err := c.Ask(ctx, []byte("hello")); err != nil {
		fmt.Println(err)
	}
	s := c.State()
	fmt.Printf("said %d bytes, heard %d, this end has ended: %v\n", s.Said, s.Heard, s.SaidEnd)
	fmt.Println("waits for", s.End)
	// Output:
	// said 6 bytes, heard 6, this end has ended: false
	// waits for the end of a line
}

// NewConn gives frames and turns to any net.Conn.
func ExampleNewConn() {
	here, there := net.Pipe()
	go func() {
		other := parley.NewConn(there, nil)
		defer other.Close()
		_ = echo(context.Background(), other)
	}()

	ctx := context.Background()
	c := parley.NewConn(here, nil)
	defer c.Close()
	reply, err := c.Ask(ctx, []byte("through a pipe"))
	fmt.Printf("%s, %v\n", reply, err)
	// Output:
	// through a pipe, <nil>
}

// Merge hears conversations of one's own making too.
func ExampleMerge() {
	ctx := context.Background()
	var sources []parley.Source
	for _, name := range []string{"Ann", "Bob"} {
		address, stop := serve(parley.Config{}, func(ctx context.Context, c *parley.Conn) error {
			return errors.Join(c.Send(ctx, []byte(name+" here")), c.Send(ctx, []byte("that is all from "+name)))
		})
		defer stop()
		c, err := parley.Dial(ctx, address)
		if err != nil {
			fmt.Println(err)
			return
		}
		defer c.Close()
		sources = append(sources, c)
	}

	for f, err := range parley.Merge(ctx, sources...) { // until all have ended
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Printf("%s\n", f.Data)
	}
	// Unordered output:
	// Ann here
	// that is all from Ann
	// Bob here
	// that is all from Bob
}

// A Server holds conversations side by side, within limits, and ends gracefully.
func ExampleServer() {
	ctx, end := context.WithCancel(context.Background())
	defer end()
	ln, err := parley.Listen(ctx, "0")
	if err != nil {
		fmt.Println(err)
		return
	}
	server := &parley.Server{
		Handler:    echo,
		MaxConns:   1000,
		MaxPerHost: 10,
		Idle:       time.Minute,
		Grace:      2 * time.Second,
	}
	ended := make(chan error)
	go func() { ended <- server.Serve(ctx, ln) }()

	c, err := parley.Dial(ctx, ln.Address())
	if err != nil {
		fmt.Println(err)
		return
	}
	reply, err := c.Ask(ctx, []byte("Hello there!"))
	fmt.Printf("%s, %v\n", reply, err)

	end() // the handler waits for a new frame, so it ends at once
	fmt.Println("ended:", <-ended)
	_, err = c.Receive(context.Background())
	fmt.Println("heard:", err)
	c.Close()
	// Output:
	// Hello there!, <nil>
	// ended: <nil>
	// heard: EOF
}

// Each datagram is a frame, and From is who sent it.
func ExamplePacketConn() {
	ctx, enough := context.WithCancel(context.Background())
	defer enough()
	pc, err := parley.ListenPacket(ctx, "udp:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pc.Close()
	go say(pc.Address(), "one", "two")

	heard := 0
	for f, err := range pc.Frames(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s\n", f.Data)
		if heard++; heard == 2 {
			enough()
		}
	}
	// Output:
	// one
	// two
}

// Reply answers the one who spoke, whether over a conversation or by a datagram.
func ExampleFrame_Reply() {
	ctx := context.Background()
	pc, err := parley.ListenPacket(ctx, "udp:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pc.Close()
	c, err := parley.Dial(ctx, pc.Address())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()

	if err := c.Send(ctx, []byte("who is there?")); err != nil {
		fmt.Println(err)
	}
	question, err := pc.Receive(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := question.Reply(ctx, []byte("I am")); err != nil {
		fmt.Println(err)
	}
	reply, err := c.Receive(ctx)
	fmt.Printf("%s %s, %v\n", question.Data, reply, err)
	// Output:
	// who is there? I am, <nil>
}

// A Config says how frames end, how long they may be, and how long a dial may take.
func ExampleConfig() {
	cfg := parley.Config{
		Frame:    frame.MustParse("u16"), // a length of two bytes, then the text
		MaxFrame: 1000,
		Timeout:  5 * time.Second,
	}
	address, stop := serve(cfg, echo)
	defer stop()
	ctx := context.Background()
	c, err := cfg.Dial(ctx, address)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()

	reply, err := c.Ask(ctx, []byte("any\nbytes\x00at all"))
	fmt.Printf("%q, %v\n", reply, err)
	_, err = c.Ask(ctx, make([]byte, 2000)) // more than the other end wants to hear
	fmt.Println(err != nil)
	// Output:
	// "any\nbytes\x00at all", <nil>
	// true
}

// Observe hears of everything that happens.
func ExampleConfig_observe() {
	address, stop := serve(parley.Config{}, echo)
	defer stop()
	ctx := context.Background()
	cfg := parley.Config{Observe: func(e parley.Event) {
		fmt.Printf("%s %q\n", e.Kind, e.Data)
	}}
	c, err := cfg.Dial(ctx, address)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := c.Ask(ctx, []byte("hello")); err != nil {
		fmt.Println(err)
	}
	c.Close()
	// Output:
	// opened ""
	// said "hello"
	// heard "hello"
	// closed ""
}

// A program that takes addresses from its users may say which schemes it wants.
func ExampleConfig_schemes() {
	onlyTCP := slices.DeleteFunc(parley.Schemes(), func(s parley.Scheme) bool { return s.Name != "tcp" })
	cfg := parley.Config{Schemes: onlyTCP}
	_, err := cfg.Dial(context.Background(), "unix:/tmp/private")
	fmt.Println(err != nil)
	// Output:
	// true
}

// An Error says which operation failed, on what. What is below is found with errors.Is and errors.As.
func ExampleError() {
	_, err := parley.Dial(context.Background(), "/no/such/socket")
	var e *parley.Error
	if errors.As(err, &e) {
		fmt.Println(e.Op, "on", e.Addr)
	}
	fmt.Println(errors.Is(err, os.ErrNotExist), e.Timeout())
	// Output:
	// dial on /no/such/socket
	// true false
}

// Short forms stand for whole addresses.
func ExampleParseAddr() {
	for _, s := range []string{"7070", "host:daytime(13)", "/tmp/talk", "udp://host:7070?ttl=1", "tls:host:443?insecure"} {
		a, err := parley.ParseAddr(s)
		fmt.Println(a, err)
	}
	// Output:
	// tcp:7070 <nil>
	// tcp:host:daytime(13) <nil>
	// unix:/tmp/talk <nil>
	// udp:host:7070?ttl=1 <nil>
	// tls:host:443?insecure <nil>
}
