package local

// keepFromCommands does nothing: a process on Windows inherits only what it is given.
func keepFromCommands() {}
