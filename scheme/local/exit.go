package local

import "fmt"

// An ExitError, found with errors.As, says that the command of an exec address has failed.
type ExitError struct {
	Command string // its first word
	Status  int    // its exit status; -1 if it has none, since a signal ended it or since somebody else has taken it
	Signal  string // what ended it, as the system names it: "killed"; empty if nothing did
}

// Error names the command, and how it ended.
func (e *ExitError) Error() string {
	switch {
	case e.Signal != "":
		return fmt.Sprintf("command %s: ended by signal: %s", e.Command, e.Signal)
	case e.Status < 0:
		return fmt.Sprintf("command %s: ended, and its exit status is not known", e.Command)
	}
	return fmt.Sprintf("command %s: exit status %d", e.Command, e.Status)
}
