package service

import (
	"context"
	"errors"
	"syscall"

	"parley"
	"parley/internal/child"
)

// handable says no: a socket is not a descriptor that a program reads here.
func (cmd *Command) handable(*parley.Conn) (syscall.RawConn, bool) { return nil, false }

func (cmd *Command) handOver(context.Context, *parley.Conn, syscall.RawConn, []string) error {
	return cmd.fault(errors.ErrUnsupported)
}

func isHungUp(error) bool { return false }

func isHangup(child.Exit) bool { return false }
