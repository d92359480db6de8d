package service_test

import (
	"bytes"
	"fmt"
	"net"
	"sync"
	"testing"

	"parley/service"
)

// One caller says lines of 64 bytes, and the others hear them over TCP. An operation is a line for all of them.
func BenchmarkChat(b *testing.B) {
	for _, hearers := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("hearers=%d", hearers), func(b *testing.B) { benchChat(b, hearers) })
	}
}

func benchChat(b *testing.B, hearers int) {
	address := startChat(b, new(service.Chat))
	talker := enter(b, address)
	defer talker.Close()
	go func() { // his notices of who comes
		for range talker.Frames(b.Context()) {
		}
	}()
	var heard sync.WaitGroup
	ahead := make(chan struct{}, 64) // lines said and not yet heard by the last hearer
	for i := range hearers {
		c := enter(b, address)
		defer c.Close()
		heard.Go(func() {
			n := hearLines(b, c.NetConn(), func() {
				if i == hearers-1 {
					<-ahead
				}
			})
			if n != b.N+1 {
				b.Errorf("heard %d lines, want %d", n, b.N+1)
			}
		})
	}
	line := append(bytes.Repeat([]byte("x"), 63), '\n')
	for b.Loop() {
		ahead <- struct{}{}
		if _, err := talker.Write(line); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*hearers)/b.Elapsed().Seconds(), "lines/s")
	ahead <- struct{}{}
	if _, err := talker.Write([]byte("the end\n")); err != nil {
		b.Fatal(err)
	}
	heard.Wait()
}

// hearLines counts a talker's lines until the last.
func hearLines(b *testing.B, c net.Conn, heard func()) (n int) {
	buf := make([]byte, 4<<10)
	var last []byte
	for !bytes.HasSuffix(last, []byte("the end\n")) {
		k, err := c.Read(buf)
		if err != nil {
			b.Errorf("after %d lines: %v", n, err)
			return n
		}
		for range bytes.Count(buf[:k], []byte("]")) { // one in each head
			heard()
			n++
		}
		last = append(last[max(0, len(last)-8):], buf[max(0, k-8):k]...)
	}
	return n
}
