package systemd_test

import (
	"context"
	"log"
	"os/signal"
	"syscall"

	"parley"
	"parley/scheme/systemd"
)

// A service of Type=notify whose .socket unit listens: systemd starts it when somebody calls.
func Example() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	ln, err := parley.Listen(ctx, "systemd:")
	if err != nil {
		log.Fatal(err)
	}
	context.AfterFunc(ctx, func() { _ = systemd.Stopping() })
	if err := systemd.Ready(); err != nil {
		log.Print(err)
	}
	server := &parley.Server{Handler: func(ctx context.Context, c *parley.Conn) error {
		_, err := c.WriteTo(c) // what it hears
		return err
	}}
	if err := server.Serve(ctx, ln); err != nil {
		log.Fatal(err)
	}
}
