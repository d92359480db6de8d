package local

import (
	"errors"
	"fmt"
	"net"
	"os"
)

// open makes a conversation of standard input and output, the only descriptors that have numbers on Windows.
func open(addr Addr, in, out given) (net.Conn, error) {
	if in == out {
		switch in {
		case 0:
			return newEnd(addr, os.Stdin, nil), nil
		case 1, 2:
			return newEnd(addr, nil, standard(in)), nil
		}
	}
	hears, speaks := standard(in), standard(out)
	if in != 0 || speaks == nil {
		return nil, fmt.Errorf("on Windows there are descriptors 0 to hear, and 1 and 2 to speak to: %w", errors.ErrUnsupported)
	}
	return newEnd(addr, hears, speaks), nil
}

func standard(d given) *os.File {
	switch d {
	case 0:
		return os.Stdin
	case 1:
		return os.Stdout
	case 2:
		return os.Stderr
	}
	return nil
}
