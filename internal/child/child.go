// Package child starts a process in a group of its own, waits for its end, and ends the group. It does not let the system
// forget a process before it is told to, where the system can: until then its number is not another's, so that what it has
// left behind can still be ended.
package child

import "os"

// A Launch is a process that has not been started.
type Launch struct {
	Program  string // its path
	Args     []string
	Dir      string // empty: that of this program
	Env      []string
	Files    [3]*os.File // its standard input, output and error; the caller's, used only while it starts
	Terminal bool        // they are a terminal, of which it is to be the owner
}

// A Child is a process that runs, or has ended and was not reaped. Its number, PID, is the group's too.
type Child struct {
	PID      int
	terminal bool
	handle
}

// An Exit is how a process has ended.
type Exit struct {
	Status int       // -1: it has none
	Signal os.Signal // that ended it; nil: none, or not known
}

// unknown is the exit of a process that somebody else has reaped.
var unknown = Exit{Status: -1}
