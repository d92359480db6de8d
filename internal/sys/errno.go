package sys

import (
	"errors"
	"slices"
)

// A Failure is one thing that goes wrong with sockets, by the numbers that this system may give it. Package syscall has
// the Unix names on Windows too, but for numbers of its own that no socket there returns.
type Failure []error

// Is reports whether err is, or wraps, this failure.
func (f Failure) Is(err error) bool {
	return slices.ContainsFunc(f, func(e error) bool { return errors.Is(err, e) })
}

// Shortage is what accept(2) says when it says nothing against the listener: it passes when others let go of what is
// short, or concerns one caller only.
var Shortage = slices.Concat(outOfMemory, outOfFiles, lostCaller)

// Broken is how a conversation ends that the other end, or the way there, has given up.
var Broken = slices.Concat(Reset, Aborted, NoReader)
