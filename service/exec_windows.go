package service

import (
	"context"
	"errors"
	"syscall"

	"parley"
)

// handable says no: a socket is not a descriptor that a program reads here.
func (cmd *Command) handable(*parley.Conn) (syscall.RawConn, bool) { return nil, false }

func (cmd *Command) handOver(context.Context, *parley.Conn, syscall.RawConn, []string) error {
	return cmd.fault(errors.ErrUnsupported)
}

func isHungUp(error) bool { return false }

func isHangup(exit) bool { return false }
