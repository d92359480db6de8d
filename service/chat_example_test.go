package service_test

import (
	"context"
	"fmt"
	"log"

	"parley"
	"parley/service"
)

// A chat of two callers. The server prints what it sees.
func ExampleChat() {
	ctx, stop := context.WithCancel(context.Background())
	ln, err := parley.Listen(ctx, "tcp:127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	chat := service.Chat{Seen: func(line service.ChatLine) { fmt.Println(line) }}
	ended := make(chan error)
	go func() { ended <- (&parley.Server{Handler: chat.Handle}).Serve(ctx, ln) }()

	ann, err := parley.Dial(ctx, ln.Address())
	if err != nil {
		log.Fatal(err)
	}
	defer ann.Close()
	for _, line := range []string{"/name ann", "anybody here?\x07", "/quit"} {
		if err := ann.Send(ctx, []byte(line)); err != nil {
			log.Fatal(err)
		}
	}
	for f := range ann.Frames(ctx) {
		fmt.Printf("ann hears: %s\n", f.Data)
	}
	ann.Close()
	stop()
	if err := <-ended; err != nil {
		log.Fatal(err)
	}
	// Unordered output:
	// [lobby] * 1 guest1 came
	// [lobby] * 1 guest1 is now ann
	// [lobby] [1 ann] anybody here?\x07
	// [lobby] * 1 ann left: quit
	// ann hears: * you are [1 guest1] in room lobby, with 0 others
	// ann hears: * commands: /name NAME, /who, /join ROOM, /help, /quit; //text says "/text"
	// ann hears: * 1 guest1 is now ann
	// ann hears: * goodbye
}

func ExampleChatLine_String() {
	fmt.Println(service.ChatLine{Room: "lobby", ID: 3, Name: "ann", Text: "hello"})
	fmt.Println(service.ChatLine{Room: "lobby", ID: 3, Name: "ann", Text: "3 ann left: quit", Notice: true})
	// Output:
	// [lobby] [3 ann] hello
	// [lobby] * 3 ann left: quit
}
