package local

// An Addr names one end of a local conversation: the scheme, and the target of its address as it was written.
type Addr struct {
	network, text string
}

// Network returns the name of the scheme: "file", "exec".
func (a Addr) Network() string { return a.network }

// String returns the target: a path, the number of a descriptor, a command.
func (a Addr) String() string { return a.text }
