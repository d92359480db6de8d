package relay_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"parley"
	"parley/relay"
)

// manyLines are 1.8 MB.
func manyLines() []byte {
	dice := rand.New(rand.NewPCG(1, 2))
	var text []byte
	for range 100_000 {
		text = fmt.Appendf(text, "%08x %08x\n", dice.Uint32(), dice.Uint32())
	}
	return text
}

func sorted(text []byte) []byte {
	lines := bytes.SplitAfter(text, []byte("\n"))
	slices.SortFunc(lines, bytes.Compare)
	return bytes.Join(lines, nil)
}

// sortServer answers when it has heard the end, as sort(1) does.
func sortServer(c *parley.Conn) error {
	text, err := io.ReadAll(c)
	if err != nil {
		return err
	}
	if _, err := c.Write(sorted(text)); err != nil {
		return err
	}
	return c.CloseWrite()
}

// A server that hears to the end before it answers works through every pair of streams, whoever of the two calls.
func TestSortThroughEveryPair(t *testing.T) {
	text := manyLines()
	for _, left := range streams() {
		for _, right := range streams() {
			t.Run(left.name+" to "+right.name, func(t *testing.T) {
				j := join(t, left, right, nil)
				testSort(t, j, j.client, j.server, text)
			})
			t.Run(left.name+" from "+right.name, func(t *testing.T) {
				j := join(t, left, right, nil)
				testSort(t, j, j.server, j.client, text)
			})
		}
	}
}

func testSort(t *testing.T, j *joined, client, server *parley.Conn, text []byte) {
	failed := make(chan error, 2)
	go func() { failed <- sortServer(server) }()
	go func() {
		_, err := client.Write(text)
		if err == nil {
			err = client.CloseWrite()
		}
		failed <- err
	}()
	got, err := io.ReadAll(client)
	if !bytes.Equal(got, sorted(text)) || err != nil {
		t.Errorf("the answer has %d bytes, %v; want %d sorted ones", len(got), err, len(text))
	}
	for range 2 {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	stats, err := j.wait(t)
	if err != nil {
		t.Error(err)
	}
	want := relay.Direction{Bytes: int64(len(text)), Ended: true}
	if stats.AtoB != want || stats.BtoA != want {
		t.Errorf("stats are %+v, want %+v each way", stats, want)
	}
}
