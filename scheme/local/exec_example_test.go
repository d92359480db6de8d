//go:build unix

package local_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"parley"
	"parley/scheme/local"
)

// A command that reads to the end before it answers: CloseWrite closes its standard input.
func Example_exec() {
	c, err := parley.Dial(context.Background(), "exec:sort -r")
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "one\ntwo\nthree\n"); err != nil {
		log.Fatal(err)
	}
	if err := c.CloseWrite(); err != nil {
		log.Fatal(err)
	}
	if _, err := c.WriteTo(os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output:
	// two
	// three
	// one
}

// How a command has ended, when all it said was heard.
func ExampleExitError() {
	ctx := context.Background()
	c, err := parley.Dial(ctx, "exec:echo no such thing; exit 3?shell")
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if _, err := c.WriteTo(os.Stdout); err != nil {
		log.Fatal(err)
	}
	err = c.NetConn().(interface{ Wait(context.Context) error }).Wait(ctx)
	var failed *local.ExitError
	if errors.As(err, &failed) {
		fmt.Println(failed.Command, failed.Status)
	}
	// Output:
	// no such thing
	// sh 3
}

// A terminal that another program takes for a serial port.
func Example_pty() {
	c, err := parley.Dial(context.Background(), "pty:?link=/tmp/modem")
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()                                      // removes /tmp/modem
	fmt.Println("listening on", c.RemoteAddr())          // /dev/pts/7
	for f, err := range c.Frames(context.Background()) { // waits until somebody opens it, ends when all have closed it
		if err != nil {
			log.Fatal(err)
		}
		if string(f.Data) == "AT" {
			_ = f.Reply(context.Background(), []byte("OK"))
		}
	}
}
