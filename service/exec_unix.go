//go:build unix

package service

import (
	"context"
	"errors"
	"net"
	"syscall"

	"parley"
	"parley/internal/child"
)

// handable returns the socket of c if a process can have it: nothing may be lost in our memory, or owed to another layer.
func (cmd *Command) handable(c *parley.Conn) (syscall.RawConn, bool) {
	if _, heard := c.Bytes(); cmd.Carry || cmd.Pty || c.KeepsEdges() || heard > 0 {
		return nil, false
	}
	switch nc := c.NetConn().(type) {
	case *net.TCPConn:
		rc, err := nc.SyscallConn()
		return rc, err == nil
	case *net.UnixConn:
		rc, err := nc.SyscallConn()
		return rc, err == nil
	}
	return nil, false
}

// handOver runs a process on the socket of c, and waits for the one or the other to end.
func (cmd *Command) handOver(ctx context.Context, c *parley.Conn, socket syscall.RawConn, env []string) error {
	var t tubes
	if err := t.openError(cmd); err != nil {
		err = cmd.fault(err)
		cmd.tell(c, err)
		return err
	}
	defer t.close()
	p, err := cmd.startOn(socket, &t, env)
	if err != nil {
		cmd.tell(c, err)
		return err
	}
	t.closeTheirs()
	undo := p.watch(ctx, c)
	defer undo()
	told := t.tellLines(cmd, c)
	p.wait()
	c.Close() // before anything else: to the caller this is the end
	t.release()
	<-told
	failure := p.failure()
	cmd.tell(c, failure)
	return failure
}

// startOn starts the process on the socket, which from then on blocks, as programs expect. Nobody here reads or writes it
// any more, and to wait for it and to close it no blocking matters.
func (cmd *Command) startOn(socket syscall.RawConn, t *tubes, env []string) (*process, error) {
	f, err := cmd.find()
	if err != nil {
		return nil, err
	}
	l := cmd.launch(f, env)
	var c *child.Child
	controlErr := socket.Control(func(fd uintptr) {
		if err = syscall.SetNonblock(int(fd), false); err != nil {
			return
		}
		if c, err = l.StartOn([]uintptr{fd, fd, t.theirs[2].Fd()}); err != nil {
			_ = syscall.SetNonblock(int(fd), true)
		}
	})
	if err := errors.Join(controlErr, err); err != nil {
		return nil, cmd.cannotStart(f, err)
	}
	return &process{Child: c, name: cmd.Args[0], done: make(chan struct{}), holds: true}, nil
}

// isHangup reports whether a process has ended because its terminal was hung up: by the signal, or with the status that shells
// give that.
func isHangup(e child.Exit) bool {
	return e.Signal == syscall.SIGHUP || e.Status == 128+int(syscall.SIGHUP)
}

// isHungUp reports whether err says that nobody has a terminal open any more.
func isHungUp(err error) bool { return errors.Is(err, syscall.EIO) }
