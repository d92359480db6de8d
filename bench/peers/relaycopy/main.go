// Relaycopy PORT ADDRESS... relays each caller to one of the addresses, in
// turn, with nothing but io.Copy, one goroutine for each direction: what anybody would write in
// Go in ten lines. Package net lets the kernel move the bytes (splice).
package main

import (
	"io"
	"log"
	"net"
	"os"
	"sync"
)

func main() {
	if len(os.Args) < 3 {
		log.Fatal("usage: relaycopy PORT ADDRESS...")
	}
	targets := os.Args[2:]
	ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", os.Args[1]))
	if err != nil {
		log.Fatal(err)
	}
	for i := 0; ; i++ {
		caller, err := ln.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go relay(caller.(*net.TCPConn), targets[i%len(targets)])
	}
}

func relay(caller *net.TCPConn, address string) {
	defer caller.Close()
	target, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer target.Close()
	var both sync.WaitGroup
	both.Go(func() { carry(caller, target.(*net.TCPConn)) })
	both.Go(func() { carry(target.(*net.TCPConn), caller) })
	both.Wait()
}

func carry(from, to *net.TCPConn) {
	io.Copy(to, from) // an error ends the direction as an end does
	to.CloseWrite()
}
