package relay

import (
	"errors"
	"net"
	"syscall"
	"testing"

	"parley"
	"parley/internal/sock"
	"parley/internal/sys"
)

// An end that has reset is told to have, whether the kernel has told that to a read already or not.
func TestCloseWriteAfterReset(t *testing.T) {
	for _, heard := range []bool{false, true} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		nc, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		other, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		sock.BreakOff(other)
		c := parley.NewConn(nc, nil)
		if heard {
			if _, err := nc.Read(make([]byte, 1)); !sys.Reset.Is(err) { // past c, which does not know then
				t.Fatal(err)
			}
		}
		switch err := closeWrite(c); {
		case err == nil && !heard: // the reset is still on its way
		case !heard && !errors.As(err, new(*parley.Error)):
			t.Errorf("%v is not what the kernel says", err)
		case errors.Is(err, syscall.ENOTCONN), !sys.Reset.Is(err):
			t.Errorf("heard %v: %v", heard, err)
		}
	}
}
