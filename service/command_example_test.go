//go:build unix

package service_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"parley"
	"parley/service"
)

func ExampleCommand() {
	cmd := &service.Command{Args: []string{"tr", "a-z", "A-Z"}, Timeout: time.Minute}
	if err := cmd.Check(); err != nil { // now, and not when the first caller comes
		log.Fatal(err)
	}
	address, end := serve(cmd.Answer)
	defer end()

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := parley.Dial(ctx, address)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	for _, question := range []string{"who is there?", "and now?"} {
		reply, err := c.Ask(ctx, []byte(question))
		fmt.Println(string(reply), err)
	}
	// Output:
	// WHO IS THERE? <nil>
	// AND NOW? <nil>
}

func ExampleCommand_Keep() {
	// One process for the whole conversation: it can count.
	cmd := &service.Command{Args: []string{"sh", "-c", `while read x; do n=$((n + 1)); echo "$n. $x"; done`}}
	address, end := serve(cmd.Keep)
	defer end()

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := parley.Dial(ctx, address)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	for _, question := range []string{"bread", "butter"} {
		reply, err := c.Ask(ctx, []byte(question))
		fmt.Println(string(reply), err)
	}
	// Output:
	// 1. bread <nil>
	// 2. butter <nil>
}

func ExampleCommand_Exec() {
	cmd := &service.Command{Args: []string{"sh", "-c", `echo "$PROTO from $TCPREMOTEIP"`}}
	address, end := serve(cmd.Exec)
	defer end()
	fmt.Printf("%s", hearAll(address))
	// Output: TCP from 127.0.0.1
}
