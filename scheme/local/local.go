// Package local has the schemes of what this machine has besides sockets: standard input and output, files, inherited
// descriptors, commands, terminals and named pipes. Importing it registers them; they are not built in because an address
// then reaches into this machine.
//
//   - standard input and output
//     file:/var/log/x?follow     a file, and what is added to it
//     fd:3                       a descriptor that this process was started with
//     exec:sort -u               a command: what is said is its input, what is heard its output
//     pty:?link=/tmp/modem       a new terminal, for another program to open
//     pipe:/tmp/x                a named pipe (FIFO)
//
// All are dialled; none has callers to accept. What [parley.Conn.NetConn] returns of them is a net.Conn with these
// methods besides, where they apply:
//
//	CloseWrite() error                  says the end: closes what is written
//	Files() (in, out *os.File)          for the kernel to move bytes; nil where it must not; never to be closed
//	Wait(ctx context.Context) error     exec: waits for the command, and returns an *ExitError if it failed
//	Abort()                             exec: ends the command at once
//
// The sockets of fd addresses are the *net.TCPConn or *net.UnixConn itself. An end that is only written to has nothing to
// say: it ends when its writer says the end. An end that is only read refuses what is said to it by an error that tells how
// to keep it.
package local

import (
	"parley"
)

func init() {
	parley.Register(parley.Scheme{
		Name: "stdio", Syntax: "nothing; - for short", Summary: "standard input and output, once a process", Dial: dialStdio,
	})
	parley.Register(parley.Scheme{
		Name: "file", Syntax: "PATH", Summary: "a file: read to its end, written, or followed", Params: fileParams, Dial: dialFile,
	})
	parley.Register(parley.Scheme{
		Name: "fd", Syntax: "N or IN,OUT", Summary: "descriptors that this process was started with", Dial: dialFD,
	})
	parley.Register(parley.Scheme{
		Name: "exec", Syntax: "COMMAND ARGS", Summary: "a command: its input and its output", Params: execParams, Dial: dialExec,
	})
	parley.Register(parley.Scheme{
		Name: "pty", Syntax: "nothing", Summary: "a new terminal, for another program to open", Params: ptyParams, Dial: dialPTY,
	})
	parley.Register(parley.Scheme{
		Name: "pipe", Syntax: "PATH", Summary: "a named pipe (FIFO)", Params: pipeParams, Dial: dialPipe,
	})
}
