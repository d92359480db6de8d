package relay_test

import (
	"context"
	"fmt"
	"io"

	"parley"
	"parley/relay"
)

// A target that answers when it has heard the end, as sort(1) does, works through a Join: the end is passed on, and the
// answer comes after it.
func ExampleJoin() {
	ctx := context.Background()
	target, err := parley.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	go (&parley.Server{Handler: func(_ context.Context, c *parley.Conn) error {
		text, err := io.ReadAll(c)
		fmt.Fprintf(c, "heard %d bytes", len(text))
		return err
	}}).Serve(ctx, target)
	defer target.Close()

	front, err := parley.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer front.Close()
	go (&parley.Server{Handler: func(ctx context.Context, caller *parley.Conn) error {
		callee, err := parley.Dial(ctx, target.Address())
		if err != nil {
			return err
		}
		_, err = relay.Join(ctx, caller, callee, nil)
		return err
	}}).Serve(ctx, front)

	c, err := parley.Dial(ctx, front.Address())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	fmt.Fprint(c, "what I have to say")
	_ = c.CloseWrite()
	answer, err := io.ReadAll(c)
	fmt.Println(string(answer), err)
	// Output: heard 18 bytes <nil>
}
