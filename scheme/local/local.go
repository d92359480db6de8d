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
// say: it ends when its writer says the end, or when a write fails. What fails on its file it does not see: whoever writes to
// that by itself says the end then, too. An end that is only read refuses what is said to it by an error that tells how to
// keep it.
//
// The error of a dial that could not open its end holds an *[fs.PathError], as that of a file does, and os/exec.ErrNotFound if
// there is no such command; not if the address is wrong, or if ctx has ended.
//
// Commands inherit their standard input, output and error, and no other descriptor of this process: who hears the other end
// of an fd address would wait for them, too. The first exec address that is dialled marks those that this process was
// started with as closed at exec, for whatever it starts.
package local

import (
	"context"
	"errors"
	"io/fs"
	"net"

	"parley"
	"parley/internal/sock"
)

func init() {
	parley.Register(parley.Scheme{
		Name: "stdio", Syntax: "nothing; - for short", Summary: "standard input and output, once a process", Dial: opening(dialStdio),
	})
	parley.Register(parley.Scheme{
		Name: "file", Syntax: "PATH", Summary: "a file: read to its end, written, or followed", Params: fileParams, Dial: opening(dialFile),
	})
	parley.Register(parley.Scheme{
		Name: "fd", Syntax: "N or IN,OUT", Summary: "descriptors that this process was started with", Dial: opening(dialFD),
	})
	parley.Register(parley.Scheme{
		Name: "exec", Syntax: "COMMAND ARGS", Summary: "a command: its input and its output", Params: execParams, Dial: opening(dialExec),
	})
	parley.Register(parley.Scheme{
		Name: "pty", Syntax: "nothing", Summary: "a new terminal, for another program to open", Params: ptyParams, Dial: opening(dialPTY),
	})
	parley.Register(parley.Scheme{
		Name: "pipe", Syntax: "PATH", Summary: "a named pipe (FIFO)", Params: pipeParams, Dial: opening(dialPipe),
	})
}

// A dialFunc is that of a parley.Scheme.
type dialFunc = func(context.Context, parley.Addr, *parley.Config) (net.Conn, error)

// opening is dial with errors that are known for those of this machine.
func opening(dial dialFunc) dialFunc {
	return func(ctx context.Context, a parley.Addr, cfg *parley.Config) (net.Conn, error) {
		nc, err := dial(ctx, a, cfg)
		var mistake *sock.AddressError
		var known *fs.PathError
		if err == nil || ctx.Err() != nil || errors.As(err, &mistake) || errors.As(err, &known) {
			return nc, err
		}
		return nil, &openError{err, &fs.PathError{Op: "open", Path: a.String(), Err: err}}
	}
}

// An openError is an error in its own words that is an *fs.PathError besides.
type openError struct {
	error
	file *fs.PathError
}

func (e *openError) Unwrap() []error { return []error{e.error, e.file} }
