package sock

import (
	"errors"
	"net"
	"strings"
)

// Describe names an operation, the address and the cause of its failure; what a *net.OpError would only repeat is left out.
func Describe(op, place string, err error) string {
	text := err.Error()
	var cause *net.OpError
	if errors.As(err, &cause) {
		why := cause.Err.Error()
		if strings.HasSuffix(cause.Op, " error") { // of crypto/tls, which says there which end complains
			why = cause.Op + ": " + why
		}
		text = strings.Replace(text, cause.Error(), why, 1)
		if cause.Addr != nil && !strings.Contains(place, cause.Addr.String()) {
			place += " (" + cause.Addr.String() + ")"
		}
	}
	return op + " " + place + ": " + text
}

// AsNet gives the errors of syscall.RawConn the names that package net gives those of Read and Write.
func AsNet(err error) error {
	if oe, ok := err.(*net.OpError); ok {
		oe.Op = strings.TrimPrefix(oe.Op, "raw-")
	}
	return err
}
