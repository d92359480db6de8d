// Framesnet PORT COUNT hears COUNT lines of 100 bytes from any number of
// callers in one loop, as one would write it by hand: for each caller a
// bufio.Scanner that copies each line into a channel. It prints
// "FRAMES SECONDS ALLOCATIONS".
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"log"
	"net"
	"os"
	"runtime"
	"strconv"
	"time"
)

const textSize = 99 // a line of 100 bytes without its newline

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: framesnet PORT COUNT")
	}
	count, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", os.Args[1]))
	if err != nil {
		log.Fatal(err)
	}
	lines := make(chan []byte, 1024)
	go accept(ln, lines)

	var before, after runtime.MemStats
	checkLine(<-lines) // the clock starts with the first line
	runtime.ReadMemStats(&before)
	start := time.Now()
	for range count - 1 {
		checkLine(<-lines)
	}
	elapsed := time.Since(start)
	runtime.ReadMemStats(&after)
	fmt.Println(count-1, elapsed.Seconds(), after.Mallocs-before.Mallocs)
}

func accept(ln net.Listener, lines chan<- []byte) {
	for {
		c, err := ln.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go scan(c, lines)
	}
}

func scan(c net.Conn, lines chan<- []byte) {
	defer c.Close()
	s := bufio.NewScanner(c)
	for s.Scan() {
		lines <- bytes.Clone(s.Bytes())
	}
	if err := s.Err(); err != nil {
		log.Fatal(err)
	}
}

func checkLine(p []byte) {
	if len(p) != textSize || p[0] != 'c' {
		log.Fatalf("this is not a whole line: %q", p)
	}
}
