package local

import (
	"context"
	"io"
	"net"
	"os"
	"testing"

	"parley"
	"parley/parleytest"
)

func TestMain(m *testing.M) { os.Exit(parleytest.CheckLeaks(m)) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// dial opens an address, and closes it with the test.
func dial(t *testing.T, address string) *parley.Conn {
	t.Helper()
	c, err := parley.Dial(t.Context(), address)
	must(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// hearAll returns what c says until it ends.
func hearAll(t *testing.T, c io.Reader) string {
	t.Helper()
	text, err := io.ReadAll(c)
	must(t, err)
	return string(text)
}

// schemeOf makes a scheme of a func that dials.
func schemeOf(name string, dial func() (net.Conn, error)) *parley.Config {
	return &parley.Config{Schemes: []parley.Scheme{{
		Name: name,
		Dial: func(context.Context, parley.Addr, *parley.Config) (net.Conn, error) { return dial() },
	}}}
}

// contents returns what a file holds.
func contents(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	return string(text)
}
