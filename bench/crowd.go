package main

import (
	"context"
	"strconv"
)

// A crowd is several callers of c/lines.c that start to speak together.
type crowd []*process

// gather starts the callers and waits until all are connected.
func gather(ctx context.Context, load, port string, each int) (crowd, error) {
	var all crowd
	for id := range callers {
		argv := []string{load, port, strconv.Itoa(id), strconv.Itoa(each)}
		p, err := start(ctx, command{argv: argv, asks: true})
		if err != nil {
			all.stop()
			return nil, err
		}
		all = append(all, p)
		if _, err := p.line(); err != nil {
			all.stop()
			return nil, err
		}
	}
	return all, nil
}

// release lets the callers speak.
func (c crowd) release() error {
	for _, p := range c {
		if err := p.hangUp(); err != nil {
			return err
		}
	}
	return nil
}

func (c crowd) stop() {
	for _, p := range c {
		p.stop()
	}
}
