package service_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"parley"
	"parley/service"
)

// serve serves h on a free port of this machine, and returns the address, and how to end in order.
func serve(h parley.Handler) (address string, end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ln, err := parley.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	done := make(chan error, 1)
	go func() { done <- (&parley.Server{Handler: h}).Serve(ctx, ln) }()
	return ln.Address(), func() {
		cancel()
		if err := <-done; err != nil {
			fmt.Println(err)
		}
	}
}

// hearAll calls an address and returns all that is said there.
func hearAll(address string) []byte {
	c, err := parley.Dial(context.Background(), address)
	if err != nil {
		panic(err)
	}
	defer c.Close()
	text, err := io.ReadAll(c)
	if err != nil {
		panic(err)
	}
	return text
}

func ExampleEcho() {
	address, end := serve(service.Echo)
	defer end()
	c, err := parley.Dial(context.Background(), address)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	reply, err := c.Ask(context.Background(), []byte("Hello there!"))
	fmt.Printf("%s %v\n", reply, err)
	// Output: Hello there! <nil>
}

func ExampleDiscard() {
	address, end := serve(service.Discard)
	defer end()
	c, err := parley.Dial(context.Background(), address)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	_ = c.Send(context.Background(), []byte("Hello there!"))
	_ = c.CloseWrite()
	text, err := io.ReadAll(c)
	fmt.Printf("%q %v\n", text, err)
	// Output: "" <nil>
}

func ExampleChargen() {
	address, end := serve(service.Chargen)
	defer end()
	c, err := parley.Dial(context.Background(), address)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	for range 2 {
		line, err := c.Receive(context.Background())
		fmt.Printf("%s %v\n", line[:30], err)
	}
	// Output:
	//  !"#$%&'()*+,-./0123456789:;<= <nil>
	// !"#$%&'()*+,-./0123456789:;<=> <nil>
}

func ExampleQOTD() {
	address, end := serve(service.QOTD([]string{"It has to work.\n\t-- RFC 1925"}))
	defer end()
	fmt.Printf("%q\n", hearAll(address))
	// Output: "It has to work.\r\n\t-- RFC 1925\r\n"
}

func ExampleReadQuotes() {
	quotes, err := service.ReadQuotes(strings.NewReader("It has to work.\n%\nTwo lines\nare one quote.\n"))
	fmt.Printf("%q %v\n", quotes, err)
	// Output: ["It has to work." "Two lines\nare one quote."] <nil>
}

func ExampleDaytime() {
	address, end := serve(service.Daytime)
	defer end()
	weekday, _, _ := strings.Cut(string(hearAll(address)), ",")
	fmt.Println(weekday == time.Now().Weekday().String() || weekday == time.Now().Add(-time.Minute).Weekday().String())
	// Output: true
}

func ExampleNISTDaytime() {
	address, end := serve(service.NISTDaytime)
	defer end()
	fields := strings.Fields(string(hearAll(address)))
	said, err := time.Parse("06-01-02 15:04:05", fields[1]+" "+fields[2])
	fmt.Println(len(fields), fields[7:], time.Since(said) < time.Minute, err)
	// Output: 9 [UTC(parley) *] true <nil>
}

func ExampleTime() {
	address, end := serve(service.Time)
	defer end()
	seconds := binary.BigEndian.Uint32(hearAll(address))
	since1900 := time.Since(time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC))
	fmt.Println(uint32(since1900/time.Second)-seconds < 60)
	// Output: true
}

func ExampleFiles() {
	dir, err := os.MkdirTemp("", "files")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "hello.txt"), []byte("Hello there!"), 0o644); err != nil {
		fmt.Println(err)
		return
	}
	files, err := service.Files(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer files.Close()
	address, end := serve(files.Handle)
	defer end()
	reply, err := http.Get("http://" + address + "/hello.txt")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	fmt.Printf("%s: %s %v\n", reply.Status, text, err)
	// Output: 200 OK: Hello there! <nil>
}
