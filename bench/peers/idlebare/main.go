//go:build unix

// Idlebare holds idle conversations with nothing but package net, one
// goroutine each, and echoes what it hears. A goroutine waits either in Read
// with a buffer of 4 KB of its own, or with -readiness in RawConn.Read, which
// waits without a buffer; that one borrows a buffer when something has come.
//
// For each line on standard input it collects garbage, gives free memory back
// to the system, and prints how many conversations are open.
package main

import (
	"bufio"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
)

const bufferSize = 4096

var open atomic.Int64

func main() {
	port := flag.String("port", "0", "port to listen on")
	readiness := flag.Bool("readiness", false, "wait for readiness, without a buffer")
	flag.Parse()

	hold := holdBuffer
	if *readiness {
		hold = awaitReadiness
	}
	ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", *port))
	if err != nil {
		log.Fatal(err)
	}
	go accept(ln, hold)
	for asked := bufio.NewScanner(os.Stdin); asked.Scan(); {
		debug.FreeOSMemory()
		fmt.Println(open.Load())
	}
}

func accept(ln net.Listener, hold func(*net.TCPConn) error) {
	for {
		c, err := ln.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go serve(c.(*net.TCPConn), hold)
	}
}

func serve(c *net.TCPConn, hold func(*net.TCPConn) error) {
	defer c.Close()
	open.Add(1)
	defer open.Add(-1)
	if err := hold(c); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		log.Fatal(err)
	}
}

func holdBuffer(c *net.TCPConn) error {
	buf := make([]byte, bufferSize)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return err
		}
		if _, err := c.Write(buf[:n]); err != nil {
			return err
		}
	}
}

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// awaitReadiness borrows a buffer only for the moment of each try, so that a
// goroutine that waits has none.
func awaitReadiness(c *net.TCPConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	for {
		var tryErr error
		err := raw.Read(func(fd uintptr) bool {
			tryErr = echoOnce(c, int(fd))
			return tryErr != syscall.EAGAIN
		})
		if err := cmp.Or(err, tryErr); err != nil {
			return err
		}
	}
}

// echoOnce returns syscall.EAGAIN if nothing has come.
func echoOnce(c *net.TCPConn, fd int) error {
	buf := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buf)
	n, err := syscall.Read(fd, buf[:])
	if err != nil {
		return err
	}
	if n == 0 {
		return io.EOF
	}
	_, err = c.Write(buf[:n])
	return err
}
